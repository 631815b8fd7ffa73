"""Paint with a round brush; erase with it."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from segdesk.core.geometry import Window
from segdesk.core.raster import Point, capsule
from segdesk.engine.edit import Edit
from segdesk.engine.layer import Layer
from segdesk.gui.tools.base import Pointer, Stage, Tool
from segdesk.gui.tools.painting import Brushload, begin_painting, image_window, layer_for
from segdesk.gui.tools.sketch import Sketch, staircase

_REACH = 512.0  # level-0 pixels of a stroke that are painted at once, if the brush is not larger
_EXACT_SCALE = 5  # logical pixels per pixel, from which on the outline follows the pixels


class Stroker(Tool):
    """A tool that works along the path of the mouse; with Shift straight from where it ended.

    A press starts a stroke, which ``_begin`` allows by returning its edit; then ``_stroke`` works
    on the pixels under the brush.
    """

    has_radius = True

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._edit: Edit | None = None
        self._last: Point | None = None
        self._at: Point = (0.0, 0.0)

    @property
    def is_busy(self) -> bool:
        """Whether a stroke is under way."""
        return self._edit is not None

    def press(self, at: Pointer) -> None:
        """Start a stroke."""
        if at.button != Qt.MouseButton.LeftButton:
            return
        self._edit = self._begin(at)
        if not at.shift or self._last is None:
            self._last = self._snapped(at.xy)
        self._go_to(at.xy)

    def move(self, at: Pointer) -> None:
        """Go on with the stroke."""
        self._go_to(at.xy)

    def release(self, at: Pointer) -> None:
        """End the stroke."""
        self._go_to(at.xy)
        self.finish()

    def finish(self) -> None:
        """Keep the stroke as it is."""
        edit, self._edit = self._edit, None
        if edit:
            edit.commit()

    def cancel(self) -> None:
        """Take the stroke back."""
        edit, self._edit = self._edit, None
        if edit:
            edit.roll_back()

    def draw(self, sketch: Sketch, is_over: bool) -> None:
        """Draw the outline of the pixels under the brush."""
        if not is_over:
            return
        if sketch.pixel > 1 / _EXACT_SCALE:
            sketch.circle(*self._at, self.editor.radius)
        else:
            sketch.outline(staircase(*self._under(self._snapped(self._at))))

    def _begin(self, at: Pointer) -> Edit | None:
        """Return the edit of a new stroke; None when there is nothing to work on."""
        raise NotImplementedError

    def _stroke(self, window: Window, mask: NDArray[np.bool_]) -> None:
        """Work on pixels, as part of the edit."""
        raise NotImplementedError

    def _go_to(self, xy: Point) -> None:
        outlines = self._around(self._at).union(self._around(xy))
        self._at = xy
        end = self._snapped(xy)
        if self._edit and self._last:
            for stop in _stops(self._last, end, self.editor.radius):
                self._stroke(*self._under(self._last, stop))
                self._last = stop
        self.stage.redraw_tool(outlines)

    def _around(self, xy: Point) -> Window:
        """Return a window around the outline of the brush."""
        reach = ceil(self.editor.radius) + 1
        return Window(floor(xy[0]), floor(xy[1]), 1, 1).padded(reach)

    def _under(self, start: Point, end: Point | None = None) -> tuple[Window, NDArray[np.bool_]]:
        """Return the pixels under the brush on its way."""
        return capsule(start, end or start, self.editor.radius, image_window(self.editor))

    def _snapped(self, xy: Point) -> Point:
        """Return where the brush is: a very small one is always in the middle of a pixel."""
        return xy if self.editor.radius >= 1 else (floor(xy[0]) + 0.5, floor(xy[1]) + 0.5)


class Brush(Stroker):
    """Paints the chosen category."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._load: Brushload | None = None

    def _begin(self, at: Pointer) -> Edit | None:
        layer = layer_for(self.editor)
        if not layer:
            return None
        self._load = begin_painting(self.editor, layer, "Brush stroke", at.xy, at.control)
        return self._load.edit

    def _stroke(self, window: Window, mask: NDArray[np.bool_]) -> None:
        if self._load:
            self._load.paint(window, mask)


class Eraser(Stroker):
    """Erases whatever it meets on the active layer; with Control only what is selected."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._layer: Layer | None = None
        self._only: frozenset[int] = frozenset()
        self._frame = 0

    def _begin(self, at: Pointer) -> Edit | None:
        self._frame = self.editor.frame
        self._layer = self.editor.layer_to_paint()
        self._only = self.editor.selection if at.control else frozenset()
        document = self.editor.document
        return document.begin("Erase") if document and self._layer else None

    def _stroke(self, window: Window, mask: NDArray[np.bool_]) -> None:
        if not self._layer or not self._edit or not window:
            return
        for number, plane in enumerate(self._layer.planes):
            ids = plane.read(window, 0, self._frame)
            erased = mask & (np.isin(ids, list(self._only)) if self._only else ids > 0)
            if erased.any():
                self._edit.paint(self._layer, window, 0, erased, number, self._frame)


def _stops(start: Point, end: Point, radius: float) -> Iterator[Point]:
    """Yield where a brush stops on its way, so that the window around no part is very large."""
    reach = max(_REACH, 2 * radius)
    count = ceil(max(abs(end[0] - start[0]), abs(end[1] - start[1])) / reach) or 1
    for number in range(1, count):
        share = number / count
        yield start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
    yield end
