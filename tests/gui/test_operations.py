"""Operations from the menu: tried on a draft, taken over as one step, stopped, refused."""

import numpy as np
import pytest
import tifffile
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSpinBox

from segdesk.core.geometry import Window
from segdesk.core.raster import capsule
from segdesk.engine import edits
from segdesk.engine.operations import OPERATIONS, Holes, Parts, Small
from segdesk.engine.threshold import Range
from segdesk.gui import operating
from segdesk.gui.dialogs.operation import OperationDialog
from segdesk.gui.dialogs.threshold import ThresholdDialog
from segdesk.gui.operating import Order
from segdesk.gui.thresholding import Thresholding
from tests.gui.conftest import SHIFT
from tests.gui.windows import open_image, paint, shown_window, write_image


@pytest.fixture
def window(qtbot, tmp_path):
    """A window with a square ring and a dot on its layer."""
    with shown_window(qtbot) as window:
        open_image(qtbot, window, write_image(tmp_path / "cells.png"))
        paint(window, Window(10, 10, 10, 10))
        document = window.editor.document
        with document.edit("Erase") as edit:
            edit.paint(document.active, Window(13, 13, 4, 4), 0)
        paint(window, Window(40, 30, 2, 2))
        yield window


@pytest.fixture
def stack(qtbot, tmp_path):
    """A window with a stack of four frames, painted on the first and the last."""
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.zeros((4, 32, 32), np.uint8), photometric="minisblack")
    with shown_window(qtbot) as window:
        open_image(qtbot, window, path)
        document = window.editor.document
        with document.edit("Paint") as edit:
            segment_id = edits.segment_to_paint(edit, document.active, 1)
            for frame in (0, 3):
                edit.paint(document.active, Window(8, 8, 8, 8), segment_id, None, 0, frame)
        yield window


def layer_of(window):
    return window.editor.document.active


def dialog_of(qtbot, window, operation_id):
    operation = OPERATIONS[operation_id]
    target = window.bench.operating.target(operation)
    dialog = OperationDialog(window.bench.operating, operation, target, window)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_a_dialog_says_what_would_change_and_applies_that(qtbot, window):
    document = window.editor.document
    dialog = dialog_of(qtbot, window, "fill_holes")
    qtbot.waitUntil(lambda: "16 pixels more" in dialog.outcome.text())
    assert layer_of(window).areas == {1: 88}
    dialog.form.findChild(QSpinBox, "up_to").setValue(3)
    qtbot.waitUntil(lambda: dialog.outcome.text() == "No segment changes.")
    dialog.form.findChild(QSpinBox, "up_to").setValue(16)
    qtbot.waitUntil(lambda: "1 changed" in dialog.outcome.text())
    dialog.apply.click()
    assert layer_of(window).areas == {1: 104}
    assert document.history.names[-1] == "Fill holes"
    document.undo()
    assert layer_of(window).areas == {1: 88}


def test_apply_does_not_wait_for_the_trial(qtbot, window):
    dialog = dialog_of(qtbot, window, "fill_holes")
    dialog.apply.click()
    qtbot.waitUntil(lambda: layer_of(window).areas == {1: 104})


def test_much_is_not_tried_but_done_in_the_background(qtbot, window, monkeypatch):
    monkeypatch.setattr(operating, "CHEAP", 10)
    dialog = dialog_of(qtbot, window, "remove_small")
    qtbot.waitUntil(lambda: "in the background" in dialog.outcome.text())
    dialog.apply.click()
    qtbot.waitUntil(lambda: layer_of(window).areas == {1: 84})


def test_cancel_changes_nothing(qtbot, window):
    dialog = dialog_of(qtbot, window, "shrink")
    qtbot.waitUntil(lambda: "fewer" in dialog.outcome.text())
    dialog.reject()
    qtbot.wait(50)
    assert layer_of(window).areas == {1: 88}


def test_what_was_edited_meanwhile_stays(qtbot, window):
    bench = window.bench
    operation = OPERATIONS["fill_holes"]
    failures = []
    window.editor.failed.connect(failures.append)
    bench.operating.run(Order(operation, bench.operating.target(operation), Holes()))
    paint(window, Window(0, 0, 2, 2))
    qtbot.waitUntil(lambda: bool(failures))
    assert "edited meanwhile" in failures[0]
    assert layer_of(window).areas == {1: 92}


def test_a_refusal_is_shown(qtbot, window):
    bench = window.bench
    operation = OPERATIONS["split_parts"]
    bench.operating.run(Order(operation, bench.operating.target(operation), Parts()))
    qtbot.waitUntil(lambda: "convert it to instances" in window.message_bar.text)
    dialog = dialog_of(qtbot, window, "split_by_shape")
    qtbot.waitUntil(lambda: "convert it to instances" in dialog.outcome.text())
    dialog.reject()


def test_the_selection_is_the_target_and_nothing_else_changes(qtbot, window):
    bench, editor = window.bench, window.editor
    convert = OPERATIONS["convert"]
    bench.operating.run(Order(convert, bench.operating.target(convert)))
    qtbot.waitUntil(lambda: layer_of(window).areas == {1: 84, 2: 4})
    editor.select(frozenset({1}))
    small = OPERATIONS["remove_small"]
    target = bench.operating.target(small)
    assert bench.operating.words_of(target) == "1 selected segment of Layer 1"
    bench.operating.run(Order(small, target, Small(50)))
    qtbot.wait(100)
    assert layer_of(window).areas == {1: 84, 2: 4}
    editor.select(frozenset())
    assert bench.operating.words_of(bench.operating.target(small)) == "2 segments of Layer 1"


def test_actions_are_enabled_where_there_is_something_to_work_on(qtbot, window):
    window.actions_.refresh()
    assert window.actions_["fill_holes"].isEnabled()
    assert not window.actions_["copy_to_next_frame"].isEnabled()
    edits.change_layer(window.editor.document, layer_of(window).id, "Lock", locked=True)
    window.actions_.refresh()
    assert not window.actions_["fill_holes"].isEnabled()


def test_segments_are_carried_through_a_stack(qtbot, stack):
    stack.actions_.refresh()
    stack.actions_["fill_between_frames"].trigger()
    qtbot.waitUntil(lambda: layer_of(stack).areas == {1: 4 * 64})
    stack.editor.document.undo()
    stack.editor.set_frame(0)
    stack.actions_["copy_to_next_frame"].trigger()
    qtbot.waitUntil(lambda: layer_of(stack).areas == {1: 3 * 64})
    assert layer_of(stack).planes[0].at(9, 9, 1) == 1
    assert layer_of(stack).planes[0].at(9, 9, 2) == 0


def test_an_operation_may_be_for_the_frame_on_show_only(qtbot, stack):
    stack.editor.set_frame(3)
    dialog = dialog_of(qtbot, stack, "shrink")
    assert dialog.one_frame.isVisible()
    dialog.one_frame.setChecked(True)
    dialog.form.findChild(type(dialog.form.findChild(object, "by")), "by").setValue(1)
    qtbot.waitUntil(lambda: "28 pixels fewer" in dialog.outcome.text())
    dialog.apply.click()
    assert layer_of(stack).areas == {1: 64 + 36}


@pytest.fixture
def threshold(qtbot, window):
    """The dialog on an image with a bright square at (10, 10), of 10 x 10 pixels."""
    document = window.editor.document
    edits.delete_segments(document, layer_of(window).id, {1})
    qtbot.waitUntil(lambda: window.canvas.is_sharp)
    thresholding = Thresholding(window.editor, window.bench.operating, window.canvas)
    dialog = ThresholdDialog(thresholding, window)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(dialog.paint.isEnabled)
    return dialog


def test_a_threshold_is_shown_before_it_is_painted(qtbot, window, threshold):
    before = window.canvas.grab().toImage()
    assert threshold.share.text() == "3.3% of what is on show"
    threshold.low.setValue(0)
    assert threshold.share.text() == "100.0% of what is on show"
    assert window.canvas.grab().toImage() != before
    threshold.low.setValue(200)
    threshold.paint.click()
    qtbot.waitUntil(lambda: layer_of(window).areas == {1: 100})
    assert window.editor.document.history.names[-1] == "Threshold"


def test_a_threshold_taken_back_leaves_no_trace(qtbot, window, threshold):
    shown = window.canvas.grab().toImage()
    threshold.reject()
    assert window.canvas.grab().toImage() != shown
    assert not layer_of(window).areas


def test_brightness_is_a_value_too(qtbot, window, threshold):
    threshold.value.setCurrentIndex(threshold.value.count() - 1)
    qtbot.waitUntil(threshold.paint.isEnabled)
    assert threshold.high.value() <= 255
    threshold.low.setValue(90)
    threshold.high.setValue(110)
    threshold.accept()
    qtbot.waitUntil(lambda: layer_of(window).areas == {1: 64 * 48 - 100})


class TestThresholdBrush:
    def test_it_paints_what_is_in_the_range_under_the_stroke(self, user, qtbot):
        pixels = np.full((60, 80, 3), 10, np.uint8)
        pixels[:, 40:] = 200
        user.open(pixels, "instance")
        user.editor.set_tool("threshold_brush")
        user.editor.set_radius(5)
        user.drag((30, 20), (50, 20))
        assert "Choose a range" in user.messages[-1]
        user.editor.range = Range(100, 255, 1)
        user.press(30, 20)
        user.move(50, 20)
        user.see()
        user.release(50, 20)
        qtbot.waitUntil(lambda: bool(user.layer.areas))
        window, mask = capsule((30.5, 20.5), (50.5, 20.5), 5, Window(0, 0, 80, 60))
        expected = np.zeros((60, 80), bool)
        expected[window.slices] = mask
        expected[:, :40] = False
        assert ((user.ids() > 0) == expected).all()
        steps = user.document.history.done
        user.drag((45, 20), (45, 40))
        qtbot.waitUntil(lambda: user.document.history.done == steps + 1)
        assert set(user.layer.segments) == {1}


class TestKnife:
    @pytest.fixture
    def butcher(self, counter):
        ids = np.zeros((60, 80), np.int32)
        ids[10:30, 10:30], ids[10:30, 40:60] = 1, 2
        counter.segment(ids)
        counter.editor.set_tool("knife")
        return counter

    def test_a_line_splits_what_it_leads_through(self, butcher, qtbot):
        before = butcher.ids()
        butcher.drag((20, 2), (20, 20), (20, 40))
        qtbot.waitUntil(lambda: 3 in butcher.layer.segments)
        assert butcher.messages[-1] == "1 segment split off."
        after = butcher.ids()
        assert (after[before == 2] == 2).all()
        assert (np.isin(after, (1, 3)) == (before == 1)).all()
        assert len({after[20, 12], after[20, 28]}) == 2
        butcher.document.undo()
        assert (butcher.ids() == before).all()

    def test_only_the_selection_is_cut_and_shift_is_straight(self, butcher, qtbot):
        butcher.editor.select(frozenset({2}))
        butcher.press(2, 20)
        for x in (10, 30, 78):
            butcher.move(x, 5 if x < 70 else 20, SHIFT)
        butcher.see()
        butcher.release(78, 20)
        qtbot.waitUntil(lambda: 3 in butcher.layer.segments)
        assert butcher.layer.areas[1] == 400
        assert butcher.layer.areas[2] + butcher.layer.areas[3] == 400

    def test_a_line_that_ends_inside_says_so(self, butcher, qtbot):
        butcher.drag((20, 2), (20, 20))
        qtbot.waitUntil(lambda: bool(butcher.messages))
        assert "leads through no segment" in butcher.messages[-1]
        assert set(butcher.layer.segments) == {1, 2}

    def test_escape_forgets_the_line(self, butcher):
        steps = butcher.document.history.done
        butcher.press(20, 2)
        butcher.move(20, 40)
        butcher.key(Qt.Key.Key_Escape)
        butcher.release(20, 40)
        assert butcher.document.history.done == steps

    def test_a_semantic_layer_is_refused(self, painter, qtbot):
        painter.segment(np.ones((60, 80), np.int32))
        painter.editor.set_tool("knife")
        painter.drag((20, -2), (20, 70))
        qtbot.waitUntil(lambda: bool(painter.messages))
        assert "convert it to instances" in painter.messages[-1]
