"""Segments that do not overlap: every pixel goes to the strongest query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from segdesk.core.segmentation import Segment
from segdesk.core.upsample import pixels_above, winning_categories
from segdesk.ml.postprocess.families import Family
from segdesk.ml.postprocess.instances import Limits, logit
from segdesk.ml.postprocess.queries import (
    Chosen,
    QueryAnswer,
    masks_of,
    pick_instances,
    pick_segments,
    shrunk,
)

_STEEPEST = 80  # beyond it a float32 sigmoid is 0 or 1


@dataclass(frozen=True)
class Flat:
    """A label map, and the segments in it."""

    ids: NDArray[Any]  # (rows, columns) unsigned, 0: nothing
    segments: tuple[Segment, ...]


def panoptic_segments(
    answer: QueryAnswer,
    family: Family,
    limits: Limits,
    shape: tuple[int, int],
    fuse: Collection[int] = (),
) -> Flat:
    """Return segments at (rows, columns), as ``post_process_panoptic_segmentation`` finds them.

    All segments of a category in ``fuse`` are one, with the score of the first. Ids count from 1;
    transformers may give an id twice once it has fused a category, here each is used once.
    """
    chosen = pick_segments(answer, limits.threshold)
    if not len(chosen.scores):
        return _nothing(shape)
    logits = masks_of(answer, chosen.queries)
    if family.sigmoid_last:
        field = _Field(_numpy(logits), _numpy(chosen.scores), logit(limits.mask_threshold))
    else:
        probabilities = shrunk(logits.sigmoid(), shape) if family.antialias else logits.sigmoid()
        field = _weighted(probabilities, chosen.scores, limits)
    return _flat(field, chosen, shape, limits, fuse)


def competing_instances(
    answer: QueryAnswer, family: Family, limits: Limits, shape: tuple[int, int]
) -> Flat:
    """Return instances of families whose instances do not overlap."""
    if family.compete_by_logits:
        chosen = pick_instances(answer, family.pick)
        chosen = chosen.only(chosen.scores > limits.threshold)
    else:
        chosen = pick_segments(answer, limits.threshold)
    if not len(chosen.scores):
        return _nothing(shape)
    logits = masks_of(answer, chosen.queries)
    values = logits if family.compete_by_logits else logits.sigmoid()
    values = shrunk(values, shape) if family.antialias else values
    return _flat(_weighted(values, chosen.scores, limits), chosen, shape, limits, ())


def _nothing(shape: tuple[int, int]) -> Flat:
    return Flat(np.zeros(shape, np.uint8), ())


@dataclass(frozen=True)
class _Field:
    """What queries compete by."""

    values: NDArray[np.float32]  # (queries, h, w)
    weights: NDArray[np.float32] | None  # of the probabilities that the values are logits of
    level: float  # the least value of a pixel in a mask

    def winners(self, shape: tuple[int, int]) -> NDArray[Any]:
        """Return the strongest query of every pixel."""
        rising = None if self.weights is None else self._weighted
        winners = np.empty(shape, np.min_scalar_type(len(self.values) + 1))
        for first, band in winning_categories(self.values, shape, rising=rising):
            winners[first : first + len(band)] = band
        return winners

    def _weighted(self, logits: NDArray[np.float32], queries: NDArray[Any]) -> NDArray[np.float32]:
        assert self.weights is not None
        odds = np.exp(np.clip(-logits, -_STEEPEST, _STEEPEST))
        weighted: NDArray[np.float32] = self.weights[queries] / (1 + odds)
        return weighted


def _weighted(values: torch.Tensor, scores: torch.Tensor, limits: Limits) -> _Field:
    return _Field(_numpy(values * scores[:, None, None]), None, limits.mask_threshold)


def _flat(
    field: _Field, chosen: Chosen, shape: tuple[int, int], limits: Limits, fuse: Collection[int]
) -> Flat:
    """Let queries compete, and keep those that hold enough of their masks."""
    winners = field.winners(shape)
    valid, inside = _valid(field, winners, limits)
    segments: list[Segment] = []
    fused: dict[int, int] = {}
    ids = np.zeros(len(field.values), winners.dtype)
    for query in valid:
        category = int(chosen.categories[query])
        if category not in fused:
            score = float(chosen.scores[query])
            segments.append(Segment(len(segments) + 1, category, score))
        ids[query] = fused.get(category, len(segments))
        if category in fuse:
            fused[category] = int(ids[query])
    flat = ids[winners]
    if inside is not None:
        flat[~inside] = 0
    return Flat(flat, tuple(segments))


def _valid(
    field: _Field, winners: NDArray[Any], limits: Limits
) -> tuple[list[int], NDArray[np.bool_] | None]:
    """Return the queries that hold enough of their masks.

    For families whose segments end where their masks end: also the pixels inside.
    """
    areas = np.bincount(winners.ravel(), minlength=len(field.values))
    inside = None if field.weights is None else np.zeros(winners.shape, np.bool_)
    least = float(np.nextafter(np.float32(field.level), np.float32(-np.inf)))
    valid = []
    for query in np.flatnonzero(areas).tolist():
        window, mask = pixels_above(field.values[query], least, winners.shape)
        whole = np.float32(np.count_nonzero(mask))
        if not whole or not float(np.float32(areas[query]) / whole) > limits.overlap:
            continue
        if inside is not None:
            mask &= winners[window.slices] == query
            if not mask.any():
                continue
            inside[window.slices] |= mask
        valid.append(query)
    return valid, inside


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.float().cpu().numpy()
    return array
