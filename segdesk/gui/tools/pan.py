"""Move the image."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from segdesk.gui.tools.base import Pointer, Stage, Tool


class Pan(Tool):
    """Pushes the image around."""

    cursor = Qt.CursorShape.OpenHandCursor

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._from: QPointF | None = None

    def press(self, at: Pointer) -> None:
        """Take hold of the image."""
        self._from = at.screen

    def move(self, at: Pointer) -> None:
        """Push it along."""
        if self._from is not None:
            by = at.screen - self._from
            self._from = at.screen
            self.stage.pan_by(by.x(), by.y())

    def release(self, at: Pointer) -> None:
        """Let go of it."""
        self._from = None

    def finish(self) -> None:
        """Let go of it."""
        self._from = None
