"""What every tool is: it hears mouse and keys in pixels of the image and draws its outline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, SignalInstance
from PySide6.QtGui import QKeyEvent

from segdesk.core.geometry import Window
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Lane
from segdesk.gui.tools.sketch import Sketch


@dataclass(frozen=True)
class Picture:
    """The displayed colours on show."""

    rgb: NDArray[np.uint8]  # (rows, columns, 3)
    level: int
    window: Window  # in pixels of the level


class Stage(Protocol):
    """The canvas, as far as tools know it."""

    editor: Editor
    lane: Lane  # for what takes long
    job_started: SignalInstance  # emits a ``Job`` for the job bar

    @property
    def scale(self) -> float:
        """Device pixels per level-0 pixel."""
        ...

    def visible_window(self) -> Window:
        """Return the level-0 pixels on show."""
        ...

    def picture(self) -> Picture:
        """Return what the image looks like on show, without layers."""
        ...

    def pan_by(self, dx: float, dy: float) -> None:
        """Push the image by logical pixels of the screen."""
        ...

    def redraw_tool(self, window: Window | None = None) -> None:
        """Have what the tool draws drawn anew; only in a window of level-0 pixels, if given."""
        ...


@dataclass(frozen=True, slots=True)
class Pointer:
    """The mouse at one moment."""

    x: float  # level-0 pixels
    y: float
    screen: QPointF  # logical pixels of the canvas
    button: Qt.MouseButton  # pressed, held or released
    shift: bool = False
    control: bool = False

    @property
    def xy(self) -> tuple[float, float]:
        """Where in the image it is."""
        return self.x, self.y


class Tool:
    """One way to work with the mouse; does nothing by itself.

    ``finish`` keeps what is under way, ``cancel`` takes it back.
    """

    cursor = Qt.CursorShape.CrossCursor
    has_radius = False  # it uses the brush's radius

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @property
    def editor(self) -> Editor:
        """What the user has chosen."""
        return self.stage.editor

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return False

    def press(self, at: Pointer) -> None:
        """A button goes down."""

    def double_click(self, at: Pointer) -> None:
        """A button goes down for the second time."""
        self.press(at)

    def move(self, at: Pointer) -> None:
        """The mouse moves, with or without a button."""

    def release(self, at: Pointer) -> None:
        """The button that went down goes up."""

    def claims(self, event: QKeyEvent) -> bool:
        """Say whether a key is for the tool and not for a shortcut of the window.

        By default all keys are, while something is under way: a stroke cannot be undone before
        it has ended.
        """
        return self.is_busy

    def key(self, event: QKeyEvent) -> bool:
        """Take a key; say whether it was of use."""
        if self.is_busy and event.key() == Qt.Key.Key_Escape:
            self.cancel()
            self.stage.redraw_tool()
            return True
        return False

    def finish(self) -> None:
        """Keep what is under way."""

    def cancel(self) -> None:
        """Take back what is under way."""

    def draw(self, sketch: Sketch, is_over: bool) -> None:
        """Draw the live outline; ``is_over``: the mouse is on the canvas."""


@dataclass(frozen=True)
class ToolSpec:
    """A tool as the toolbar offers it."""

    id: str
    title: str
    icon: str  # name in the Phosphor font
    key: str
    tooltip: str
    make: Callable[[Stage], Tool]
