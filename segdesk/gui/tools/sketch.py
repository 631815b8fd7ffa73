"""How outlines and prompts are drawn, so that they can be seen on any image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from segdesk.core.geometry import Window
from segdesk.core.palette import distinct_colour
from segdesk.core.prompts import Box, Points, Prompt, Scribble
from segdesk.core.segmentation import Category

LIGHT = QColor(255, 255, 255)
_DARK = QColor(0, 0, 0, 215)
_DOT = 6.0  # radius, logical pixels
_SCRIBBLE_ALPHA = 160
_SHADE_ALPHA = 0.6


class Sketch:
    """A painter that counts in level-0 pixels; what it draws is as thick at any zoom.

    Parameters
    ----------
    scale
        Device pixels per level-0 pixel.
    ratio
        Device pixels per logical pixel of the screen.
    """

    def __init__(self, painter: QPainter, scale: float, ratio: float) -> None:
        self.painter = painter
        self.pixel = ratio / scale  # level-0 pixels per logical pixel of the screen
        self._ratio = ratio

    def outline(
        self, path: QPainterPath, colour: QColor = LIGHT, style: Qt.PenStyle = Qt.PenStyle.SolidLine
    ) -> None:
        """Draw a thin line with a dark one around it."""
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.setPen(self._pen(_DARK, 3.0))
        self.painter.drawPath(path)
        self.painter.setPen(self._pen(colour, 1.5, style))
        self.painter.drawPath(path)

    def circle(self, x: float, y: float, radius: float) -> None:
        """Draw the outline of a circle."""
        path = QPainterPath()
        path.addEllipse(QPointF(x, y), radius, radius)
        self.outline(path)

    def handle(self, x: float, y: float, is_hot: bool = False) -> None:
        """Draw a corner that the user has set."""
        half = (4.5 if is_hot else 3.0) * self.pixel
        self.painter.setPen(self._pen(_DARK, 1.0))
        self.painter.setBrush(LIGHT)
        self.painter.drawRect(QRectF(x - half, y - half, 2 * half, 2 * half))

    def dot(self, x: float, y: float, colour: QColor, is_positive: bool) -> None:
        """Draw a point with a plus or a minus in it."""
        radius, bar = _DOT * self.pixel, _DOT * self.pixel * 0.5
        self.painter.setBrush(colour if is_positive else QColor(30, 30, 30))
        self.painter.setPen(self._pen(_DARK, 3.5))
        self.painter.drawEllipse(QPointF(x, y), radius, radius)
        self.painter.setPen(self._pen(LIGHT if is_positive else colour, 1.5))
        self.painter.drawEllipse(QPointF(x, y), radius, radius)
        self.painter.setPen(self._pen(LIGHT, 2.0))
        self.painter.drawLine(QPointF(x - bar, y), QPointF(x + bar, y))
        if is_positive:
            self.painter.drawLine(QPointF(x, y - bar), QPointF(x, y + bar))

    def box(self, corner: QPointF, opposite: QPointF, colour: QColor) -> None:
        """Draw a rectangle with a faint inside."""
        rect = QRectF(corner, opposite).normalized()
        inside = QColor(colour)
        inside.setAlpha(36)
        self.painter.fillRect(rect, inside)
        path = QPainterPath()
        path.addRect(rect)
        self.outline(path, colour)

    def scribble(self, xy: NDArray[Any], radius: float, colour: QColor) -> None:
        """Draw a stroke that lets the image shine through."""
        see_through = QColor(colour)
        see_through.setAlpha(_SCRIBBLE_ALPHA)
        cap, join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.setPen(QPen(see_through, 2 * radius, Qt.PenStyle.SolidLine, cap, join))
        self.painter.drawPath(path_of(xy))

    def prompt(self, prompt: Prompt, categories: tuple[Category, ...]) -> None:
        """Draw a prompt, if it is one that has a place."""
        if isinstance(prompt, Scribble):
            self.scribble(prompt.xy, prompt.radius, colour_of(prompt.category, categories))
        elif isinstance(prompt, Box):
            corner, opposite = QPointF(prompt.x0, prompt.y0), QPointF(prompt.x1, prompt.y1)
            self.box(corner, opposite, colour_of(prompt.category, categories))
        elif isinstance(prompt, Points):
            for (x, y), is_positive in zip(prompt.xy, prompt.positive, strict=True):
                self.dot(x, y, colour_of(prompt.category, categories), bool(is_positive))

    def shade(self, mask: NDArray[np.bool_], place: QRectF, colour: QColor) -> None:
        """Colour the pixels of a mask that is stretched over a rectangle."""
        alpha = np.zeros((mask.shape[0], -(-mask.shape[1] // 4) * 4), np.uint8)
        alpha[:, : mask.shape[1]] = mask
        image = QImage(alpha.data, *mask.shape[::-1], alpha.shape[1], QImage.Format.Format_Indexed8)
        faint = QColor(colour)
        faint.setAlphaF(_SHADE_ALPHA)
        image.setColorTable([0, faint.rgba()])
        self.painter.drawImage(place, image)

    def _pen(
        self, colour: QColor, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine
    ) -> QPen:
        pen = QPen(colour, width * self._ratio, style)
        pen.setCosmetic(True)
        return pen


def path_of(xy: NDArray[Any], is_closed: bool = False) -> QPainterPath:
    """Return the path through (N, 2) points; a single one becomes a line of no length."""
    points = [QPointF(x, y) for x, y in xy.tolist()]
    if len(points) == 1:
        points.append(QPointF(points[0].x() + 1e-3, points[0].y()))
    path = QPainterPath()
    path.addPolygon(QPolygonF(points))
    if is_closed:
        path.closeSubpath()
    return path


def staircase(window: Window, mask: NDArray[Any]) -> QPainterPath:
    """Return the edge of pixels that are one run in each row of a mask."""
    if not window:
        return QPainterPath()
    starts = mask.argmax(axis=1) + window.x
    stops = starts + mask.sum(axis=1)
    rows = np.arange(window.y, window.bottom + 1)
    down, up = np.repeat(rows, 2)[1:-1], np.repeat(rows, 2)[-2:0:-1]
    left, right = np.repeat(starts, 2), np.repeat(stops, 2)[::-1]
    xy = np.concatenate((np.stack((left, down), 1), np.stack((right, up), 1)))
    return path_of(xy.astype(np.float64), is_closed=True)


def reach(prompt: Prompt, pixel: float) -> QRectF:
    """Return the level-0 pixels that the picture of a prompt covers, roughly.

    Parameters
    ----------
    pixel
        Level-0 pixels per logical pixel of the screen.
    """
    margin = 2 * _DOT * pixel
    if isinstance(prompt, Box):
        corner, opposite = QPointF(prompt.x0, prompt.y0), QPointF(prompt.x1, prompt.y1)
        rect = QRectF(corner, opposite).normalized()
    elif isinstance(prompt, Points | Scribble) and len(prompt.xy):
        (x0, y0), (x1, y1) = prompt.xy.min(axis=0).tolist(), prompt.xy.max(axis=0).tolist()
        rect = QRectF(x0, y0, x1 - x0, y1 - y0)
        margin += prompt.radius if isinstance(prompt, Scribble) else 0
    else:
        return QRectF()
    return rect.adjusted(-margin, -margin, margin, margin)


def colour_of(category_id: int, categories: tuple[Category, ...]) -> QColor:
    """Return the colour in which prompts of a category are drawn."""
    for category in categories:
        if category.id == category_id:
            return QColor(*category.colour)
    return QColor(*distinct_colour(max(0, category_id - 1)))
