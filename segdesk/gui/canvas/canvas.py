"""The widget that shows the image with its layers."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QWidget

from segdesk.core.geometry import Window
from segdesk.engine.document import Update
from segdesk.engine.tiles import DisplayTiles, TileKey
from segdesk.gui.canvas.backing import Backing
from segdesk.gui.canvas.hands import Hands
from segdesk.gui.canvas.loader import TileLoader
from segdesk.gui.canvas.overview_maker import OverviewMaker
from segdesk.gui.canvas.picture import coarse_tiles, missing_tiles, picture_of
from segdesk.gui.canvas.scene import Scene, to_device
from segdesk.gui.canvas.view import View
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Lane
from segdesk.gui.tools.base import Picture
from segdesk.gui.tools.sketch import Sketch

Shade = tuple[NDArray[np.bool_], QRectF, QColor]  # a mask, where it lies, its colour
_FIT_MARGIN = 0.03
_LOOKS = 0.25  # seconds between two looks at what is being made
_CENTRED_SHARE = 0.5  # of the viewport that is filled, at most, by what is centred on
_NO_SEGMENT = Update("segments")  # of no layer: only the selection has changed
_PEN = 8  # device pixels by which a tool's outline may reach beyond the window that it names
_SAMPLING = 2  # device pixels by which a label may be drawn beside its place when zoomed out


class Canvas(QWidget):
    """Shows the editor's document; its tools change it.

    Signals
    -------
    cursor_moved
        The mouse is over this point of the image, level-0 pixels.
    view_changed
        Another part of the image is on show, or at another scale.
    first_frame_painted
        The first picture of an image is complete; emitted once.
    job_started
        A ``Job`` of a tool waits or runs: for the job bar.
    """

    cursor_moved = Signal(float, float)
    view_changed = Signal()
    first_frame_painted = Signal()
    job_started = Signal(object)
    _completed = Signal()  # not yet handed to the display
    _damage_seen = Signal(str)

    _hands: Hands | None = None  # until made; Qt sends events before that

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = editor
        self._view = View()
        self._is_fitted = True
        self._is_sharp = self._has_painted = self._has_told = False
        self._last_look = 0.0
        self._awaited: set[TileKey] = set()  # tiles on show that were missing in the last picture
        self._maker = OverviewMaker(self)
        self._scene = Scene(self._maker)
        self._backing = Backing()
        self._shade: Shade | None = None
        self.lane, self._tile_lane = Lane("tools"), Lane("canvas")  # no tool makes the tiles wait
        self._loader = TileLoader(self._tile_lane, self)
        self._hands = Hands(self)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._connect()
        self._take_background()
        self._on_document_changed()

    @property
    def scale(self) -> float:
        """Device pixels of the screen per level-0 pixel."""
        return self._view.scale

    @property
    def view(self) -> View:
        """What is on show."""
        return self._view

    @property
    def is_sharp(self) -> bool:
        """Whether the last picture was all that the image and the scale allow."""
        return self._is_sharp

    def visible_window(self) -> Window:
        """Return the level-0 pixels on show."""
        return self._view.window().intersection(self._image)

    def to_image(self, at: QPointF) -> tuple[float, float]:
        """Return where in the image the middle of the device pixel at a logical point lies."""
        ratio = self.devicePixelRatioF()
        return self._view.to_image(floor(at.x() * ratio) + 0.5, floor(at.y() * ratio) + 0.5)

    def fit(self) -> None:
        """Show the whole image, and go on to do so when the size changes."""
        scale = self._view.scale_to_fit(self._image, _FIT_MARGIN)
        view = self._view.zoomed(scale, 0, 0)
        self._set_view(view.centred(self._image.width / 2, self._image.height / 2))
        self._is_fitted = True

    @property
    def place(self) -> list[float]:
        """What part is on show: middle in level-0 pixels, and scale; empty when it is fitted."""
        if self._is_fitted:
            return []
        x, y = self._view.to_image(self._view.width / 2, self._view.height / 2)
        return [x, y, self.scale]

    def show_place(self, x: float, y: float, scale: float) -> None:
        """Show a point of the image in the middle, at a scale."""
        scale = self._view.allowed_scale(scale, self._image)
        self._set_view(self._view.zoomed(scale, 0, 0).centred(x, y).within(self._image))

    def actual_size(self) -> None:
        """Show a pixel of the image on each pixel of the screen."""
        self.zoom_by(1 / self.scale)

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom; a point of the canvas, by default its middle, keeps its place."""
        at = QPointF(self.rect().center()) if at is None else at
        ratio = self.devicePixelRatioF()
        scale = self._view.allowed_scale(self.scale * factor, self._image)
        view = self._view.zoomed(scale, at.x() * ratio, at.y() * ratio)
        self._set_view(view.within(self._image))

    def pan_by(self, dx: float, dy: float) -> None:
        """Push the image by logical pixels of the screen."""
        ratio = self.devicePixelRatioF()
        view = self._view.moved(round(dx * ratio), round(dy * ratio))
        self._set_view(view.within(self._image))

    def centre_on(self, window: Window) -> None:
        """Show a window of level-0 pixels with its surroundings, zoomed out if need be."""
        if window:
            scale = min(self.scale, self._view.scale_to_fit(window, 1 - _CENTRED_SHARE))
            middle = window.x + window.width / 2, window.y + window.height / 2
            view = self._view.zoomed(scale, 0, 0).centred(*middle)
            self._set_view(view.within(self._image))

    def picture(self) -> Picture:
        """Return what the image looks like on show, without layers."""
        return picture_of(self._scene.tiles, self._view)

    def show_shade(self, shade: Shade | None) -> None:
        """Show pixels in a colour above everything else; None: no longer."""
        self._shade = shade
        self.update()

    def redraw_tool(self, window: Window | None = None) -> None:
        """Draw what the tool draws anew; only in a window of level-0 pixels, if given."""
        if window is None:
            self.update()
        else:
            rect = self._view.device_rect(window).adjusted(-_PEN, -_PEN, _PEN, _PEN)
            self.update(_logical(rect.intersected(self._view.rect), self.devicePixelRatioF()))

    def end_jobs(self) -> None:
        """Cancel what goes on beside the window, and wait until it has ended."""
        self.lane.close()
        self._tile_lane.close()
        self._maker.close()

    # Qt's own.

    def sizeHint(self) -> QSize:
        """Return the size of a canvas that nobody has resized."""
        return QSize(800, 600)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Show the picture, and on it the tool's outline."""
        has_tiles = self._load_missing()
        ratio = self.devicePixelRatioF()
        painter = QPainter(self)
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawPixmap(0, 0, self._backing.picture(self._scene.paint))
        self._is_sharp = not self._go_on() and has_tiles and not self._maker.is_busy
        if self.editor.document:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setTransform(to_device(self._view), True)
            sketch = Sketch(painter, self.scale, ratio)
            if self._shade:
                sketch.shade(*self._shade)
            self._hands.draw(sketch)
        painter.end()
        if self._is_sharp and not self._has_painted:
            self._has_painted = True
            self._completed.emit()
        damage = self._scene.damage()
        if damage and not self._has_told:
            self._has_told = True
            self._damage_seen.emit(f"{damage} What cannot be read is shown as empty.")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle, or all of the image, on show."""
        self._adapt_size()

    def event(self, event: QEvent) -> bool:
        """Give the hands what the user does."""
        is_taken = self._hands is not None and self._hands.take(event)
        return is_taken or super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        """Take the background of another theme, or the resolution of another screen."""
        if event.type() == QEvent.Type.PaletteChange:
            self._take_background()
        elif event.type() == QEvent.Type.DevicePixelRatioChange:
            self._adapt_size()
        super().changeEvent(event)

    # Following the document.

    def _connect(self) -> None:
        self.editor.document_changed.connect(self._on_document_changed)
        self.editor.frame_changed.connect(self._on_frame_changed)
        self.editor.updated.connect(self._on_updated)
        self.editor.display_changed.connect(self._on_display_changed)
        self.editor.selection_changed.connect(lambda: self._recolour(_NO_SEGMENT))
        self._loader.loaded.connect(self._on_tiles_loaded)
        self._loader.failed.connect(self.editor.fail)
        queued = Qt.ConnectionType.QueuedConnection  # nothing else happens during a paint event
        self._completed.connect(self.first_frame_painted, queued)
        self._damage_seen.connect(self.editor.failed, queued)
        self._maker.made.connect(self._redraw)
        self._maker.failed.connect(self.editor.fail)
        for lane in (self.lane, self._tile_lane):
            self.destroyed.connect(lane.close)
            QCoreApplication.instance().aboutToQuit.connect(lane.close)

    def _on_document_changed(self) -> None:
        self._hands.reset()
        self._has_told = False
        self._view = replace(self._view, frame=self.editor.frame)
        self._scene.show(self.editor.document, self._new_tiles())
        self._scene.recolour(self.editor.selection)
        self.fit()
        self._redraw()

    def _on_frame_changed(self, frame: int) -> None:
        self._hands.finish()
        self._set_view(replace(self._view, frame=frame), self._is_fitted)
        self._on_display_changed()

    def _on_display_changed(self) -> None:
        self._scene.replace_tiles(self._new_tiles())
        self._redraw()

    def _on_updated(self, update: Update) -> None:
        if update.what == "tiles" and update.window is not None:
            if update.frame in (None, self._view.frame):
                self._mark(update.window, self._scene.contour_width + _SAMPLING)
        elif update.what == "segments":
            self._recolour(update)
        elif update.what != "history":
            self._scene.recolour(self.editor.selection)
            self._redraw()

    def _on_tiles_loaded(self, keys: list[TileKey]) -> None:
        tiles = self._scene.tiles
        finest = min((key[0] for key in self._awaited), default=0)
        coarser = [key for key in keys if key[0] > finest]  # they stand in for what is awaited
        if tiles and self._awaited:
            for key in coarser:
                self._backing.mark(self._view.device_rect(tiles.window_of(key)))
        if coarser or not self._awaited.isdisjoint(keys):
            self.update()

    def look_again(self) -> None:
        """Show what can be seen by now of an image whose overviews are being made."""
        self.update()
        now = perf_counter()
        if self._awaited and now - self._last_look > _LOOKS:
            self._last_look = now
            self._redraw()

    def _recolour(self, update: Update | None = None) -> None:
        if self._scene.recolour(self.editor.selection, update):
            self._redraw()

    def _new_tiles(self) -> DisplayTiles | None:
        document, display = self.editor.document, self.editor.display
        if not document or not display:
            return None
        return DisplayTiles(document.image, display, self._view.frame)

    def _load_missing(self) -> bool:
        """Have the tiles made that the view lacks and some around it; say if it lacks none."""
        tiles = self._scene.tiles
        if not tiles:
            self._loader.want(None, [])
            self._awaited = set()
            return False
        in_view, around = missing_tiles(tiles, self._view)
        ready = [key for key in in_view + around if tiles.can_make(key)]
        self._loader.want(tiles, coarse_tiles(tiles, in_view) + ready)
        for key in self._awaited.difference(in_view):
            self._backing.mark(self._view.device_rect(tiles.window_of(key)))
        self._awaited = {key for key in in_view if not self._loader.is_broken(key)}
        if not self._awaited:
            self._scene.forget_old_tiles()
        return not self._awaited

    def _go_on(self) -> bool:
        """Paint what was not up to date anew, after other events; say whether there is any."""
        unfinished = self._scene.unfinished()
        for rect in unfinished:
            self._backing.mark(rect)
        if unfinished:
            QTimer.singleShot(0, self, self.update)
        return bool(unfinished)

    # The view, and what of it is to be painted.

    @property
    def _image(self) -> Window:
        document = self.editor.document
        return document.image.info.window if document else Window(0, 0, 0, 0)

    def _set_view(self, view: View, is_fitted: bool = False) -> None:
        self._is_fitted = is_fitted
        if view != self._view:
            self._view = view
            self._backing.follow(view)
            self.update()
            self.view_changed.emit()

    def _adapt_size(self) -> None:
        """Follow the widget's size in device pixels."""
        was_fitted = self._is_fitted
        ratio = self._scene.ratio = self.devicePixelRatioF()
        self._set_view(self._view.resized(ceil(self.width() * ratio), ceil(self.height() * ratio)))
        if was_fitted:
            self.fit()

    def _take_background(self) -> None:
        window = self.palette().color(QPalette.ColorRole.Window)
        self._scene.background = window.darker(115)
        self._redraw()

    def _redraw(self) -> None:
        self._backing.mark(self._view.rect)
        self.update()

    def _mark(self, window: Window, margin: int = 0) -> None:
        """Have a window of level-0 pixels, and some device pixels around it, painted anew."""
        rect = self._view.device_rect(window).adjusted(-margin, -margin, margin, margin)
        self._backing.mark(rect)
        self.update(_logical(rect, self.devicePixelRatioF()))


def _logical(rect: QRect, ratio: float) -> QRect:
    """Return the logical pixels that some device pixels touch."""
    x, y = rect.x() / ratio, rect.y() / ratio
    return QRectF(x, y, rect.width() / ratio, rect.height() / ratio).toAlignedRect()
