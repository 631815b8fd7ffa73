import numpy as np
from PySide6.QtCore import Qt

from segdesk.core.geometry import Window
from segdesk.core.prompts import Box, Points, Scribble
from segdesk.engine import edits
from tests.gui.conftest import CONTROL, RIGHT, SHIFT

GREY = np.full((60, 80, 3), 100, np.uint8)
IMAGE = Window(0, 0, 80, 60)
KEY = Qt.Key


def test_a_box_prompt(user):
    user.open(GREY)
    given = []
    user.editor.prompt_added.connect(given.append)
    user.editor.set_tool("box")
    user.editor.set_category(2)
    user.drag((40.5, 30.5), (20.5, 50.5))
    user.drag((40.5, 10.5), (50.5, 13.5), keys=SHIFT)
    user.drag((70.5, 50.5), (200.5, 200.5))
    user.click(10.5, 10.5)
    assert given == list(user.document.prompts)
    assert given == [
        Box(20.5, 30.5, 40.5, 50.5, 2),
        Box(40.5, 10.5, 50.5, 20.5, 2),
        Box(70.5, 50.5, 80.0, 60.0, 2),
    ]


def test_points_belong_to_one_prompt_until_enter(user):
    user.open(GREY)
    given = []
    user.editor.prompt_added.connect(given.append)
    user.editor.set_tool("points")
    user.click(10.5, 10.5)
    user.click(20.5, 10.5, button=RIGHT)
    user.click(30.5, 10.5, CONTROL)
    [points] = user.document.prompts
    assert points.xy.tolist() == [[10.5, 10.5], [20.5, 10.5], [30.5, 10.5]]
    assert points.positive.tolist() == [True, False, False]
    assert len(given) == 3
    user.document.undo()
    assert len(user.document.prompts[0].xy) == 2
    user.key(KEY.Key_Return)
    user.click(40.5, 10.5)
    user.editor.set_category(2)
    user.click(50.5, 10.5)
    assert [len(prompt.xy) for prompt in user.document.prompts] == [2, 1, 1]
    assert [prompt.category for prompt in user.document.prompts] == [1, 1, 2]
    assert all(isinstance(prompt, Points) for prompt in user.document.prompts)


def test_a_scribble_prompt(user):
    user.open(GREY)
    user.editor.set_tool("scribble")
    user.editor.set_radius(4)
    user.press(10.5, 10.5)
    user.move(10.5, 10.5)
    user.move(20.5, 10.5)
    user.see()
    user.release(30.5, 20.5)
    user.press(50.5, 50.5)
    user.key(KEY.Key_Escape)
    user.release(60.5, 50.5)
    [scribble] = user.document.prompts
    assert isinstance(scribble, Scribble)
    assert (scribble.radius, scribble.category) == (4, 1)
    assert scribble.xy.tolist() == [[10.5, 10.5], [20.5, 10.5], [30.5, 20.5]]


def test_a_click_selects_and_delete_removes(counter):
    ids = np.zeros((60, 80), np.int32)
    ids[10:20, 10:20], ids[30:40, 30:40] = 1, 2
    counter.segment(ids)
    counter.editor.set_tool("select")
    counter.click(15.5, 15.5)
    assert counter.editor.selection == {1}
    counter.click(35.5, 35.5, SHIFT)
    assert counter.editor.selection == {1, 2}
    counter.click(15.5, 15.5, SHIFT)
    assert counter.editor.selection == {2}
    assert not counter.key(KEY.Key_Delete), "a shortcut of the window comes first"
    assert set(counter.layer.segments) == {1}
    counter.click(35.5, 35.5)
    assert not counter.editor.selection
    edits.change_layer(counter.document, counter.layer.id, "Lock", locked=True)
    counter.click(15.5, 15.5)
    counter.key(KEY.Key_Delete)
    assert "locked" in counter.messages[-1]


def test_a_click_on_another_layer_makes_it_active(counter):
    ids = np.zeros((60, 80), np.int32)
    ids[10:20, 10:20] = 1
    counter.segment(ids)
    below = counter.layer
    edits.add_layer(counter.document, below.state)
    counter.editor.set_tool("select")
    counter.click(15.5, 15.5)
    assert counter.layer is below
    assert counter.editor.selection == {1}
