"""Give prompts to a segmenter: a box, points, a scribble."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent

from segdesk.core.prompts import Box, Points, Scribble
from segdesk.core.raster import Point
from segdesk.gui.tools.base import Pointer, Stage, Tool
from segdesk.gui.tools.painting import categories_of, image_window
from segdesk.gui.tools.sketch import Sketch, colour_of

_SMALLEST = 1.0  # level-0 pixels of a box
_STEP = 0.75  # device pixels between two points of a scribble


class BoxTool(Tool):
    """Dragging draws a box around one segment; with Shift a square."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._from: Point | None = None
        self._to: Point = (0.0, 0.0)

    @property
    def is_busy(self) -> bool:
        """Whether a box is being drawn."""
        return self._from is not None

    def press(self, at: Pointer) -> None:
        """Set the first corner."""
        if at.button == Qt.MouseButton.LeftButton:
            self._from = self._to = self._inside(at.xy)

    def move(self, at: Pointer) -> None:
        """Move the other corner."""
        if self._from:
            self._to = self._inside(_squared(self._from, at.xy) if at.shift else at.xy)
            self.stage.redraw_tool()

    def release(self, at: Pointer) -> None:
        """Add the box."""
        self.move(at)
        self.finish()
        self.stage.redraw_tool()

    def finish(self) -> None:
        """Add the box as it is."""
        start, self._from = self._from, None
        if start:
            (x0, x1), (y0, y1) = sorted((start[0], self._to[0])), sorted((start[1], self._to[1]))
            if x1 - x0 >= _SMALLEST and y1 - y0 >= _SMALLEST:
                self.editor.add_prompt(Box(x0, y0, x1, y1, self.editor.category, self.editor.frame))

    def cancel(self) -> None:
        """Forget the box."""
        self._from = None

    def draw(self, sketch: Sketch, is_over: bool) -> None:
        """Draw the box."""
        if self._from:
            colour = colour_of(self.editor.category, categories_of(self.editor))
            sketch.box(QPointF(*self._from), QPointF(*self._to), colour)

    def _inside(self, xy: Point) -> Point:
        image = image_window(self.editor)
        return min(max(xy[0], 0.0), float(image.width)), min(max(xy[1], 0.0), float(image.height))


class PointsTool(Tool):
    """Clicks add points to one prompt; Enter, or another category, begins the next one."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._closed: Points | None = None

    def press(self, at: Pointer) -> None:
        """Add a point on the segment; with the right button, or Control, one off it."""
        if at.button not in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            return
        is_positive = at.button == Qt.MouseButton.LeftButton and not at.control
        last = self._open_prompt()
        xy = np.array([at.xy]) if last is None else np.vstack([last.xy, at.xy])
        signs = [*(last.positive.tolist() if last else ()), is_positive]
        editor = self.editor
        self._put(Points(xy, np.array(signs), editor.category, editor.frame), last)

    def key(self, event: QKeyEvent) -> bool:
        """End the prompt with Enter."""
        last = self._open_prompt()
        if last and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._closed = last
            return True
        return super().key(event)

    def finish(self) -> None:
        """End the prompt."""
        self._closed = self._open_prompt() or self._closed

    def _open_prompt(self) -> Points | None:
        """Return the prompt to which points can be added."""
        prompts = self.editor.document.prompts if self.editor.document else ()
        last = prompts[-1] if prompts else None
        is_open = isinstance(last, Points) and last is not self._closed
        here = self.editor.category, self.editor.frame
        return last if is_open and (last.category, last.frame) == here else None

    def _put(self, prompt: Points, last: Points | None) -> None:
        """Add the prompt, in place of the one that lacks its last point."""
        document = self.editor.document
        if last is None or not document:
            self.editor.add_prompt(prompt)
            return
        with document.edit("Add point", f"prompt {document.version}") as edit:
            edit.set_prompts((*document.prompts[:-1], prompt))
        self.editor.prompt_added.emit(prompt)


class ScribbleTool(Tool):
    """Dragging draws a stroke over pixels of one category."""

    has_radius = True

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._path: list[Point] = []
        self._at: Point = (0.0, 0.0)

    @property
    def is_busy(self) -> bool:
        """Whether a stroke is under way."""
        return bool(self._path)

    def press(self, at: Pointer) -> None:
        """Start a stroke."""
        if at.button == Qt.MouseButton.LeftButton:
            self._path = [at.xy]
            self.stage.redraw_tool()

    def move(self, at: Pointer) -> None:
        """Go on with the stroke."""
        self._at = at.xy
        if self._path:
            (x, y), (x0, y0) = at.xy, self._path[-1]
            if np.hypot(x - x0, y - y0) * self.stage.scale >= _STEP:
                self._path.append(at.xy)
        self.stage.redraw_tool()

    def release(self, at: Pointer) -> None:
        """Add the stroke."""
        self.move(at)
        self.finish()

    def finish(self) -> None:
        """Add the stroke as it is."""
        path, self._path = self._path, []
        if path:
            editor = self.editor
            path = np.array(path)
            editor.add_prompt(Scribble(path, editor.radius, editor.category, editor.frame))

    def cancel(self) -> None:
        """Forget the stroke."""
        self._path = []

    def draw(self, sketch: Sketch, is_over: bool) -> None:
        """Draw the stroke and the brush."""
        radius = self.editor.radius
        if self._path:
            colour = colour_of(self.editor.category, categories_of(self.editor))
            sketch.scribble(np.array(self._path), radius, colour)
        if is_over:
            sketch.circle(*self._at, radius)


def _squared(start: Point, end: Point) -> Point:
    """Return the corner of a square from one corner towards a point."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    side = max(abs(dx), abs(dy))
    return start[0] + float(np.copysign(side, dx)), start[1] + float(np.copysign(side, dy))
