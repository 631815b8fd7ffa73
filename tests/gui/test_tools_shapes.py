import numpy as np
import pytest
from PySide6.QtCore import Qt

from segdesk.core.geometry import Window
from segdesk.core.raster import Polygon
from segdesk.engine import edits
from tests.gui.conftest import CONTROL
from tests.gui.test_huge_images import Computed

GREY = np.full((60, 80, 3), 100, np.uint8)
IMAGE = Window(0, 0, 80, 60)
KEY = Qt.Key


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
    assert "edited meanwhile" in user.messages[0]
    assert not user.layer.areas


def test_shapes_as_large_as_an_image_beyond_memory_are_painted(user, qtbot):
    side = 40_000
    user.open(Computed(side))
    user.canvas.fit()
    user.editor.set_tool("fill")
    with user.document.edit("Walls") as edit:
        edits.segment_to_paint(edit, user.layer, 1)
        for x in (10_000, 25_000):
            edit.paint(user.layer, Window(x, 0, 1, side), 1)
    user.editor.set_category(2)
    user.click(20_000, 20_000)
    qtbot.waitUntil(lambda: 2 in user.layer.areas, timeout=60_000)
    assert user.layer.areas == {1: 2 * side, 2: (25_000 - 10_001) * side}


def test_a_wide_polygon_is_painted_beside_the_window(user, qtbot):
    side = 100_000
    user.open(Computed(side))
    user.canvas.fit()
    user.editor.set_tool("polygon")
    for corner in ((1000, 1000), (41_000, 1000), (41_000, 9000), (1000, 9000)):
        user.click(*corner)
    assert user.key(KEY.Key_Return)
    qtbot.waitUntil(lambda: bool(user.layer.areas), timeout=60_000)
    x, y = user.canvas.to_image(user.at(1000, 1000))
    assert user.layer.areas[1] == pytest.approx(40_000 * 8000, rel=0.2)
    assert user.layer.segment_at(int(x) + 9, int(y) + 9) == 1
    assert user.layer.segment_at(int(x) - 9, int(y) + 9) == 0


def test_a_wand_from_afar_paints_all_pixels_under_it(user, qtbot):
    pixels = np.zeros((3000, 2500, 3), np.uint8)
    pixels[1000:2001, 500:] = 255
    user.open(pixels, scale=0.1)
    user.editor.set_tool("wand")
    user.click(1500, 1500)
    qtbot.waitUntil(lambda: bool(user.layer.areas), timeout=20_000)
    ids = user.ids()
    assert ids[1008:1992, 508:].all()
    assert not ids[:992].any()
    assert not ids[2016:].any()


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
    shape = Polygon(np.array([(10.5, 10.5), (30.5, 10.5), (30.5, 30.5)]), IMAGE)
    triangle = shape.mask(shape.window)
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
