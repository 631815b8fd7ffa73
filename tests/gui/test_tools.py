import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication

from segdesk.core.display import Display
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.prompts import Box, Points, Scribble
from segdesk.core.raster import polygon
from segdesk.core.segmentation import Segment
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.gui.tools import TOOLS
from tests.gui.conftest import CONTROL, MIDDLE, NO_KEY, RIGHT, SHIFT

GREY = np.full((60, 80, 3), 100, np.uint8)
IMAGE = Window(0, 0, 80, 60)
KEY = Qt.Key


@pytest.fixture
def painter(user):
    """A user with a semantic layer and a brush of radius 3."""
    user.open(GREY)
    user.editor.set_tool("brush")
    user.editor.set_radius(3)
    return user


@pytest.fixture
def counter(user):
    """A user with an instance layer and a brush of radius 2."""
    user.open(GREY, "instance")
    user.editor.set_tool("brush")
    user.editor.set_radius(2)
    return user


def under(radius, *path, shape=(60, 80)):
    """Return the pixels whose centre is within a radius of a path."""
    y, x = np.indices(shape) + 0.5
    mask = np.zeros(shape, bool)
    for (x0, y0), (x1, y1) in zip(path, path[1:] or path, strict=False):
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        share = np.clip(((x - x0) * dx + (y - y0) * dy) / length, 0, 1) if length else 0
        mask |= np.hypot(x - x0 - share * dx, y - y0 - share * dy) <= radius
    return mask


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


# Brush.


def test_a_dot_paints_the_pixels_whose_centre_is_within_the_radius(painter):
    painter.click(20.5, 30.5)
    np.testing.assert_array_equal(painter.ids() > 0, under(3, (20.5, 30.5)))


def test_a_stroke_is_what_the_brush_passed_over_and_one_step(painter):
    path = [(5.5, 5.5), (40.5, 20.5), (41.5, 50.5)]
    painter.drag(*path)
    np.testing.assert_array_equal(painter.ids() > 0, under(3, *path))
    assert painter.document.history.names[-1] == "Brush stroke"
    assert painter.document.history.done == 2  # the layer, the stroke
    painter.document.undo()
    assert not painter.ids().any()
    painter.document.redo()
    assert painter.ids().any()


@pytest.mark.parametrize(("scale", "x", "y"), [(8, 10, 20), (3.3, 7, 3), (0.4, 0, 0), (40, 18, 28)])
def test_painting_is_exact_at_any_zoom_and_place(painter, scale, x, y):
    painter.look(scale, x, y)
    start, end = (painter.at(20.5, 30.5), painter.at(24.5, 31.5))
    painter.drag((20.5, 30.5), (24.5, 31.5))
    path = [painter.canvas.to_image(start), painter.canvas.to_image(end)]
    np.testing.assert_array_equal(painter.ids() > 0, under(3, *path))


@pytest.mark.parametrize("x", [20.1, 20.5, 20.9])
def test_the_smallest_brush_paints_the_pixel_under_the_cursor(painter, x):
    painter.editor.set_radius(0.5)
    painter.look(10)
    painter.click(x, 30.2)
    assert np.argwhere(painter.ids()).tolist() == [[30, 20]]


def test_the_smallest_brush_leaves_no_gap(painter):
    painter.editor.set_radius(0.5)
    painter.drag((3.5, 4.5), (40.5, 27.5))
    ids = painter.ids()
    assert (ids[:, 3:41].sum(axis=0) >= 1).all()
    assert ids.sum() <= 38 + 24


def test_what_was_painted_is_seen(painter):
    painter.click(20.5, 30.5)
    QApplication.sendEvent(painter.canvas, QEvent(QEvent.Type.Leave))
    red = painter.see()[:60, :80, 0] > 150
    np.testing.assert_array_equal(red, under(3, (20.5, 30.5)))


def test_escape_takes_the_stroke_back(painter):
    painter.press(20.5, 30.5)
    painter.move(40.5, 30.5)
    assert painter.ids().any()
    assert painter.key(KEY.Key_Escape)
    assert not painter.ids().any()
    painter.move(50.5, 50.5)
    painter.release(50.5, 50.5)
    assert not painter.ids().any()
    assert painter.document.history.done == 1


def test_shortcuts_wait_until_the_stroke_has_ended(painter):
    assert not painter.key(KEY.Key_Z, CONTROL)
    painter.press(20.5, 30.5)
    assert painter.key(KEY.Key_Z, CONTROL)
    painter.release(20.5, 30.5)
    assert not painter.key(KEY.Key_Z, CONTROL)


@pytest.mark.parametrize("end", ["focus", "tool", "hide", "document"])
def test_a_stroke_is_never_lost(painter, end):
    document = painter.document
    painter.press(20.5, 30.5)
    painter.move(40.5, 30.5)
    if end == "focus":
        QApplication.sendEvent(painter.canvas, QFocusEvent(QEvent.Type.FocusOut))
    elif end == "tool":
        painter.editor.set_tool("select")
    elif end == "hide":
        painter.canvas.hide()
    else:
        painter.editor.show(Document(ArrayImage(GREY)), Display())
    assert document.history.names[-1] == "Brush stroke"
    document.undo()
    assert not document.active.areas


def test_shift_paints_straight_from_the_end_of_the_last_stroke(painter):
    painter.drag((5.5, 5.5), (10.5, 5.5))
    painter.click(40.5, 44.5, SHIFT)
    expected = under(3, (5.5, 5.5), (10.5, 5.5), (40.5, 44.5))
    np.testing.assert_array_equal(painter.ids() > 0, expected)


def test_other_buttons_do_not_paint(painter):
    painter.drag((20.5, 30.5), (30.5, 30.5), button=RIGHT)
    assert not painter.ids().any()
    painter.press(20.5, 30.5)
    painter.press(25.5, 30.5, button=RIGHT)
    painter.release(25.5, 30.5)
    assert painter.document.history.done == 1, "the right button has ended the stroke"


def test_painting_the_background_erases(painter):
    painter.click(20.5, 30.5)
    painter.editor.set_category(0)
    painter.click(20.5, 30.5)
    assert not painter.layer.segments


def test_painting_beside_the_image_leaves_nothing(painter):
    painter.canvas.pan_by(50, 50)
    painter.drag((-20.5, -20.5), (-30.5, -10.5))
    assert painter.document.history.done == 1
    assert not painter.layer.segments


@pytest.mark.parametrize(
    ("change", "why"), [({"locked": True}, "locked"), ({"visible": False}, "hidden")]
)
def test_a_layer_that_is_closed_to_the_brush_says_so(painter, change, why):
    edits.change_layer(painter.document, painter.layer.id, "Close", **change)
    painter.click(20.5, 30.5)
    assert not painter.ids().any()
    assert painter.messages == [f"Layer 'Layer' is {why}."]


def test_a_category_that_the_layer_lacks_is_not_painted(painter):
    painter.editor.set_category(9)
    painter.click(20.5, 30.5)
    assert painter.messages == ["Layer 'Layer' has no category 9."]
    assert not painter.layer.segments


def test_a_semantic_layer_has_one_segment_a_category(painter):
    painter.click(20.5, 30.5)
    painter.click(50.5, 30.5)
    painter.editor.set_category(2)
    painter.click(50.5, 50.5)
    assert sorted(s.category for s in painter.layer.segments.values()) == [1, 2]


def test_on_instance_layers_each_stroke_is_a_segment(counter):
    counter.click(20.5, 30.5)
    counter.click(50.5, 30.5)
    assert len(counter.layer.segments) == 2


def test_a_stroke_that_starts_on_a_segment_of_its_category_lets_it_grow(counter):
    counter.click(20.5, 30.5)
    counter.drag((20.5, 30.5), (26.5, 30.5))
    assert len(counter.layer.segments) == 1
    counter.editor.set_category(2)
    counter.drag((26.5, 30.5), (30.5, 30.5))
    assert len(counter.layer.segments) == 2


def test_the_selected_segment_grows_wherever_the_stroke_is(counter):
    counter.click(20.5, 30.5)
    counter.editor.select(frozenset({1}))
    counter.click(50.5, 30.5)
    assert len(counter.layer.segments) == 1
    counter.click(70.5, 30.5, CONTROL)
    assert len(counter.layer.segments) == 2


def test_a_segment_grows_on_its_own_plane(counter):
    with counter.document.edit("Overlap") as edit:
        edit.add_planes(counter.layer, 1)
        edit.set_segments(counter.layer, {1: Segment(1, 1), 2: Segment(2, 1)})
        edit.paint(counter.layer, Window(0, 0, 20, 20), 1, None, 0)
        edit.paint(counter.layer, Window(10, 10, 20, 20), 2, None, 1)
    counter.editor.select(frozenset({1}))
    counter.click(24.5, 24.5)
    assert counter.ids(0)[24, 24] == 1
    assert counter.ids(1)[24, 24] == 2
    counter.editor.select(frozenset())
    counter.click(60.5, 40.5)
    assert counter.ids(1)[40, 60] == 3, "new segments are on top"


# Eraser.


def test_the_eraser_takes_all_it_meets_on_every_plane(counter):
    with counter.document.edit("Overlap") as edit:
        edit.add_planes(counter.layer, 1)
        edit.set_segments(counter.layer, {1: Segment(1, 1), 2: Segment(2, 2)})
        edit.paint(counter.layer, Window(0, 0, 20, 20), 1, None, 0)
        edit.paint(counter.layer, Window(10, 10, 20, 20), 2, None, 1)
    counter.editor.set_tool("eraser")
    counter.click(15.5, 15.5)
    gone = under(2, (15.5, 15.5))
    assert not counter.ids(0)[gone].any()
    assert not counter.ids(1)[gone].any()
    assert counter.layer.areas == {1: 400 - gone.sum(), 2: 400 - gone.sum()}
    counter.editor.select(frozenset({2}))
    counter.click(12.5, 12.5, CONTROL)
    assert counter.ids(0)[12, 12] == 1
    assert counter.ids(1)[12, 12] == 0


def test_erasing_nothing_is_no_step(counter):
    counter.editor.set_tool("eraser")
    counter.drag((10.5, 10.5), (40.5, 40.5))
    assert counter.document.history.done == 1


def test_erasing_all_of_a_segment_removes_it(counter):
    counter.click(20.5, 30.5)
    counter.editor.set_tool("eraser")
    counter.editor.set_radius(10)
    counter.click(20.5, 30.5)
    assert not counter.layer.segments
    counter.document.undo()
    assert 1 in counter.layer.segments


# Fill.


def test_fill_takes_the_region_that_hangs_together(counter):
    ids = np.zeros((60, 80), np.int32)
    ids[10:30, 10:30] = 1
    ids[12:28, 12:28] = 0
    counter.segment(ids)
    counter.editor.set_tool("fill")
    counter.editor.set_category(2)
    counter.click(20.5, 20.5)
    new = counter.layer.segment_of(2).id
    expected = ids.copy()
    expected[12:28, 12:28] = new
    np.testing.assert_array_equal(counter.ids(), expected)
    counter.click(500, 20.5)
    assert counter.document.history.done == 3


def test_filling_much_happens_beside_the_window(user, qtbot):
    user.open(np.zeros((2100, 2100, 3), np.uint8))
    user.editor.set_tool("fill")
    user.click(20.5, 20.5)
    assert not user.layer.areas
    qtbot.waitUntil(lambda: user.layer.areas == {1: 2100 * 2100}, timeout=5000)


def test_a_late_fill_is_dropped(user, qtbot):
    user.open(np.zeros((2100, 2100, 3), np.uint8))
    user.editor.set_tool("fill")
    user.click(20.5, 20.5)
    edits.change_layer(user.document, user.layer.id, "Opacity", opacity=0.3)
    qtbot.waitUntil(lambda: bool(user.messages), timeout=5000)
    assert "changed meanwhile" in user.messages[0]
    assert not user.layer.areas


# Polygon and lasso.


def test_a_polygon_is_closed_by_enter(counter):
    counter.editor.set_tool("polygon")
    for corner in ((10, 10), (30, 10), (30, 40), (50, 50), (10, 40)):
        counter.click(*corner)
    assert counter.key(KEY.Key_Backspace)
    assert counter.key(KEY.Key_Z, CONTROL)
    counter.click(10, 40)
    counter.see()
    assert counter.key(KEY.Key_Return)
    expected = np.zeros((60, 80), np.int32)
    expected[10:40, 10:30] = 1
    np.testing.assert_array_equal(counter.ids(), expected)
    assert counter.document.history.names[-1] == "Polygon"
    assert not counter.key(KEY.Key_Return)


def test_a_polygon_is_closed_by_a_double_click_or_at_its_first_corner(counter):
    counter.editor.set_tool("polygon")
    counter.click(10, 10)
    counter.click(30, 10)
    counter.double_click(30, 30)
    _, triangle = polygon(np.array([(10.5, 10.5), (30.5, 10.5), (30.5, 30.5)]), IMAGE)
    assert counter.layer.areas == {1: triangle.sum()}
    for corner in ((50, 10), (70, 10), (70, 30), (50, 30), (52, 12)):
        counter.click(*corner)
    assert counter.layer.areas[2] == 400


def test_escape_forgets_a_polygon_and_other_keys_pass(counter):
    counter.editor.set_tool("polygon")
    counter.click(10, 10)
    counter.click(30, 10)
    assert not counter.key(KEY.Key_B)
    assert counter.key(KEY.Key_Escape)
    assert not counter.key(KEY.Key_Escape)
    assert counter.document.history.done == 1


def test_a_polygon_waits_for_the_user_to_come_back(counter):
    counter.editor.set_tool("polygon")
    for corner in ((10, 10), (30, 10), (30, 30)):
        counter.click(*corner)
    counter.editor.set_tool("pan")
    counter.drag((40, 40), (45, 45))
    counter.editor.set_tool("polygon")
    counter.key(KEY.Key_Return)
    assert counter.layer.areas


def test_a_lasso_that_crosses_itself_leaves_a_hole(counter):
    counter.editor.set_tool("lasso")
    outer = [(10, 10), (50, 10), (50, 50), (10, 50), (10, 10)]
    inner = [(20, 20), (40, 20), (40, 40), (20, 40), (20, 20), (10, 10)]
    counter.drag(*outer, *inner)
    assert counter.layer.areas == {1: 1600 - 400}
    counter.press(10, 10)
    counter.move(50, 10)
    counter.move(50, 50)
    counter.see()
    assert counter.key(KEY.Key_Escape)
    counter.release(50, 50)
    assert len(counter.layer.segments) == 1


# Magic wand.


def test_the_wand_takes_what_looks_alike(user):
    pixels = np.full((60, 80, 3), 100, np.uint8)
    pixels[10:30, 10:30] = 180
    pixels[15:20, 15:20] = 190
    pixels[40:50, 10:30] = 180  # alike, but apart
    user.open(pixels, "instance")
    user.editor.set_tool("wand")
    user.press(12.5, 12.5)
    user.see()
    user.release(12.5, 12.5)
    assert user.layer.areas == {1: 400}
    user.document.undo()
    user.press(12.5, 12.5)
    user.move(0.5, 12.5)
    user.move(-26.5, 12.5)
    user.release(-26.5, 12.5)
    assert user.layer.areas == {1: 400 - 25}, "dragged left for less"


def test_the_wand_is_as_fine_as_the_zoom(user):
    pixels = np.full((600, 800, 3), 100, np.uint8)
    pixels[101:300, 101:300] = 180
    user.open(pixels, scale=0.4)
    user.editor.set_tool("wand")
    user.click(200.5, 200.5)
    assert user.ids()[102:298, 102:298].all()
    assert not user.ids()[:100].any()
    assert user.layer.areas[1] == pytest.approx(199 * 199, abs=2 * 4 * 200)


def test_escape_forgets_the_wands_region(user):
    user.open(GREY)
    user.editor.set_tool("wand")
    user.press(10.5, 10.5)
    assert user.key(KEY.Key_Escape)
    user.release(10.5, 10.5)
    user.click(-3, -3)
    assert not user.layer.areas


# Prompts.


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


# Select.


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


# Moving around.


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
