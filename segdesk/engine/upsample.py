"""The winning category of every pixel, from scores at a model's own resolution.

Equal to scaling all scores up (bilinear, half-pixel centres, edges held) and taking the highest,
as ``torch.nn.functional.interpolate(..., mode="bilinear", align_corners=False).argmax(1)`` does,
but a strip of rows at a time and one category after the other.

A strip is all rows that lie between the same two rows of scores. There the scaled score of a
category is at most the higher, and at least the lower, of its two end rows; so a category that
nowhere in the strip reaches the best lower end cannot win and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


def winning_categories(
    scores: Scores, shape: tuple[int, int]
) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield (first row, winners) for strips of rows, from the top to the bottom.

    Parameters
    ----------
    scores
        (categories, h, w).
    shape
        (rows, columns) of the result.

    Yields
    ------
    winners
        (some rows, columns) positions on the first axis of ``scores``; the first one of equals.
    """
    rows, columns = shape
    below, above, share = _neighbours(scores.shape[1], rows)
    left, right, right_share = _neighbours(scores.shape[2], columns)
    starts = np.flatnonzero(np.diff(below, prepend=-1) | np.diff(above, prepend=-1))
    lines: dict[int, Scores] = {}
    for start, stop in zip(starts, np.append(starts[1:], rows), strict=True):
        ends = int(below[start]), int(above[start])
        lines = {
            row: lines[row] if row in lines else _stretch(scores[:, row], left, right, right_share)
            for row in ends
        }
        yield int(start), _strip(lines[ends[0]], lines[ends[1]], share[start:stop, np.newaxis])


def _neighbours(size: int, new_size: int) -> tuple[Any, Any, Scores]:
    """Return, for each new position, its two old neighbours and the share of the second."""
    centres = (np.arange(new_size, dtype=np.float32) + np.float32(0.5)) * np.float32(
        size / new_size
    ) - np.float32(0.5)
    centres = np.maximum(centres, 0)
    first = np.minimum(centres.astype(np.intp), size - 1)
    return first, np.minimum(first + 1, size - 1), np.clip(centres - first, 0, 1)


def _stretch(line: Scores, left: Any, right: Any, share: Scores) -> Scores:
    """Return one row of scores, (categories, w), at the full number of columns."""
    return line[:, left] * (1 - share) + line[:, right] * share


def _strip(first: Scores, second: Scores, share: Scores) -> NDArray[np.intp]:
    """Return the winners of the rows between two rows of scores, (categories, columns)."""
    floor = np.minimum(first, second).max(axis=0)
    candidates = np.flatnonzero((np.maximum(first, second) >= floor).any(axis=1))
    best = first[candidates[0]] * (1 - share) + second[candidates[0]] * share
    winners = np.full(best.shape, candidates[0], np.intp)
    for candidate in candidates[1:]:
        score = first[candidate] * (1 - share) + second[candidate] * share
        better = score > best
        np.copyto(best, score, where=better)
        winners[better] = candidate
    return winners
