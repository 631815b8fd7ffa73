"""How often each value occurs, with two lines to drag: what is black, and what is white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

BINS = 256
_MARGIN = 8  # logical pixels to both sides


class Histogram(QWidget):
    """Counts on a logarithmic scale.

    Signals
    -------
    range_dragged
        Low and high as the user drags them.
    """

    range_dragged = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Histogram of the pixel values")
        self.setToolTip("Drag the lines: values left of them are black, right of them white")
        self._counts: NDArray[np.float64] = np.zeros(0)
        self._extent = (0.0, 1.0)
        self._range = (0.0, 1.0)
        self._dragged: int | None = None

    def sizeHint(self) -> QSize:
        """Return a flat rectangle."""
        return QSize(200, 96)

    def show_values(self, values: NDArray[Any]) -> None:
        """Count the finite ones of values of any shape."""
        finite = values[np.isfinite(values)].astype(np.float64)
        if not finite.size:
            self.clear()
            return
        low, high = float(finite.min()), float(finite.max())
        self._extent = (low, high if high > low else low + 1)
        counts, _ = np.histogram(finite, BINS, self._extent)
        self._counts = np.log1p(counts) / max(1.0, float(np.log1p(counts.max())))
        self.update()

    def clear(self) -> None:
        """Show nothing but the lines."""
        self._counts = np.zeros(0)
        self.update()

    def show_range(self, low: float, high: float) -> None:
        """Put the lines at two values."""
        self._range = (low, high)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the nearer line."""
        x = event.position().x()
        distances = [abs(self._x(value) - x) for value in self._range]
        self._dragged = distances.index(min(distances))
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the line; it cannot pass the other one."""
        if self._dragged is None:
            return
        value = self._value(event.position().x())
        low, high = (value, self._range[1]) if self._dragged == 0 else (self._range[0], value)
        if low < high:
            self._range = (low, high)
            self.range_dragged.emit(low, high)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the line go."""
        self._dragged = None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the counts, and the lines over them."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.setPen(palette.mid().color())
        painter.setBrush(palette.base())
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if self._counts.size:
            fill = QColor(palette.placeholderText().color())
            fill.setAlpha(150)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawPolygon(self._outline())
        for value in self._range:
            x = self._x(value)
            painter.setPen(QPen(palette.highlight().color(), 2))
            painter.drawLine(QPointF(x, 4), QPointF(x, self.height() - 4))
        painter.end()

    def _outline(self) -> QPolygonF:
        left, bottom = _MARGIN, self.height() - 4
        step = (self.width() - 2 * _MARGIN) / BINS
        height = self.height() - 10
        points = [QPointF(left, bottom)]
        for number, count in enumerate(self._counts):
            points.append(QPointF(left + (number + 0.5) * step, bottom - count * height))
        return QPolygonF([*points, QPointF(self.width() - _MARGIN, bottom)])

    def _x(self, value: float) -> float:
        low, high = self._extent
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return _MARGIN + share * (self.width() - 2 * _MARGIN)

    def _value(self, x: float) -> float:
        low, high = self._extent
        share = (x - _MARGIN) / max(1, self.width() - 2 * _MARGIN)
        return low + min(max(share, 0.0), 1.0) * (high - low)
