import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QApplication

from segdesk.core.display import Display
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.segmentation import Segment
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.gui.tools.painting import Brushload
from tests.gui.conftest import CONTROL, RIGHT, SHIFT
from tests.gui.test_huge_images import Computed

GREY = np.full((60, 80, 3), 100, np.uint8)
IMAGE = Window(0, 0, 80, 60)
KEY = Qt.Key


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


def test_a_line_across_a_huge_image_takes_little_memory(user, monkeypatch):
    side = 100_000
    user.open(Computed(side))
    user.canvas.fit()
    user.editor.set_tool("brush")
    user.editor.set_radius(40)
    largest = []
    monkeypatch.setattr(Brushload, "paint", _noting(Brushload.paint, largest))
    user.click(1000, 1000)
    user.click(90_000, 90_000, SHIFT)
    assert max(largest) <= 700**2
    assert user.layer.areas[1] == pytest.approx(80 * 2**0.5 * 89_000, rel=0.02)
    assert len(user.document.history.names) == 3


def _noting(paint, largest):
    def noting(load, window, mask):
        largest.append(mask.size)
        paint(load, window, mask)

    return noting
