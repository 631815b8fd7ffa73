"""Filling holes of segments: exact for any size, within a bound on memory."""

from __future__ import annotations

import numpy as np

from segdesk.core.chosen import Chosen
from segdesk.core.components import find_components
from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, each, silent
from segdesk.core.raster import Mask

AT_ONCE = 2**22  # pixels of a segment's window that are looked at as one array


def fill_holes(
    labels: LabelMap, chosen: Chosen, up_to: int = 0, report: Report = silent
) -> LabelMap:
    """Return a label map in which free pixels in holes of segments belong to them.

    A hole is what a segment encloses on one frame: the pixels of its complement, joined by their
    sides, that reach neither its surroundings nor the edge of the image. Other segments in it
    stay. Where holes lie in each other, the innermost segment has them.

    Parameters
    ----------
    up_to
        The largest hole to fill, in pixels; 0 for any.
    """
    result = labels.snapshot()
    windows = chosen.windows(labels)
    outer_first = sorted(windows, key=lambda key: -windows[key].area)
    for segment, frame in each(outer_first, report, "Filling holes"):
        window = windows[segment, frame]
        if window.area <= AT_ONCE:
            ids = labels.read(window, 0, frame)
            holes = _holes(ids == segment, up_to) & (ids == 0)
            if holes.any():
                result.write(window, segment, holes, frame)
        else:
            _fill_by_tiles(labels, result, (segment, frame), window, up_to)
    return result


def _holes(mask: Mask, up_to: int) -> Mask:
    """Return the pixels in holes of a mask, which touches all sides of its array."""
    import cv2

    outside = (~mask).astype(np.uint8)
    _, numbers, facts, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    left, top, width, height, area = facts.T
    is_outside = (left == 0) | (top == 0)
    is_outside |= (left + width == mask.shape[1]) | (top + height == mask.shape[0])
    is_hole = ~is_outside & ((area <= up_to) | (up_to == 0))
    is_hole[0] = False
    holes: Mask = is_hole[numbers]
    return holes


def _fill_by_tiles(
    labels: LabelMap, result: LabelMap, key: tuple[int, int], window: Window, up_to: int
) -> None:
    """Fill the holes of one segment on one frame, given the window around it."""
    segment, frame = key
    outside = _complement(labels, segment, frame, window)
    components = find_components(outside, Chosen(), 4)
    is_hole = (components.areas <= up_to) | (up_to == 0)
    for edge in _edges(window):
        is_hole[components.read(edge)] = False
    is_hole[0] = False
    for index in components.indices() if is_hole.any() else ():
        part = outside.tile_window(index)
        holes = is_hole[components.read(part)]
        if holes.any():
            result.write(part, segment, holes & (labels.read(part, 0, frame) == 0), frame)


def _complement(labels: LabelMap, segment: int, frame: int, window: Window) -> LabelMap:
    """Return a label map of one frame that is 1 in a window where a segment is not."""
    complement = LabelMap(labels.width, labels.height)
    complement.write(window, 1)
    for index in Chosen(frozenset({segment}), frame).indices(labels):
        part = labels.tile_window(index)
        complement.write(part, 0, labels.read(part, 0, frame) == segment)
    return complement


def _edges(window: Window) -> tuple[Window, ...]:
    return (
        Window(window.x, window.y, window.width, 1),
        Window(window.x, window.bottom - 1, window.width, 1),
        Window(window.x, window.y, 1, window.height),
        Window(window.right - 1, window.y, 1, window.height),
    )
