"""Shapes as pixels: a pixel belongs to a shape that holds its centre."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window

Mask = NDArray[np.bool_]
Point = tuple[float, float]


def capsule(start: Point, end: Point, radius: float, inside: Window) -> tuple[Window, Mask]:
    """Return the pixels whose centre is within ``radius`` of a line between two points.

    Parameters
    ----------
    inside
        Pixels outside this window are left out.

    Returns
    -------
    window
        The smallest one around the pixels; empty when there are none.
    mask
        Of the window's shape.
    """
    (x0, y0), (x1, y1) = start, end
    top = max(inside.y, int(np.floor(min(y0, y1) - radius)))
    bottom = min(inside.bottom, int(np.ceil(max(y0, y1) + radius)))
    centres = np.arange(top, bottom) + 0.5
    low, high = np.full(len(centres), np.inf), np.full(len(centres), -np.inf)
    for x, y in (start, end):
        _widen_by_disc(low, high, centres, (x, y, radius))
    length = float(np.hypot(x1 - x0, y1 - y0))
    if length:
        nx, ny = -(y1 - y0) / length * radius, (x1 - x0) / length * radius
        corners = ((x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny))
        _widen_by_corners(low, high, centres, corners)
    return _between(low, high, top, inside)


class Polygon:
    """The pixels whose centre lies in a polygon; parts it covers twice are holes.

    Parameters
    ----------
    xy
        (N, 2) corners; the last one is joined to the first.
    inside
        Pixels outside this window are left out.

    Attributes
    ----------
    window
        The smallest one around the pixels' rows and columns; empty when there are none.
    """

    def __init__(self, xy: NDArray[Any], inside: Window) -> None:
        self._rows, self._starts, self._stops = _spans(np.asarray(xy, np.float64), inside)
        self.window = Window(0, 0, 0, 0)
        if len(self._rows):
            x, y = int(self._starts.min()), int(self._rows[0])
            right, bottom = int(self._stops.max()), int(self._rows[-1]) + 1
            self.window = Window(x, y, right - x, bottom - y)

    def mask(self, window: Window) -> Mask:
        """Return which pixels of a window are in it."""
        mask = np.zeros(window.shape, np.bool_)
        some = slice(*np.searchsorted(self._rows, (window.y, window.bottom)))
        rows = self._rows[some] - window.y
        starts = np.maximum(self._starts[some] - window.x, 0)
        stops = np.maximum(self._stops[some] - window.x, 0)
        for row, start, stop in zip(rows.tolist(), starts.tolist(), stops.tolist(), strict=True):
            mask[row, start:stop] = True
        return mask


def _widen_by_disc(
    low: NDArray[Any], high: NDArray[Any], centres: NDArray[Any], disc: tuple[float, float, float]
) -> None:
    x, y, radius = disc
    square = radius**2 - (centres - y) ** 2
    half = np.sqrt(np.maximum(square, 0))
    np.minimum(low, x - half, out=low, where=square >= 0)
    np.maximum(high, x + half, out=high, where=square >= 0)


def _widen_by_corners(
    low: NDArray[Any], high: NDArray[Any], centres: NDArray[Any], corners: tuple[Point, ...]
) -> None:
    """Widen the span of each row to where the edges of a convex polygon cross it."""
    for (xa, ya), (xb, yb) in zip(corners, corners[1:] + corners[:1], strict=True):
        if ya == yb:
            continue
        share = (centres - ya) / (yb - ya)
        crosses = (share >= 0) & (share <= 1)
        x = xa + share * (xb - xa)
        np.minimum(low, x, out=low, where=crosses)
        np.maximum(high, x, out=high, where=crosses)


def _between(
    low: NDArray[Any], high: NDArray[Any], top: int, inside: Window
) -> tuple[Window, Mask]:
    """Return the pixels whose centre lies between two x in each row from ``top`` on."""
    low, high = np.where(low > high, 0, low), np.where(low > high, -1, high)
    starts = np.maximum(np.ceil(low - 0.5), inside.x).astype(np.int32)
    stops = np.minimum(np.floor(high - 0.5) + 1, inside.right).astype(np.int32)
    used = np.flatnonzero(stops > starts)
    if not len(used):
        return Window(0, 0, 0, 0), np.zeros((0, 0), np.bool_)
    starts, stops = (part[used[0] : used[-1] + 1, np.newaxis] for part in (starts, stops))
    has_any = stops > starts
    x = int(starts[has_any].min())
    columns = np.arange(x, int(stops[has_any].max()), dtype=np.int32)
    mask = columns >= starts
    mask &= columns < stops
    return Window(x, top + int(used[0]), len(columns), len(mask)), mask


def _spans(
    xy: NDArray[np.float64], inside: Window
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return row, first column and end column of each run of pixels in a polygon."""
    rows, x = _crossings(xy, np.roll(xy, -1, axis=0))
    order = np.lexsort((x, rows))
    columns = np.ceil(x[order] - 0.5).astype(np.int64)
    starts, stops = np.maximum(columns[0::2], inside.x), np.minimum(columns[1::2], inside.right)
    rows = rows[order][0::2]
    filled = (stops > starts) & (rows >= inside.y) & (rows < inside.bottom)
    return rows[filled], starts[filled], stops[filled]


def _crossings(
    ends_a: NDArray[np.float64], ends_b: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return row and x of each place where an edge crosses the middle of a row of pixels."""
    first = np.ceil(np.minimum(ends_a[:, 1], ends_b[:, 1]) - 0.5).astype(np.int64)
    stop = np.ceil(np.maximum(ends_a[:, 1], ends_b[:, 1]) - 0.5).astype(np.int64)
    count = stop - first
    edge = np.repeat(np.arange(len(count)), count)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    (xa, ya), (xb, yb) = ends_a[edge].T, ends_b[edge].T
    return rows, xa + (rows + 0.5 - ya) / (yb - ya) * (xb - xa)
