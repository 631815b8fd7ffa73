"""Select segments."""

from __future__ import annotations

from math import floor

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from segdesk.engine import edits
from segdesk.engine.layer import Layer
from segdesk.gui.tools.base import Pointer, Tool


class Select(Tool):
    """A click selects the segment under the cursor; one on another layer makes that the active."""

    cursor = Qt.CursorShape.ArrowCursor

    def press(self, at: Pointer) -> None:
        """Select; with Shift add to the selection, or take out of it."""
        layer, segment_id = self._find(floor(at.x), floor(at.y))
        if layer is None:
            if not at.shift:
                self.editor.select(frozenset())
            return
        document = self.editor.document
        if document:
            document.activate(layer.id)
        chosen = frozenset({segment_id})
        self.editor.select(self.editor.selection ^ chosen if at.shift else chosen)

    def key(self, event: QKeyEvent) -> bool:
        """Delete what is selected."""
        document, chosen = self.editor.document, self.editor.selection
        if event.key() != Qt.Key.Key_Delete or not document or not document.active or not chosen:
            return False
        self.editor.attempt(edits.delete_segments, document, document.active.id, set(chosen))
        self.editor.select(frozenset())
        return True

    def _find(self, x: int, y: int) -> tuple[Layer | None, int]:
        """Return the segment at a pixel, of the active layer before those above and below it."""
        document = self.editor.document
        if not document:
            return None, 0
        layers = list(reversed(document.layers))
        layers.sort(key=lambda layer: layer is not document.active)
        for layer in layers:
            segment_id = layer.segment_at(x, y, self.editor.frame) if layer.state.visible else 0
            if segment_id:
                return layer, segment_id
        return None, 0
