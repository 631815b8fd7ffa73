"""Paint under a brush where pixels lie in a range."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt

from segdesk.core.progress import Report
from segdesk.engine.document import Document
from segdesk.engine.operations import difference
from segdesk.engine.threshold import Place, Stroke, paint_range
from segdesk.gui.tools.base import Pointer
from segdesk.gui.tools.drafting import edit_beside
from segdesk.gui.tools.painting import continued, layer_for
from segdesk.gui.tools.prompting import ScribbleTool


class ThresholdBrush(ScribbleTool):
    """A stroke paints the pixels under it whose values are in the range of the last threshold."""

    def press(self, at: Pointer) -> None:
        """Start a stroke, if there is a range."""
        if not self.editor.range:
            self.editor.message.emit("Choose a range of values first: Operations > Threshold.")
        elif at.button == Qt.MouseButton.LeftButton and layer_for(self.editor):
            super().press(at)

    def finish(self) -> None:
        """Paint under the stroke as it is."""
        path, self._path = self._path, []
        layer, within = layer_for(self.editor) if path else None, self.editor.range
        if not layer or not within:
            return
        stroke = Stroke(np.array(path), self.editor.radius)
        segment = continued(self.editor, layer, path[0])
        place = Place(
            layer.id,
            stroke.window(),
            self.editor.frame,
            stroke=stroke,
            segment_id=segment.id if segment else 0,
        )
        category = self.editor.category

        def paint(draft: Document, report: Report) -> str:
            before = dict(draft.layer(place.layer_id).areas)
            paint_range(draft, place, within, category, report)
            return difference(before, draft.layer(place.layer_id).areas)

        edit_beside(self.stage, "Threshold brush", paint, str)
