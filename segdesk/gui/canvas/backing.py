"""The pixels on show, kept: what stays is moved, and only what changed is painted anew."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPixmap, QRegion

from segdesk.gui.canvas.view import View

_MANY = 8  # rectangles, from which on one around them is quicker


class Backing:
    """A picture of a view that follows it."""

    def __init__(self) -> None:
        self._pixmap = QPixmap()
        self._view = View()
        self._dirty = QRegion()

    def follow(self, view: View) -> None:
        """Move what another view shows as well; the rest is to be painted."""
        last, self._view = self._view, view
        if self._pixmap.size() != view.rect.size():
            self._pixmap = QPixmap(view.rect.size())
            self.mark(view.rect)
        elif last.scale != view.scale:
            self.mark(view.rect)
        else:
            self._scroll(last, view)

    def mark(self, rect: QRect) -> None:
        """Have some device pixels painted anew."""
        self._dirty += rect.intersected(self._view.rect)

    def picture(self, paint: Callable[[QPainter, View, QRect], None]) -> QPixmap:
        """Return the picture, after what is to be painted has been."""
        if not self._dirty.isEmpty() and not self._pixmap.isNull():
            painter = QPainter(self._pixmap)
            for rect in self._rects():
                paint(painter, self._view, rect)
            painter.end()
            self._dirty = QRegion()
        return self._pixmap

    def _scroll(self, last: View, view: View) -> None:
        by = view.offset_from(last)
        kept = view.rect.translated(by).intersected(view.rect)
        if by.isNull():
            return
        if not kept.isEmpty():
            self._pixmap.scroll(by.x(), by.y(), self._pixmap.rect())
        self._dirty.translate(by)
        self._dirty = self._dirty.intersected(view.rect) + (QRegion(view.rect) - QRegion(kept))

    def _rects(self) -> list[QRect]:
        if self._dirty.rectCount() > _MANY:
            return [self._dirty.boundingRect()]
        return list(self._dirty)
