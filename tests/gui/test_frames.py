"""A stack in the window: slider, wheel, and painting on the frame on show."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from segdesk.core.image import ArrayImage
from segdesk.core.prompts import Scribble
from segdesk.gui.frame_bar import FrameBar
from tests.gui.conftest import on_image

STACK = np.stack([np.full((60, 80, 3), 50 * (frame + 1), np.uint8) for frame in range(4)])


@pytest.fixture
def stack(user, qtbot):
    user.open(ArrayImage(STACK))
    user.bar = FrameBar(user.editor, user.canvas)
    qtbot.addWidget(user.bar)
    user.editor.set_tool("brush")
    user.editor.set_radius(3)
    return user


def seen(user):
    user.editor.set_tool("pan")  # draws nothing itself
    user.wait_for_tiles()
    shown, _ = on_image(user, user.see(), STACK[0])
    return shown


def test_each_frame_shows_its_own_pixels_and_segments(stack):
    stack.editor.set_frame(2)
    stack.drag((10, 10), (40, 10))
    assert (seen(stack)[40:] == 150).all()
    assert stack.layer.areas
    assert not (seen(stack)[5:15] == 150).all()
    stack.editor.set_frame(1)
    assert (seen(stack) == 100).all()
    assert stack.layer.segmentation().frames == (2,)
    stack.document.undo()
    stack.editor.set_frame(2)
    assert (seen(stack) == 150).all()


def test_a_stroke_stays_on_its_frame_when_the_frame_changes(stack):
    stack.press(10, 10)
    stack.move(20, 10)
    stack.editor.set_frame(3)
    stack.move(60, 50)
    stack.release(60, 50)
    assert stack.layer.segmentation().frames == (0,)


def test_what_is_undone_and_redone_is_on_show(stack):
    stack.editor.set_frame(2)
    stack.drag((10, 10), (40, 10))
    stack.editor.set_frame(0)
    stack.drag((10, 10), (40, 10))
    stack.editor.set_frame(3)
    document, frames = stack.document, []
    for act in (document.undo, document.undo, document.redo, document.redo):
        stack.editor.retrace(act)
        frames.append(stack.editor.frame)
    assert frames == [0, 2, 2, 0]
    stack.editor.set_frame(3)
    stack.editor.retrace(document.go_to, len(document.history.names) - 1)
    assert stack.editor.frame == 0


def test_prompts_belong_to_the_frame(stack):
    stack.editor.set_frame(1)
    stack.editor.set_tool("scribble")
    stack.drag((10, 10), (40, 10))
    (prompt,) = stack.document.prompts
    assert isinstance(prompt, Scribble)
    assert prompt.frame == 1
    with_stroke = seen(stack)
    stack.editor.set_frame(0)
    assert (seen(stack) == 50).all()
    assert not (with_stroke == 100).all()


def test_slider_number_and_wheel_agree(stack):
    stack.bar.slider.setValue(3)
    assert (stack.editor.frame, stack.bar.number.value()) == (2, 3)
    stack.bar.number.setValue(2)
    assert (stack.editor.frame, stack.bar.slider.value()) == (1, 2)
    stack.wheel(10, 10, -1, Qt.KeyboardModifier.AltModifier)
    assert stack.bar.slider.value() == 3
    stack.editor.step_frame(9)
    assert stack.editor.frame == 3


def test_playing_goes_round_and_stops_with_another_image(stack, qtbot):
    frames = []
    stack.editor.frame_changed.connect(frames.append)
    stack.bar.play.click()
    qtbot.waitUntil(lambda: len(frames) >= 5)
    assert frames[:5] == [1, 2, 3, 0, 1]
    assert not stack.bar.isHidden()
    stack.open(np.zeros((9, 9, 3), np.uint8))
    assert (stack.bar.is_playing, stack.bar.play.isChecked(), stack.bar.isHidden()) == (
        False,
        False,
        True,
    )
