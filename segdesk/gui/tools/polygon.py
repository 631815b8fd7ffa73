"""Paint inside a polygon or a line drawn by hand."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from segdesk.core import raster
from segdesk.core.raster import Point
from segdesk.gui.tools.base import Pointer, Stage, Tool
from segdesk.gui.tools.painting import image_window
from segdesk.gui.tools.shapes import paint_region, region_of
from segdesk.gui.tools.sketch import Sketch, path_of

_NEAR = 8.0  # logical pixels from the first corner, within which a click closes


class Polygon(Tool):
    """Clicks set corners; a double click, Enter or a click on the first corner closes it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._corners: list[Point] = []
        self._at: Point = (0.0, 0.0)
        self._is_new = False

    @property
    def is_busy(self) -> bool:
        """Whether there are corners."""
        return bool(self._corners)

    def press(self, at: Pointer) -> None:
        """Set a corner, or close the polygon at the first one."""
        if at.button != Qt.MouseButton.LeftButton:
            return
        self._is_new = at.control
        if len(self._corners) > 2 and self._is_near_first(at.xy):
            self._close()
        else:
            self._corners.append(at.xy)
        self.stage.redraw_tool()

    def double_click(self, at: Pointer) -> None:
        """Close the polygon; the first click of the two has set the last corner."""
        if len(self._corners) > 2:
            self._close()
        else:
            self.press(at)

    def move(self, at: Pointer) -> None:
        """Draw a line to the cursor."""
        self._at = at.xy
        if self._corners:
            self.stage.redraw_tool()

    def claims(self, event: QKeyEvent) -> bool:
        """Leave the window its shortcuts, but for the keys that work on the polygon."""
        is_escape = event.key() == Qt.Key.Key_Escape
        return self.is_busy and (is_escape or _closes(event) or _takes_back(event))

    def key(self, event: QKeyEvent) -> bool:
        """Close with Enter; take back the last corner with Backspace or Undo."""
        if self._corners and _closes(event):
            self._close()
        elif self._corners and _takes_back(event):
            self._corners.pop()
        else:
            return super().key(event)
        self.stage.redraw_tool()
        return True

    def cancel(self) -> None:
        """Forget the corners."""
        self._corners = []

    def draw(self, sketch: Sketch, is_over: bool) -> None:
        """Draw the corners and the lines between them."""
        if not self._corners:
            return
        ends = [self._at] if is_over else []
        sketch.outline(path_of(np.array([*self._corners, *ends])))
        for corner in self._corners:
            is_first = corner is self._corners[0]
            can_close = is_first and len(self._corners) > 2
            sketch.handle(*corner, can_close and is_over and self._is_near_first(self._at))

    def _close(self) -> None:
        corners, self._corners = self._corners, []
        _paint_inside(self.stage, "Polygon", corners, self._is_new)

    def _is_near_first(self, xy: Point) -> bool:
        (x, y), (x0, y0) = xy, self._corners[0]
        return float(np.hypot(x - x0, y - y0)) * self.stage.scale <= _NEAR


class Lasso(Tool):
    """Paints inside the line along which the mouse is dragged."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._path: list[Point] = []
        self._is_new = False

    @property
    def is_busy(self) -> bool:
        """Whether a line is being drawn."""
        return bool(self._path)

    def press(self, at: Pointer) -> None:
        """Start the line."""
        if at.button == Qt.MouseButton.LeftButton:
            self._path, self._is_new = [at.xy], at.control

    def move(self, at: Pointer) -> None:
        """Go on with the line."""
        if self._path:
            self._path.append(at.xy)
            self.stage.redraw_tool()

    def release(self, at: Pointer) -> None:
        """Close the line."""
        self.finish()
        self.stage.redraw_tool()

    def finish(self) -> None:
        """Paint inside the line, closed where it is."""
        path, self._path = self._path, []
        if len(path) > 2:
            _paint_inside(self.stage, "Lasso", path, self._is_new)

    def cancel(self) -> None:
        """Forget the line."""
        self._path = []

    def draw(self, sketch: Sketch, is_over: bool) -> None:
        """Draw the line."""
        if self._path:
            sketch.outline(path_of(np.array(self._path)))


def _paint_inside(stage: Stage, name: str, corners: list[Point], is_new: bool) -> None:
    shape = raster.Polygon(np.array(corners), image_window(stage.editor))
    paint_region(stage, name, region_of(shape.window, shape.mask), is_new)


def _closes(event: QKeyEvent) -> bool:
    has_modifier = event.modifiers() & Qt.KeyboardModifier.ControlModifier
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not has_modifier


def _takes_back(event: QKeyEvent) -> bool:
    is_undo = (
        event.key() == Qt.Key.Key_Z and event.modifiers() == Qt.KeyboardModifier.ControlModifier
    )
    return is_undo or event.key() == Qt.Key.Key_Backspace
