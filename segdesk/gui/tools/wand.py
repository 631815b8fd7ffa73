"""Paint a region of similar colour."""

from __future__ import annotations

from functools import partial
from math import floor

import numpy as np
from PySide6.QtCore import QRectF, Qt

from segdesk.core.geometry import Window
from segdesk.core.raster import Mask
from segdesk.gui.tools.base import Picture, Pointer, Stage, Tool
from segdesk.gui.tools.painting import categories_of, image_window
from segdesk.gui.tools.shapes import paint_region, region_of
from segdesk.gui.tools.sketch import Sketch, colour_of

_FIRST = 24.0  # difference of a channel, of 255
_PER_PIXEL = 0.5  # of the mouse, to the right


class Wand(Tool):
    """A press takes what has a similar colour and hangs together; dragging right takes more.

    It looks at the picture as it is on show: at full resolution from 1:1 on, else as fine as the
    level on show.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._tolerance = _FIRST
        self._start: Pointer | None = None
        self._picture: Picture | None = None
        self._window = Window(0, 0, 0, 0)  # in pixels of the picture's level
        self._mask: Mask = np.zeros((0, 0), np.bool_)

    @property
    def is_busy(self) -> bool:
        """Whether a region is being chosen."""
        return self._start is not None

    def press(self, at: Pointer) -> None:
        """Take the region around a pixel."""
        pixel = Window(floor(at.x), floor(at.y), 1, 1)
        if at.button == Qt.MouseButton.LeftButton and pixel.intersection(image_window(self.editor)):
            self._start, self._picture = at, self.stage.picture()
            self._find(self._tolerance)

    def move(self, at: Pointer) -> None:
        """Take more or less."""
        if self._start:
            self._find(self._tolerance_at(at))

    def release(self, at: Pointer) -> None:
        """Paint the region."""
        if self._start:
            self._tolerance = self._tolerance_at(at)
            self.finish()

    def finish(self) -> None:
        """Paint the region as it is."""
        start, self._start = self._start, None
        if start and self._picture:
            step = 1 << self._picture.level
            x, y, rows, columns = self._window.x, self._window.y, *self._mask.shape
            found = Window(x * step, y * step, columns * step, rows * step)
            enlarged = partial(_enlarged, self._mask, self._window, self._picture.level)
            region = region_of(found.intersection(image_window(self.editor)), enlarged)
            paint_region(self.stage, "Magic wand", region, start.control)
        self._picture = None

    def cancel(self) -> None:
        """Forget the region."""
        self._start = self._picture = None

    def draw(self, sketch: Sketch, is_over: bool) -> None:
        """Show the region in the colour that it will have."""
        if not self._start or not self._picture:
            return
        step = 1 << self._picture.level
        place = QRectF(
            self._window.x * step,
            self._window.y * step,
            self._window.width * step,
            self._window.height * step,
        )
        colour = colour_of(self.editor.category, categories_of(self.editor))
        sketch.shade(self._mask, place, colour)

    def _tolerance_at(self, at: Pointer) -> float:
        start = self._start.screen.x() if self._start else at.screen.x()
        return min(max(self._tolerance + (at.screen.x() - start) * _PER_PIXEL, 0.0), 255.0)

    def _find(self, tolerance: float) -> None:
        """Take the region whose colours differ from the first pixel's by no more than that."""
        import cv2

        assert self._start is not None and self._picture is not None
        window, level = self._picture.window, self._picture.level
        seed = (
            (floor(self._start.x) >> level) - window.x,
            (floor(self._start.y) >> level) - window.y,
        )
        if not (0 <= seed[0] < window.width and 0 <= seed[1] < window.height):
            return
        flags = 4 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | 1 << 8
        around = np.zeros((window.height + 2, window.width + 2), np.uint8)
        limits = (tolerance,) * 3
        found = cv2.floodFill(self._picture.rgb, around, seed, 0, limits, limits, flags)[3]
        place = Window(*found)
        self._mask = around[1:-1, 1:-1][place.slices] > 0
        self._window = place.shifted(window.x, window.y)
        self.stage.redraw_tool()


def _enlarged(mask: Mask, place: Window, level: int, window: Window) -> Mask:
    """Return which level-0 pixels of a window lie under the mask of a window of a level."""
    rows = (np.arange(window.y, window.bottom) >> level) - place.y
    columns = (np.arange(window.x, window.right) >> level) - place.x
    result: Mask = mask[np.ix_(rows, columns)]
    return result
