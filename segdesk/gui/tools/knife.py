"""Split segments along a line."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt

from segdesk.core.progress import Report
from segdesk.core.raster import Point
from segdesk.engine import regions
from segdesk.engine.document import Document
from segdesk.engine.regions import Target
from segdesk.gui.tools.base import Pointer, Stage, Tool
from segdesk.gui.tools.drafting import edit_beside
from segdesk.gui.tools.sketch import Sketch, path_of


class Knife(Tool):
    """A drag draws a line; with Shift a straight one. What it leads all the way through is split.

    Only what is selected is cut, or everything where nothing is.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._path: list[Point] = []

    @property
    def is_busy(self) -> bool:
        """Whether a line is being drawn."""
        return bool(self._path)

    def press(self, at: Pointer) -> None:
        """Start the line."""
        if at.button == Qt.MouseButton.LeftButton and self.editor.layer_to_paint():
            self._path = [at.xy]

    def move(self, at: Pointer) -> None:
        """Go on with the line."""
        if self._path:
            self._path = [*(self._path[:1] if at.shift else self._path), at.xy]
            self.stage.redraw_tool()

    def release(self, at: Pointer) -> None:
        """Cut."""
        self.finish()
        self.stage.redraw_tool()

    def finish(self) -> None:
        """Cut along the line as it is."""
        path, self._path = self._path, []
        document = self.editor.document
        layer = document.active if document else None
        if len(path) < 2 or not document or not layer:
            return
        chosen = self.editor.selection & layer.segments.keys()
        target = Target(layer.id, chosen or None, self.editor.frame)

        def cut(draft: Document, report: Report) -> dict[int, int]:
            return regions.cut(draft, target, np.array(path), report)

        edit_beside(self.stage, "Cut", cut, _words)

    def cancel(self) -> None:
        """Forget the line."""
        self._path = []

    def draw(self, sketch: Sketch, is_over: bool) -> None:
        """Draw the line."""
        if len(self._path) > 1:
            sketch.outline(path_of(np.array(self._path)))


def _words(parents: dict[int, int]) -> str:
    count = len(parents)
    if not count:
        return "Nothing was cut: the line leads through no segment."
    return f"{count} segment{'s' * (count != 1)} split off."
