"""Shapes between shapes, and segments carried from one frame to others."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.chosen import Chosen
from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, each, silent
from segdesk.core.raster import Mask

MOST = 2**25  # pixels of the window around a segment on two frames


def copy_to_next(labels: LabelMap, chosen: Chosen, report: Report = silent) -> LabelMap:
    """Return a label map in which segments also have the free pixels of the next frame.

    ``chosen.frame`` says which frame they are taken from.
    """
    frame = chosen.frame or 0
    if frame + 1 >= labels.frames:
        raise SegdeskError("This is the last frame: there is no next one to copy to.")
    result = labels.snapshot()
    for index in each(Chosen(chosen.ids, frame).indices(labels), report, "Copying"):
        window = labels.tile_window(index)
        ids = labels.read(window, 0, frame)
        there = labels.read(window, 0, frame + 1)
        result.write(window, ids, chosen.mask(ids) & (there == 0), frame + 1)
    return result


def fill_between(labels: LabelMap, chosen: Chosen, report: Report = silent) -> LabelMap:
    """Return a label map in which segments are interpolated on frames where they are absent.

    A segment on frames 3 and 7 gets shapes on 4, 5 and 6, where pixels are free. With
    ``chosen.frame`` only the gap in which that frame lies is filled. Raises ``SegdeskError`` when
    a segment spans more than ``MOST`` pixels.
    """
    result = labels.snapshot()
    windows = Chosen(chosen.ids).windows(labels)
    for segment, first, last in each(_gaps(windows, chosen.frame), report, "Interpolating"):
        window = windows[segment, first].union(windows[segment, last])
        if window.area > MOST:
            raise SegdeskError(
                f"Segment {segment} spans {window.width} x {window.height} pixels, too many to "
                "interpolate: split it first."
            )
        start, end = (labels.read(window, 0, frame) == segment for frame in (first, last))
        between = Between(start, end)
        for frame in range(first + 1, last):
            mask = between.at((frame - first) / (last - first))
            free = labels.read(window, 0, frame) == 0
            result.write(window, segment, mask & free, frame)
    return result


class Between:
    """The shapes that lead from one mask to another of the same array.

    The weighted mean of the signed distances to the edges of both (Raya and Udupa, "Shape-based
    interpolation of multidimensional objects", 1990): what both hold is always held, what neither
    holds never. Where the two do not touch, they are moved onto each other, centre on centre.
    """

    def __init__(self, start: Mask, end: Mask) -> None:
        self._way = np.zeros(2)
        self._shape = start.shape
        if not (start & end).any():
            self._way = _centre(end) - _centre(start)
        margin = np.ceil(np.abs(self._way)).astype(int) + 1
        pad = tuple((int(m), int(m)) for m in margin)
        self._margin = margin
        self._start = _signed_distance(_moved(np.pad(start, pad), np.zeros(2)))
        self._end = _signed_distance(_moved(np.pad(end, pad), -self._way))

    def at(self, share: float) -> Mask:
        """Return the mask at a share of the way, 0 at the start and 1 at the end."""
        mean = (1 - share) * self._start + share * self._end
        shape = _moved(mean > 0, self._way * share)
        rows, columns = self._margin
        height, width = self._shape
        return shape[rows : rows + height, columns : columns + width]


def _gaps(windows: dict[tuple[int, int], Window], frame: int | None) -> list[tuple[int, int, int]]:
    """Return (segment, last frame before, first frame after) of what lacks frames in between."""
    frames: dict[int, list[int]] = defaultdict(list)
    for segment, number in sorted(windows):
        frames[segment].append(number)
    return [
        (segment, first, last)
        for segment, numbers in frames.items()
        for first, last in pairwise(numbers)
        if last > first + 1 and (frame is None or first < frame < last)
    ]


def _signed_distance(mask: Mask) -> NDArray[np.float32]:
    """Return pixels to the edge, positive inside."""
    import cv2

    inside, outside = (
        cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for part in (mask, ~mask)
    )
    distance: NDArray[np.float32] = np.where(mask, inside - 0.5, 0.5 - outside)
    return distance


def _centre(mask: Mask) -> NDArray[np.float64]:
    return np.array([c.mean() for c in np.nonzero(mask)])


def _moved(mask: Mask, way: NDArray[Any]) -> Mask:
    """Return a mask moved by whole (rows, columns); what leaves the array must be empty."""
    rows, columns = np.rint(way).astype(int)
    moved: Mask = np.roll(mask, (int(rows), int(columns)), (0, 1))
    return moved
