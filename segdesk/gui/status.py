"""The right end of the status bar: what is under the cursor, zoom and size of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QLabel, QStatusBar

from segdesk.core.errors import ImageError
from segdesk.core.geometry import Window
from segdesk.engine.document import Document
from segdesk.gui.job_bar import JobBar
from segdesk.gui.keeping import State
from segdesk.gui.meter import MemoryMeter

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow

MESSAGE_MS = 6000
KEPT: dict[State, str] = {"": "", "kept": "Kept", "keeping": "Keeping…", "failing": "Not kept"}


class Status:
    """Labels of fixed roles, so that nothing jumps while the mouse moves."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._bar: QStatusBar = window.statusBar()
        self._bar.setSizeGripEnabled(False)
        self.jobs = JobBar()
        self._bar.addPermanentWidget(self.jobs)
        self.memory = MemoryMeter(window.bench.segmenting.workers)
        self._bar.addPermanentWidget(self.memory)
        self.kept = self._add("Whether all edits are safe on the disk", "Keeping…")
        self._segment = self._add("Segment under the cursor", "")
        self._value = self._add("Pixel values under the cursor", "")
        self._cursor = self._add("Cursor in pixels", "x 00000  y 00000")
        self._zoom = self._add("Zoom", "0000 %")
        self._size = self._add("Size of the image", "")
        window.canvas.cursor_moved.connect(self._on_cursor_moved)
        window.canvas.view_changed.connect(self._show_zoom)
        window.editor.document_changed.connect(self._on_document_changed)
        window.editor.message.connect(self._on_message)
        for signal in (window.editor.updated, window.bench.keeping.state_changed):
            signal.connect(self._on_edited)

    def _add(self, name: str, widest: str) -> QLabel:
        label = QLabel()
        label.setAccessibleName(name)
        label.setToolTip(name)
        label.setContentsMargins(6, 0, 6, 0)
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest))
        self._bar.addPermanentWidget(label)
        return label

    def _on_message(self, text: str) -> None:
        self._bar.showMessage(text, MESSAGE_MS)

    def _on_document_changed(self) -> None:
        document = self._window.editor.document
        self._size.setText(image_in_words(document) if document else "")
        for label in (self._cursor, self._value, self._segment):
            label.clear()
        self._show_zoom()

    def _on_edited(self) -> None:
        keeping = self._window.bench.keeping
        self.kept.setText(KEPT[keeping.state])
        self.kept.setToolTip(keeping.problem or "Every edit is written to the disk at once.")

    def _show_zoom(self) -> None:
        has_image = self._window.editor.document is not None
        self._zoom.setText(zoom_in_words(self._window.canvas.scale) if has_image else "")

    def _on_cursor_moved(self, x: float, y: float) -> None:
        editor = self._window.editor
        column, row = int(np.floor(x)), int(np.floor(y))
        document = editor.document
        info = document.image.info if document else None
        if not document or not info or not (0 <= column < info.width and 0 <= row < info.height):
            for label in (self._cursor, self._value, self._segment):
                label.clear()
            return
        self._cursor.setText(f"x {column}  y {row}")
        self._value.setText(value_at(document, column, row, editor.frame))
        self._segment.setText(segment_at(document, column, row, editor.frame))


def zoom_in_words(scale: float) -> str:
    """Return screen pixels for each pixel of the image in percent, with three digits or more."""
    percent = scale * 100
    return f"{percent:,.0f} %" if percent >= 100 else f"{percent:.3g} %"


def image_in_words(document: Document) -> str:
    """Return size, bands and dtype of an image, and the size of a pixel if that is known."""
    info = document.image.info
    bands = "" if info.bands == 1 else f" x {info.bands}"
    frames = "" if info.frames == 1 else f"  {info.frames} frames"
    unit = (info.unit or "").replace("um", "µm")
    pixel = f"  {info.spacing[0]:.4g} {unit}/px" if info.spacing and unit else ""
    return f"{info.width} x {info.height}{bands}  {info.dtype}{frames}{pixel}"


def value_at(document: Document, column: int, row: int, frame: int) -> str:
    """Return the values of a pixel in all bands; empty when they cannot be read."""
    try:
        pixel = document.image.read(Window(column, row, 1, 1), 0, frame)[0, 0]
    except ImageError:
        return ""
    shown = [f"{value:g}" for value in pixel[:6].tolist()]
    return ", ".join(shown) + (", …" if len(pixel) > len(shown) else "")


def segment_at(document: Document, column: int, row: int, frame: int) -> str:
    """Return the segment of the active layer at a pixel, in words."""
    layer = document.active
    segment = layer.segments.get(layer.segment_at(column, row, frame)) if layer else None
    if not layer or not segment:
        return ""
    category = layer.state.category(segment.category)
    return f"{category.name if category else segment.category}  #{segment.id}"
