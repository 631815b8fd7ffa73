"""Draws the segments of a layer over the image, filled or as contours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QMargins, QRect
from PySide6.QtGui import QImage, QPainter

from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.gui.canvas.colours import Colours, ColourTable
from segdesk.gui.canvas.view import View

BLOCK = 256  # device pixels: small enough to stay in the processor's cache
_DASH_BITS = 2  # a dash is 4 device pixels long, and so is a gap

Ids = NDArray[np.int32]
Indices = NDArray[np.intp]


def paint_plane(
    painter: QPainter, plane: LabelMap, table: ColourTable, view: View, rect: QRect, width: int
) -> None:
    """Draw one plane of a layer, as far as its overview is up to date: see ``freshen``.

    Parameters
    ----------
    rect
        The device pixels to draw; no others are touched.
    width
        Of contours, device pixels; they lie inside their segment at any zoom.
    """
    margin = width if table.has_contours else 0
    for block in _blocks(rect.intersected(view.device_rect(plane.window))):
        ids, rows, columns = _read(plane, view, block.marginsAdded(QMargins(*[margin] * 4)))
        if (ids == ids[0, 0]).all():
            pixels = np.full((block.height(), block.width()), table.insides(ids[:1, :1]))
        elif margin:
            pixels = _outlined(stretched(ids, rows, columns), table, margin, view, block)
        else:
            pixels = _filled(ids, rows, columns, table)
        if pixels[0, 0] or pixels.any():
            painter.drawImage(block.topLeft(), image_of(pixels))


def freshen(plane: LabelMap, view: View, rect: QRect, until: float) -> bool:
    """Bring what some device pixels show of a plane up to date, as far as time allows.

    Returns whether all of it is up to date.
    """
    seen = rect.intersected(view.device_rect(plane.window))
    if view.label_level == 0 or seen.isEmpty():
        return True
    window = view.window(seen).padded(1).at_level(view.label_level)
    return plane.freshen(window, view.label_level, view.frame, until)


def stretched(pixels: NDArray, rows: Indices, columns: Indices) -> NDArray:
    """Return the pixels at some rows and columns, all of which there are."""
    if len(rows) < len(pixels):
        return pixels.take(rows, 0, mode="wrap").take(columns, 1, mode="wrap")
    return pixels.take(columns, 1, mode="wrap").take(rows, 0, mode="wrap")


def _read(plane: LabelMap, view: View, rect: QRect) -> tuple[Ids, Indices, Indices]:
    """Return the ids under some device pixels, and the row and column of each of those in them."""
    level = view.label_level
    columns = view.columns(rect.x(), rect.width()) >> level
    rows = view.rows(rect.y(), rect.height()) >> level
    x, y = int(columns[0]), int(rows[0])
    window = Window(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
    return plane.overview(level).look(window, view.frame), rows - y, columns - x


def _blocks(rect: QRect) -> Iterator[QRect]:
    for y in range(rect.top(), rect.top() + rect.height(), BLOCK):
        for x in range(rect.left(), rect.left() + rect.width(), BLOCK):
            yield QRect(x, y, BLOCK, BLOCK).intersected(rect)


def _filled(ids: Ids, rows: Indices, columns: Indices, table: ColourTable) -> Colours:
    """Return the colours of the insides, looked up where there are fewer pixels."""
    if ids.size < len(rows) * len(columns):
        return stretched(table.insides(ids), rows, columns)
    return table.insides(stretched(ids, rows, columns))


def _outlined(ids: Ids, table: ColourTable, margin: int, view: View, block: QRect) -> Colours:
    """Return the colours of a block, with contours; its ids reach beyond it by a margin."""
    rows, columns = ids.shape
    places = table.places(ids[margin : rows - margin, margin : columns - margin])
    part = _dashes(view, block) if table.has_dashes else np.int32(1)
    places += is_edge(ids, margin) * (part * np.int32(table.size))
    return table.colours.take(places, mode="wrap")


def is_edge(ids: Ids, margin: int) -> NDArray[np.bool_]:
    """Say of each id whether another one lies ``margin`` to the left, right, above or below."""
    rows, columns = ids.shape
    middle = slice(margin, rows - margin), slice(margin, columns - margin)
    inner = ids[middle]
    edge = inner != ids[middle[0], : columns - 2 * margin]
    edge |= inner != ids[middle[0], 2 * margin :]
    edge |= inner != ids[: rows - 2 * margin, middle[1]]
    edge |= inner != ids[2 * margin :, middle[1]]
    return edge


def _dashes(view: View, block: QRect) -> NDArray[np.int32]:
    """Return 1 on dashes and 2 in gaps; they stay in place on the image when it is moved."""
    x = np.arange(block.width(), dtype=np.int32) + (view.left + block.x())
    y = np.arange(block.height(), dtype=np.int32) + (view.top + block.y())
    return (x + y[:, np.newaxis] >> _DASH_BITS & 1) + 1


def image_of(pixels: Colours) -> QImage:
    """Return an image that shares the memory of (rows, columns) colours."""
    rows, columns = pixels.shape
    form = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(pixels.data, columns, rows, columns * 4, form)
