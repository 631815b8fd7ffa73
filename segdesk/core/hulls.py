"""Convex hulls of segments, gathered part by part, and the pixels inside them.

A pixel counts as the diamond between the middles of its four sides, as in scikit-image
(``convex_hull_image`` with ``offset_coordinates``); all arithmetic is in whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from segdesk.core.runs import Runs

Points = NDArray[np.int32]  # (points, 2) of x and y
MOST_ROWS = 2**17  # that are counted at once

_DIAMOND = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])  # around a centre, in half pixels


class Hulls:
    """The corners of the convex hull of each segment's pixel centres."""

    def __init__(self) -> None:
        self._corners: dict[int, Points] = {}

    def add(self, runs: Runs, x: int, y: int) -> None:
        """Add the runs of an array whose first pixel lies at (x, y)."""
        ends = np.empty((len(runs.known), 2, 2), np.int32)
        ends[:, 0, 0], ends[:, 1, 0] = runs.x + x, runs.right - 1 + x
        ends[:, :, 1] = runs.y[:, np.newaxis] + y
        bounds = [*(2 * runs.firsts).tolist(), 2 * len(ends)]
        points = ends.reshape(-1, 2)
        for number, slot in enumerate(runs.slots.tolist()):
            part = points[bounds[number] : bounds[number + 1]]
            earlier = self._corners.get(slot)
            self._corners[slot] = _hull(
                part if earlier is None else np.concatenate([earlier, part])
            )

    def areas(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the slots, and the number of pixels whose centre is in or on each hull."""
        slots = np.array(list(self._corners), np.int64)
        polygons = [_widened(corners) for corners in self._corners.values()]
        return slots, _pixels_inside(polygons)


def _hull(points: Points) -> Points:
    """Return the corners, clockwise as seen with y upwards."""
    import cv2

    hull: Points = cv2.convexHull(points, clockwise=True)
    return hull[:, 0]


def _widened(corners: Points) -> Points:
    """Return the hull of the diamonds around pixel centres, in half pixels from one centre."""
    half = 2 * (corners.astype(np.int64) - corners[0])
    return _hull((half[:, np.newaxis] + _DIAMOND).reshape(-1, 2).astype(np.int32))


def _pixels_inside(polygons: Sequence[Points]) -> NDArray[np.int64]:
    """Return how many points with even coordinates lie in or on each convex polygon."""
    counts = np.zeros(len(polygons), np.int64)
    if not polygons:
        return counts
    start = np.concatenate(polygons).astype(np.int64)
    stop = np.concatenate([np.roll(p, -1, axis=0) for p in polygons]).astype(np.int64)
    owner = np.repeat(np.arange(len(polygons)), [len(p) for p in polygons])
    is_right = stop[:, 1] < start[:, 1]
    low = np.where(is_right[:, np.newaxis], stop, start)
    high = np.where(is_right[:, np.newaxis], start, stop)
    first = low[:, 1] + (low[:, 1] & 1)  # the first even row; the row of `high` is the next edge's
    rows = np.maximum(high[:, 1] - first + 1, 0) // 2
    for part in _parts(rows):
        edge = np.repeat(np.arange(part.start, part.stop), rows[part])
        ends = np.cumsum(rows[part])
        step = np.arange(len(edge)) - np.repeat(ends - rows[part], rows[part])
        width, height = (high - low)[edge].T
        # Where the edge crosses the row, times its height.
        across = low[edge, 0] * height + (first[edge] + 2 * step - low[edge, 1]) * width
        right = is_right[edge]
        last, one = across // (2 * height), -(-across // (2 * height))
        np.add.at(counts, owner[edge], np.where(right, last + 1, -one))
    return counts


def _parts(rows: NDArray[np.int64]) -> Iterator[slice]:
    """Yield slices of edges that have no more than MOST_ROWS rows together, or are single."""
    total, start = np.cumsum(rows), 0
    while start < len(rows):
        done = total[start - 1] if start else 0
        stop = max(int(np.searchsorted(total, done + MOST_ROWS, "right")), start + 1)
        yield slice(start, stop)
        start = stop
