"""What the canvas shows, bottom to top: image, layers, prompts, pixel grid."""

from __future__ import annotations

from collections.abc import Collection
from time import perf_counter

from PySide6.QtCore import QMargins, QRect, QRectF
from PySide6.QtGui import QColor, QPainter, QTransform

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.prompts import is_on_frame
from segdesk.engine.document import Document, Update
from segdesk.engine.layer import Layer
from segdesk.engine.tiles import DisplayTiles
from segdesk.gui.canvas.colours import ColourTable
from segdesk.gui.canvas.grid import GRID_SCALE, paint_grid
from segdesk.gui.canvas.overlay import freshen, paint_plane
from segdesk.gui.canvas.overview_maker import OverviewMaker
from segdesk.gui.canvas.picture import paint_picture
from segdesk.gui.canvas.view import View
from segdesk.gui.tools.sketch import Sketch, reach

_CONTOUR = 1.5  # logical pixels
_PATIENCE = 0.004  # seconds to bring overviews of label maps up to date, a layer and rectangle


class Scene:
    """Paints a document on any rectangle of device pixels.

    Attributes
    ----------
    background
        Around the image.
    ratio
        Device pixels per logical pixel of the screen.
    """

    def __init__(self, maker: OverviewMaker) -> None:
        self._maker = maker
        self.tiles: DisplayTiles | None = None
        self.background = QColor(60, 60, 60)
        self.ratio = 1.0
        self._document: Document | None = None
        self._old_tiles: DisplayTiles | None = None
        self._unfinished: list[QRect] = []
        self._tables: dict[int, ColourTable] = {}

    @property
    def contour_width(self) -> int:
        """Device pixels of a contour."""
        return max(1, round(_CONTOUR * self.ratio))

    def show(self, document: Document | None, tiles: DisplayTiles | None) -> None:
        """Show another document, or none."""
        self._document, self.tiles = document, tiles
        self._old_tiles, self._tables = None, {}

    def replace_tiles(self, tiles: DisplayTiles | None) -> None:
        """Show the image in other colours; the old ones stay on show until the new are there."""
        self._old_tiles, self.tiles = self.tiles, tiles

    def forget_old_tiles(self) -> None:
        """Let go of tiles that nothing shows any more."""
        self._old_tiles = None

    def unfinished(self) -> list[QRect]:
        """Return the device pixels painted lately that were not up to date; they are, next time."""
        rects, self._unfinished = self._unfinished, []
        return rects

    def damage(self) -> SegdeskError | None:
        """Return why a part of a layer could not be shown; None where all of it can."""
        layers = self._document.layers if self._document else ()
        planes = (plane for layer in layers for plane in layer.planes)
        return next((why for plane in planes for why in plane.unreadable.values()), None)

    def recolour(self, selection: frozenset[int], update: Update | None = None) -> bool:
        """Follow the colours of the layers; say whether anything on show looks different.

        Parameters
        ----------
        update
            All that has changed, besides the selection; None: that is not known.
        """
        document = self._document
        layers = document.layers if document else ()
        known, self._tables = self._tables, {}
        changed = False
        for layer in layers:
            table = self._tables[layer.id] = known.get(layer.id, ColourTable())
            chosen = selection if document and layer is document.active else frozenset()
            touched: Collection[int] | None = None
            if update and layer.id in known:
                touched = update.segments if update.layer_id == layer.id else ()
            changed |= table.refresh(layer, chosen, touched)
        return changed

    def paint(self, painter: QPainter, view: View, rect: QRect) -> None:
        """Draw the device pixels of a rectangle; the painter counts in device pixels."""
        painter.setClipRect(rect)
        painter.fillRect(rect, self.background)
        if not self._document or not self.tiles:
            return
        paint_picture(painter, self.tiles, self._old_tiles, view, rect)
        for layer in self._document.layers:
            if layer.state.visible:
                self._paint_layer(painter, layer, view, rect)
        if view.scale >= GRID_SCALE * self.ratio:
            paint_grid(painter, self._document.image.info.window, view, rect)
        if self._document.prompts:
            self._paint_prompts(painter, self._document, view, rect)

    def _paint_layer(self, painter: QPainter, layer: Layer, view: View, rect: QRect) -> None:
        until, width = perf_counter() + _PATIENCE, self.contour_width
        wider = rect.marginsAdded(QMargins(width, width, width, width))
        for plane in layer.planes:
            if not self._maker.takes(plane, view) and not freshen(plane, view, wider, until):
                self._unfinished.append(rect)
            paint_plane(painter, plane, self._tables[layer.id], view, rect, width)

    def _paint_prompts(
        self, painter: QPainter, document: Document, view: View, rect: QRect
    ) -> None:
        categories = document.active.state.categories if document.active else ()
        sketch = Sketch(painter, view.scale, self.ratio)
        seen = _rectangle(view.window(rect))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setTransform(to_device(view))
        for prompt in document.prompts:
            if is_on_frame(prompt, view.frame) and reach(prompt, sketch.pixel).intersects(seen):
                sketch.prompt(prompt, categories)
        painter.restore()


def to_device(view: View) -> QTransform:
    """Return the transform from level-0 pixels to device pixels."""
    return QTransform(view.scale, 0, 0, view.scale, -view.left, -view.top)


def _rectangle(window: Window) -> QRectF:
    return QRectF(window.x, window.y, window.width, window.height)
