"""Keeps in the project how each image is shown, and shows it so again."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QTimer

from segdesk.gui.canvas import Canvas
from segdesk.gui.keeping import Keeping
from segdesk.gui.shelf import Entry, Shelf

PAUSE_MS = 3000  # the view is kept once it has not changed for so long


class Views(QObject):
    """Frame, part on show, display and active layer of the project's images."""

    def __init__(self, canvas: Canvas, shelf: Shelf, keeping: Keeping) -> None:
        super().__init__(canvas)
        self._canvas, self._editor = canvas, canvas.editor
        self._shelf, self._keeping = shelf, keeping
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self.keep)
        self._editor.document_changed.connect(self._restore)
        for signal in (canvas.view_changed, self._editor.frame_changed):
            signal.connect(self._on_view_changed)
        self._editor.display_changed.connect(self._on_view_changed)

    def keep(self) -> None:
        """Keep how the image on show is shown, and that it is on show."""
        entry, project = self._shelf.current, self._keeping.project
        if not entry or not entry.image or not project or project.read_only_origin:
            return
        project.set_view(entry.image.id, self._view(entry))
        for image in project.images:
            if image.view.get("on_show") and image is not entry.image:
                project.set_view(image.id, {**image.view, "on_show": False})

    def _view(self, entry: Entry) -> dict[str, Any]:
        from segdesk.engine.project.codec import plain

        active = entry.document.active
        return {
            "on_show": True,
            "frame": self._editor.frame,
            "place": self._canvas.place,
            "display": plain(self._editor.display),
            "layer": active.id if active else 0,
        }

    def _restore(self) -> None:
        """Show the image that has come on show as it was."""
        entry = self._shelf.current
        view = entry.image.view if entry and entry.image else {}
        frame, place, layer = view.get("frame"), view.get("place"), view.get("layer")
        if entry and isinstance(layer, int) and any(o.id == layer for o in entry.document.layers):
            entry.document.activate(layer)
        if isinstance(frame, int):
            self._editor.set_frame(frame)
        if isinstance(place, list) and len(place) == 3 and all(map(_is_number, place)):
            self._canvas.show_place(*place)

    def _on_view_changed(self) -> None:
        self._pause.start()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e12
