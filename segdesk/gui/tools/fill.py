"""Fill a region of equal pixels of the layer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import floor

from PySide6.QtCore import Qt

from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report
from segdesk.core.raster import Mask, contiguous
from segdesk.gui.tools.base import Pointer, Tool
from segdesk.gui.tools.painting import image_window, layer_for, paint_shape, top_ids

_QUICK = 2**22  # pixels that are looked at at once; more are on the lane
_MOST = 2**26  # pixels that are looked at at all; of a larger image it is what is on show


class Fill(Tool):
    """A click paints the segment, or the background, as far as it hangs together there."""

    def press(self, at: Pointer) -> None:
        """Find the pixels, and paint them."""
        layer, within = layer_for(self.editor), self._within()
        pixel = floor(at.x), floor(at.y)
        is_inside = bool(Window(*pixel, 1, 1).intersection(within))
        if at.button != Qt.MouseButton.LeftButton or not layer or not is_inside:
            return
        find = partial(_region, layer.segmentation().planes, self.editor.frame, within, pixel)
        if within.area <= _QUICK:
            paint_shape(self.editor, "Fill", *find(), at.control)
        else:
            self._submit(find, at.control)

    def _within(self) -> Window:
        image = image_window(self.editor)
        return image if image.area <= _MOST else self.stage.visible_window()

    def _submit(self, find: partial[tuple[Window, Mask]], is_new: bool) -> None:
        """Find the pixels on the lane, and paint them if nothing has changed by then."""
        document, frame = self.editor.document, self.editor.frame
        version = document.version if document else 0

        def paint(region: tuple[Window, Mask]) -> None:
            is_same = document is self.editor.document and self.editor.frame == frame
            if is_same and document and document.version == version:
                paint_shape(self.editor, "Fill", *region, is_new)
            else:
                self.editor.message.emit("Not filled: the layer has changed meanwhile.")

        self.stage.lane.submit(find, "Fill").succeeded.connect(paint)


def _region(
    planes: Sequence[LabelMap],
    frame: int,
    within: Window,
    pixel: tuple[int, int],
    report: Report | None = None,
) -> tuple[Window, Mask]:
    """Return the pixels of the same topmost segment that hang together with one."""
    x, y = pixel[0] - within.x, pixel[1] - within.y
    ids = top_ids(planes, within, frame)
    window, mask = contiguous(ids == ids[y, x], x, y)
    return window.shifted(within.x, within.y), mask
