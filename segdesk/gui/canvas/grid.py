"""Draws lines between the pixels of the image where they are large."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from segdesk.core.geometry import Window
from segdesk.gui.canvas.overlay import image_of
from segdesk.gui.canvas.view import View

GRID_SCALE = 12  # logical pixels of the screen per pixel of the image
_LINE = np.uint32(0x6E373737)  # premultiplied ARGB


def paint_grid(painter: QPainter, image: Window, view: View, rect: QRect) -> None:
    """Draw the lines between pixels that cross a rectangle of device pixels."""
    area = rect.intersected(view.device_rect(image))
    if area.isEmpty():
        return
    seen = view.window(area)
    lines = np.zeros((area.height(), area.width()), np.uint32)
    columns = [view.first_column(x) - area.x() for x in range(seen.x, seen.right + 1)]
    rows = [view.first_row(y) - area.y() for y in range(seen.y, seen.bottom + 1)]
    lines[:, [column for column in columns if 0 <= column < area.width()]] = _LINE
    lines[[row for row in rows if 0 <= row < area.height()]] = _LINE
    painter.drawImage(area.topLeft(), image_of(lines))
