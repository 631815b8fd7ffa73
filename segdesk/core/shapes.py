"""Sums of the shapes of segments, gathered tile by tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.hulls import Hulls
from segdesk.core.moments import Moments
from segdesk.core.runs import Runs, slots_of

MARGIN = 2  # pixels around a tile that its perimeter depends on

_BESIDE = ((0, 1), (0, -1), (1, 0), (-1, 0))
_ACROSS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
# What a border pixel adds to the perimeter, by 1 + 2 x border pixels beside + 10 x across: nothing,
# 1, the root of 2, or the mean of both. Source: Benkrid and Crookes, "Design and FPGA
# implementation of a perimeter estimator"; scikit-image's `perimeter` counts the same.
_KINDS = np.zeros(50, np.intp)
_KINDS[[5, 7, 15, 17, 25, 27]], _KINDS[[21, 33]], _KINDS[[13, 23]] = 1, 2, 3
_WEIGHTS = np.array([0, 1, np.sqrt(2), (1 + np.sqrt(2)) / 2])


class Shapes:
    """What is needed to know areas, outlines and moments; one slot a segment.

    Attributes
    ----------
    areas
        (segments,) int64, pixels of all frames.
    places
        Means and central moments of pixel centres: xx, yy, xy.
    boxes
        (segments, 4) int64: first column and row, and the first ones behind.
    convex
        (segments,) int64, pixels of the convex hull, frame by frame.
    frames
        (segments,) int64, number of frames that hold the segment.
    """

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self._ids = ids
        size, far = len(ids), np.iinfo(np.int64).max
        self.areas = np.zeros(size, np.int64)
        self.places = Moments(size, ((0, 0), (1, 1), (0, 1)))
        self.boxes = np.tile(np.array([far, far, -1, -1]), (size, 1))
        self.convex = np.zeros(size, np.int64)
        self.frames = np.zeros(size, np.int64)
        self.first_frame = np.full(size, -1, np.int64)
        self._steps = np.zeros((size, len(_WEIGHTS)), np.int64)
        self._hulls = Hulls()

    @property
    def perimeters(self) -> NDArray[np.float64]:
        """(segments,) float64, pixels."""
        lengths: NDArray[np.float64] = self._steps @ _WEIGHTS
        return lengths

    def add(self, runs: Runs, wide: NDArray[np.int32], window: Window) -> None:
        """Add a tile: its runs, and its ids with MARGIN pixels around them."""
        self._add_places(runs, window)
        self._add_boxes(runs, window)
        if (wide != wide[0, 0]).any():  # else it lies inside, and no border is near
            self._hulls.add(runs, window.x, window.y)
            self._add_border(wide)

    def end_frame(self, frame: int) -> None:
        """Count the hulls of a frame after its last tile."""
        slots, areas = self._hulls.areas()
        self.convex[slots] += areas
        self.frames[slots] += 1
        self.first_frame[slots[self.first_frame[slots] < 0]] = frame
        self._hulls = Hulls()

    def _add_places(self, runs: Runs, window: Window) -> None:
        widths = runs.widths
        counts = runs.sums(widths)
        x, y = (runs.x + runs.right) / 2, runs.y + 0.5  # the middle of each run
        means = np.stack([runs.sums(widths * x) / counts, runs.sums(widths * y) / counts])
        dx, dy = x - runs.spread(means[0]), y - runs.spread(means[1])
        along = widths * (widths**2 - 1) / 12  # of a run about its middle
        products = [
            runs.sums(along + widths * dx**2),
            runs.sums(widths * dy**2),
            runs.sums(widths * dx * dy),
        ]
        means += np.array([[window.x], [window.y]])
        self.areas[runs.slots] += counts
        self.places.add(runs.slots, counts, means, np.stack(products))

    def _add_boxes(self, runs: Runs, window: Window) -> None:
        lows = np.column_stack([runs.x + window.x, runs.y + window.y])
        highs = np.column_stack([runs.right + window.x, runs.y + window.y + 1])
        boxes, slots = self.boxes, runs.slots
        boxes[slots, :2] = np.minimum(boxes[slots, :2], np.minimum.reduceat(lows, runs.firsts))
        boxes[slots, 2:] = np.maximum(boxes[slots, 2:], np.maximum.reduceat(highs, runs.firsts))

    def _add_border(self, wide: NDArray[np.int32]) -> None:
        """Count the border pixels of a tile by how they go on."""
        ids = np.ascontiguousarray(wide[1:-1, 1:-1])
        border = np.zeros(ids.shape, bool)
        for down, across in _BESIDE:
            border |= ids != _shifted(wide, down, across)
        border &= ids != 0
        at = np.flatnonzero(np.pad(border[1:-1, 1:-1], 1))
        flat, width = np.where(border, ids, 0).ravel(), ids.shape[1]
        own = flat[at]
        code = np.ones(len(at), np.intp)
        for step, neighbours in ((2, _BESIDE), (10, _ACROSS)):
            for down, across in neighbours:
                code += step * (flat[at + down * width + across] == own)
        slots, is_known = slots_of(own, self._ids)
        np.add.at(self._steps, (slots[is_known], _KINDS[code][is_known]), 1)


def _shifted(wide: NDArray[np.int32], down: int, across: int) -> NDArray[np.int32]:
    """Return the neighbours of all pixels but the outermost ones."""
    rows, columns = wide.shape
    return wide[1 + down : rows - 1 + down, 1 + across : columns - 1 + across]
