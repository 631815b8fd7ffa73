"""Runs of equal ids in column order: the way from label maps to COCO's RLE, and back.

Source: ``maskApi.c`` of the COCO API describes the compressed counts (a LEB128-like code of
differences, 5 bits a character).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segdesk.api import LabelMap, Window
from segdesk.core.tile import TILE

Spans = NDArray[np.int64]
"""(N, 2) first and last + 1 of each run, in pixels counted down the columns; sorted, apart."""


def spans_of_segments(planes: Sequence[LabelMap]) -> dict[int, Spans]:
    """Return the runs of every segment over all planes, in one pass over each plane.

    The cost is that of reading the map, however many segments it holds.
    """
    runs = np.concatenate([_runs(labels) for labels in planes])
    runs = runs[np.lexsort((runs[:, 1], runs[:, 0]))]
    ids, first = np.unique(runs[:, 0], return_index=True)
    parts = np.split(runs[:, 1:], first)[1:]
    return {int(segment_id): _joined(part) for segment_id, part in zip(ids, parts, strict=True)}


def counts_of(spans: Spans, pixels: int) -> NDArray[np.uint32]:
    """Return how many pixels are out, in, out, ... of the segment: uncompressed RLE."""
    edges = np.concatenate([[0], spans.ravel(), [pixels]])
    counts = np.diff(edges)
    return (counts if counts[-1] else counts[:-1]).astype(np.uint32)


def spans_in(compressed: str) -> Spans:
    """Return the runs that the ``counts`` of a compressed RLE hold."""
    code = np.frombuffer(compressed.encode("ascii"), np.uint8).astype(np.int64) - 48
    last = np.flatnonzero((code & 32) == 0)
    first = np.concatenate([[0], last[:-1] + 1])
    shift = 5 * (np.arange(len(code)) - np.repeat(first, last - first + 1))
    values = np.add.reduceat((code & 31) << shift, first)
    values -= np.where(code[last] & 16, np.left_shift(1, 5 * (last - first + 1)), 0)
    for start in (1, 2):  # from the third on, each value is the difference to the one before last
        values[start::2] = np.cumsum(values[start::2])
    edges = np.cumsum(values)
    return edges[: len(edges) // 2 * 2].reshape(-1, 2)


def _runs(labels: LabelMap) -> NDArray[np.int64]:
    """Return (id, first, last + 1) of all runs of one plane but those of nothing."""
    parts = [np.empty((0, 3), np.int64)]
    for x in range(0, labels.width, TILE):
        strip = Window(x, 0, min(TILE, labels.width - x), labels.height)
        ids = labels.read(strip).T.ravel()
        starts = np.concatenate([[0], np.flatnonzero(ids[1:] != ids[:-1]) + 1])
        stops = np.concatenate([starts[1:], [len(ids)]])
        values, offset = ids[starts], x * labels.height
        runs = np.column_stack([values, starts + offset, stops + offset])
        parts.append(runs[values > 0])
    return np.concatenate(parts)


def _joined(runs: NDArray[np.int64]) -> Spans:
    """Join runs, sorted by their start, that touch or overlap."""
    reach = np.maximum.accumulate(runs[:, 1])
    begins = np.concatenate([[True], runs[1:, 0] > reach[:-1]])
    ends = np.concatenate([begins[1:], [True]])
    return np.column_stack([runs[begins, 0], reach[ends]])
