import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication

from segdesk.core.geometry import Window
from segdesk.gui.tools import TOOLS
from tests.gui.conftest import CONTROL, MIDDLE, NO_KEY, RIGHT, SHIFT

GREY = np.full((60, 80, 3), 100, np.uint8)
IMAGE = Window(0, 0, 80, 60)
KEY = Qt.Key


def test_the_table_of_tools_is_whole():
    ids, keys = [tool.id for tool in TOOLS], [tool.key for tool in TOOLS]
    assert len(set(ids)) == len(ids)
    assert len(set(keys)) == len(keys)
    assert all(tool.title and tool.icon and tool.tooltip for tool in TOOLS)


def test_every_tool_can_be_chosen_and_used_without_harm(user):
    user.open(GREY)
    for tool in TOOLS:
        user.editor.set_tool(tool.id)
        user.drag((-5.5, 10.5), (20.5, 20.5), (200.5, 500.5))
        user.click(-50, -50, button=RIGHT)
        user.key(KEY.Key_Escape)
        user.see()


@pytest.mark.parametrize("how", ["tool", "space", "middle"])
def test_three_ways_to_pan(painter, how):
    before = painter.canvas.view
    if how == "tool":
        painter.editor.set_tool("pan")
    if how == "space":
        painter.key(KEY.Key_Space)
    button = MIDDLE if how == "middle" else Qt.MouseButton.LeftButton
    at = painter.at(20.5, 30.5)
    painter.press(20.5, 30.5, NO_KEY, button)
    painter.move(33.5, 35.5)
    painter.release(20.5, 30.5)
    painter.release_key(KEY.Key_Space)
    moved = painter.canvas.view.offset_from(before)
    assert (moved.x(), moved.y()) == (13, 5)
    assert painter.at(20.5, 30.5) == at + moved
    assert painter.document.history.done == 1
    painter.editor.set_tool("brush")
    painter.click(20.5, 30.5)
    assert painter.ids().any()


def test_the_wheel_zooms_to_the_cursor(painter):
    place = painter.at(20.5, 30.5)
    painter.wheel(20.5, 30.5, 2)
    assert painter.canvas.scale == pytest.approx(1.25**2)
    assert (painter.at(20.5, 30.5) - place).manhattanLength() <= 2
    painter.wheel(20.5, 30.5, -2, CONTROL)
    assert painter.canvas.scale == pytest.approx(1)


def test_brackets_and_shift_with_the_wheel_size_the_brush(painter):
    radii = [painter.editor.radius]
    for _ in range(3):
        painter.key(KEY.Key_BracketRight)
        radii.append(painter.editor.radius)
    painter.wheel(20.5, 30.5, 1, SHIFT)
    radii.append(painter.editor.radius)
    assert radii == sorted(set(radii))
    for _ in range(30):
        painter.key(KEY.Key_BracketLeft)
    assert painter.editor.radius == 0.5
    assert painter.canvas.scale == 1


def test_the_cursor_is_told_in_image_coordinates(painter, qtbot):
    painter.look(4, 5, 6)
    with qtbot.waitSignal(painter.canvas.cursor_moved) as told:
        painter.move(20.5, 30.5)
    np.testing.assert_allclose(told.args, (20.5, 30.5), atol=0.25)


@pytest.mark.parametrize("scale", [2, 12])
def test_the_outline_is_around_the_pixels_to_be_painted(painter, scale):
    painter.look(scale, 10, 15)
    before = painter.see().astype(int)
    painter.move(20.5, 30.5)
    changed = (painter.see() != before).any(axis=2)
    assert changed.any()
    rows, columns = np.nonzero(changed)
    x, y = painter.canvas.view.to_device(20.5, 30.5)
    reach = 3.5 * scale + 3
    assert np.abs(columns - x).max() <= reach
    assert np.abs(rows - y).max() <= reach
    assert np.abs(columns - x).max() >= 3 * scale - 2
    QApplication.sendEvent(painter.canvas, QEvent(QEvent.Type.Leave))
    np.testing.assert_array_equal(painter.see(), before)
