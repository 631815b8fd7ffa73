"""Fill a region of equal pixels of the layer."""

from __future__ import annotations

from functools import partial
from math import floor

from PySide6.QtCore import Qt

from segdesk.core.flood import flood
from segdesk.core.geometry import Window
from segdesk.gui.tools.base import Pointer, Tool
from segdesk.gui.tools.painting import image_window, layer_for
from segdesk.gui.tools.shapes import Region, paint_region


class Fill(Tool):
    """A click paints the segment, or the background, as far as it hangs together there."""

    def press(self, at: Pointer) -> None:
        """Find the pixels, and paint them."""
        layer, image = layer_for(self.editor), image_window(self.editor)
        x, y = floor(at.x), floor(at.y)
        is_inside = bool(Window(x, y, 1, 1).intersection(image))
        if at.button == Qt.MouseButton.LeftButton and layer and is_inside:
            planes = layer.segmentation().planes
            parts = partial(flood, planes, x, y, self.editor.frame)
            paint_region(self.stage, "Fill", Region(image, parts), at.control)
