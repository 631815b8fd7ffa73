"""Draws lines between the pixels of the image where they are large."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QPainter

from segdesk.core.geometry import Window
from segdesk.gui.canvas.view import View

GRID_SCALE = 12  # logical pixels of the screen per pixel of the image
_LINE = QColor(128, 128, 128, 110)


def paint_grid(painter: QPainter, image: Window, view: View, rect: QRect) -> None:
    """Draw the lines between pixels that cross a rectangle of device pixels."""
    area = rect.intersected(view.device_rect(image))
    if area.isEmpty():
        return
    seen = view.window(area).intersection(image)
    for column in range(seen.x, seen.right + 1):
        x = view.first_column(column)
        painter.fillRect(QRect(x, area.y(), 1, area.height()).intersected(area), _LINE)
    for row in range(seen.y, seen.bottom + 1):
        y = view.first_row(row)
        painter.fillRect(QRect(area.x(), y, area.width(), 1).intersected(area), _LINE)
