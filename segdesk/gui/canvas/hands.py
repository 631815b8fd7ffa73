"""What the user does with mouse, wheel and keys: moves around, or works with a tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QInputDevice, QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent

from segdesk.core.errors import SegdeskError
from segdesk.gui.tools import TOOLS
from segdesk.gui.tools.base import Pointer, Tool
from segdesk.gui.tools.sketch import Sketch

if TYPE_CHECKING:
    from segdesk.gui.canvas.canvas import Canvas

_NOTCH = 120  # Qt's units of one step of a wheel
_ZOOM = 1.25  # a notch
_GROWTH = 1.2  # of the brush, a notch or key
_LEFT, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
_MIDDLE, _NONE = Qt.MouseButton.MiddleButton, Qt.MouseButton.NoButton


class Hands:
    """Turns Qt's events on the canvas into tool calls and movements of the view.

    Wheel: zoom to the cursor; with Shift it changes the brush's size, with Alt the frame. Two
    fingers, the middle button, or the space bar held: pan. A button held keeps the others out.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._editor = canvas.editor
        self._tools: dict[str, Tool] = {}
        self._held = _NONE
        self._pan_from: QPointF | None = None
        self._has_space = False
        self._is_over = False
        kind = QEvent.Type
        self._takers: dict[QEvent.Type, Callable[[Any], bool]] = {
            kind.MouseButtonPress: self._on_press,
            kind.MouseButtonDblClick: self._on_press,
            kind.MouseMove: self._on_move,
            kind.MouseButtonRelease: self._on_release,
            kind.Wheel: self._on_wheel,
            kind.NativeGesture: self._on_gesture,
            kind.ShortcutOverride: self._on_shortcut,
            kind.KeyPress: self._on_key,
            kind.KeyRelease: self._on_key_up,
            kind.Leave: self._on_leave,
            kind.FocusOut: self._on_let_go,
            kind.Hide: self._on_let_go,
        }
        self._tool = self._tool_of(self._editor.tool)
        self._editor.tool_changed.connect(self._on_tool_changed)
        for signal in (self._editor.radius_changed, self._editor.category_changed):
            signal.connect(lambda _: self._canvas.redraw_tool())
        self._show_cursor()

    def take(self, event: QEvent) -> bool:
        """Take an event of the canvas; say whether that was all that had to be done."""
        taker = self._takers.get(event.type())
        if taker is None or self._editor.document is None:
            return False
        try:
            return taker(event)
        except SegdeskError as error:
            self.finish()  # or each move of the mouse would fail anew
            self._editor.failed.emit(str(error))
            return True

    def draw(self, sketch: Sketch) -> None:
        """Draw the tool's outline."""
        self._tool.draw(sketch, self._is_over and self._pan_from is None)

    def reset(self) -> None:
        """Start anew on another document; what is under way on the last one is kept."""
        self.finish()
        self._tools = {}
        self._held, self._pan_from = _NONE, None
        self._tool = self._tool_of(self._editor.tool)

    def finish(self) -> None:
        """Keep what is under way as it is; say why if that is refused."""
        self._editor.attempt(self._tool.finish)

    # Mouse.

    def _on_press(self, event: QMouseEvent) -> bool:
        if self._held is not _NONE:
            return True
        button = event.button()
        self._held = button
        if button == _MIDDLE or (self._has_space and button == _LEFT):
            self._pan_from = event.position()
            self._show_cursor()
        elif button in (_LEFT, _RIGHT):
            is_double = event.type() == QEvent.Type.MouseButtonDblClick
            (self._tool.double_click if is_double else self._tool.press)(self._pointer(event))
        return True

    def _on_move(self, event: QMouseEvent) -> bool:
        self._is_over = True
        at = event.position()
        if self._pan_from is not None:
            by = at - self._pan_from
            self._pan_from = at
            self._canvas.pan_by(by.x(), by.y())
        else:
            self._tool.move(self._pointer(event))
        self._canvas.cursor_moved.emit(*self._canvas.to_image(at))
        return True

    def _on_release(self, event: QMouseEvent) -> bool:
        if event.button() != self._held:
            return True
        self._held = _NONE
        if self._pan_from is not None:
            self._pan_from = None
            self._show_cursor()
        else:
            self._tool.release(self._pointer(event, event.button()))
        return True

    def _on_leave(self, event: QEvent) -> bool:
        self._is_over = False
        self._canvas.redraw_tool()
        return False

    def _pointer(self, event: QMouseEvent, button: Qt.MouseButton | None = None) -> Pointer:
        x, y = self._canvas.to_image(event.position())
        modifiers = event.modifiers()
        return Pointer(
            x,
            y,
            event.position(),
            self._held if button is None else button,
            bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
            bool(modifiers & Qt.KeyboardModifier.ControlModifier),
        )

    # Wheel and fingers.

    def _on_wheel(self, event: QWheelEvent) -> bool:
        by, modifiers = event.angleDelta(), event.modifiers()
        is_pad = event.device().type() == QInputDevice.DeviceType.TouchPad
        if modifiers & Qt.KeyboardModifier.AltModifier:
            self._editor.step_frame(-1 if (by.y() or by.x()) > 0 else 1)
        elif modifiers & Qt.KeyboardModifier.ShiftModifier and self._tool.has_radius:
            self._scale_radius(_GROWTH ** ((by.y() or by.x()) / _NOTCH))
        elif modifiers & Qt.KeyboardModifier.ControlModifier or (by.y() and not is_pad):
            self._canvas.zoom_by(_ZOOM ** (by.y() / _NOTCH), event.position())
        else:
            moved = by / 2 if event.pixelDelta().isNull() else event.pixelDelta()
            self._canvas.pan_by(moved.x(), moved.y())
        return True

    def _on_gesture(self, event: QNativeGestureEvent) -> bool:
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._canvas.zoom_by(1 + event.value(), event.position())
            return True
        return False

    def _scale_radius(self, factor: float) -> None:
        """Change the brush's radius by a factor, at least by half a pixel, to a round value."""
        radius = self._editor.radius
        step = 0.5 if factor > 1 else -0.5
        scaled = round(radius * factor * 2) / 2
        self._editor.set_radius(scaled if scaled != radius else radius + step)

    # Keys.

    def _on_shortcut(self, event: QKeyEvent) -> bool:
        """Keep keys that the tool needs from the window's shortcuts."""
        if self._tool.claims(event):
            event.accept()
            return True
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Space:
            self._has_space = True
            self._show_cursor()
            return True
        if event.key() in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            grows = event.key() == Qt.Key.Key_BracketRight
            self._scale_radius(_GROWTH if grows else 1 / _GROWTH)
            return True
        return self._tool.key(event)

    def _on_key_up(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._has_space = False
            self._show_cursor()
            return True
        return False

    # Which tool.

    def _on_let_go(self, event: QEvent) -> bool:
        self._has_space = False
        self._held, self._pan_from = _NONE, None
        self.finish()
        self._show_cursor()
        return False

    def _on_tool_changed(self, tool_id: str) -> None:
        self.finish()
        self._tool = self._tool_of(tool_id)
        self._show_cursor()
        self._canvas.redraw_tool()

    def _tool_of(self, tool_id: str) -> Tool:
        if tool_id not in self._tools:
            spec = next(spec for spec in TOOLS if spec.id == tool_id)
            self._tools[tool_id] = spec.make(self._canvas)
        return self._tools[tool_id]

    def _show_cursor(self) -> None:
        if self._pan_from is not None:
            self._canvas.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._has_space:
            self._canvas.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self._canvas.setCursor(self._tool.cursor)
