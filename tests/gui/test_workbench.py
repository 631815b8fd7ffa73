"""Segmenting, teaching and exporting, with a stranger's plugin in a process of its own."""

import json
import time
from threading import Event

import numpy as np
import psutil
import pytest
from PIL import Image
from PySide6.QtWidgets import QSpinBox

from segdesk.core.geometry import Window
from segdesk.core.prompts import Scribble
from segdesk.engine import folders
from segdesk.engine.registry import forget_plugins
from segdesk.gui import operating
from segdesk.gui.exporting import Order
from segdesk.gui.job_bar import JobBar
from segdesk.gui.lanes import Lane
from tests.gui.windows import on_show, open_image, paint, shown_window, write_image

PLUGIN = """
import time
from dataclasses import dataclass
import numpy as np
from segdesk.api import (
    Category, Example, PromptError, Scribble, Segment, SegmenterSpec, SegmentIds, hookimpl
)

@dataclass(frozen=True)
class Options:
    threshold: int = 200
    seconds: float = 0.0
    fails: bool = False

class Session:
    def __init__(self, *args):
        pass

    def segment(self, request, report):
        options = request.options
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            report(0.5, "Thinking")
            time.sleep(0.01)
        if options.fails:
            raise PromptError("It asks for more strokes.")
        ids = (request.pixels[..., 0] > options.threshold).astype(np.int32)
        ids[-1, : len(request.prompts)] = 1
        categories = (Category(1, "object", (9, 9, 9)),)
        return SegmentIds(ids, (Segment(1, 1, state="proposed"),), categories)

    def close(self):
        pass

@hookimpl
def segdesk_segmenters():
    return [
        SegmenterSpec("bright", "Bright", "semantic", Session, options=Options),
        SegmenterSpec(
            "strokes", "Strokes", "semantic", Session, frozenset({Scribble, Example}), Options,
            live=True,
        ),
    ]
"""


@pytest.fixture
def window(qtbot):
    folders.plugin_folder().mkdir(parents=True)
    (folders.plugin_folder() / "bright.py").write_text(PLUGIN)
    forget_plugins()
    with shown_window(qtbot) as window:
        yield window
    forget_plugins()


@pytest.fixture
def bench(window, qtbot, tmp_path):
    write_image(tmp_path / "b.png", level=120)
    open_image(qtbot, window, write_image(tmp_path / "a.png"))
    window.bench.segmenting.choice.choose("bright")
    return window.bench


def set_options(bench, **values):
    choice = bench.segmenting.choice
    choice.set_options(type(choice.options)(**values))


def stroke(window, x=5.0, category=1):
    window.editor.add_prompt(Scribble(np.array([[x, 5.0], [x + 9, 5.0]]), 2.0, category))


def trigger(qtbot, window, action_id):
    qtbot.waitUntil(window.actions_[action_id].isEnabled)
    window.actions_[action_id].trigger()


def workers():
    """Return the worker processes; multiprocessing has a helper of its own beside them."""
    children = psutil.Process().children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def wait_for_proposal(qtbot, bench):
    qtbot.waitUntil(lambda: bench.proposal is not None, timeout=20_000)
    return bench.proposal


class TestRun:
    def test_the_answer_is_a_proposal_and_nothing_painted_changes(self, window, bench, qtbot):
        paint(window, Window(12, 12, 30, 30))
        bench.segmenting.run()
        proposal = wait_for_proposal(qtbot, bench)
        document = window.editor.document
        assert document.layers[0].areas == {1: 900}
        assert proposal.areas == {1: 100}
        assert document.active is proposal
        qtbot.waitUntil(lambda: window.review_bar.is_judging)
        assert "1 segment" in window.review_bar.text

    def test_accept_joins_it_to_the_painted_layer_and_can_be_undone(self, window, bench, qtbot):
        paint(window, Window(0, 0, 5, 5))
        bench.segmenting.run()
        wait_for_proposal(qtbot, bench)
        trigger(qtbot, window, "accept")
        (layer,) = window.editor.document.layers
        assert layer.areas == {1: 125}
        bench.undo()
        assert bench.proposal
        bench.undo()
        assert not bench.proposal

    def test_reject_leaves_what_was_there(self, window, bench, qtbot):
        bench.segmenting.run()
        wait_for_proposal(qtbot, bench)
        trigger(qtbot, window, "reject")
        assert [layer.state.name for layer in window.editor.document.layers] == ["Layer 1"]
        qtbot.waitUntil(lambda: not window.review_bar.is_judging)

    def test_a_second_answer_replaces_the_first(self, window, bench, qtbot):
        bench.segmenting.run()
        first = wait_for_proposal(qtbot, bench)
        set_options(bench, threshold=50)
        bench.segmenting.run()
        qtbot.waitUntil(lambda: bench.proposal not in (first, None), timeout=20_000)
        assert bench.proposal.areas == {1: 64 * 48}
        assert len(window.editor.document.layers) == 2

    def test_stop_ends_the_job_and_the_next_one_works(self, window, bench, qtbot):
        set_options(bench, seconds=60)
        bench.segmenting.run()
        qtbot.waitUntil(lambda: window.status.jobs.isVisible(), timeout=20_000)
        qtbot.waitUntil(lambda: "Thinking" in window.status.jobs.text, timeout=20_000)
        with qtbot.waitSignal(bench.segmenting.running_changed, timeout=10_000):
            trigger(qtbot, window, "stop")
        assert not bench.segmenting.is_running
        assert not window.status.jobs.isVisible()
        assert not bench.proposal
        set_options(bench)
        bench.segmenting.run()
        wait_for_proposal(qtbot, bench)

    def test_options_reach_the_segmenter_from_the_form(self, window, bench, qtbot):
        form = window.docks["segmenter"].widget().form
        form.findChild(QSpinBox, "threshold").setValue(50)
        assert bench.segmenting.choice.options.threshold == 50
        set_options(bench, threshold=60)
        assert form.findChild(QSpinBox, "threshold").value() == 60
        bench.segmenting.run()
        assert wait_for_proposal(qtbot, bench).areas == {1: 64 * 48}

    def test_much_is_changed_beside_the_window(self, window, bench, qtbot, monkeypatch):
        monkeypatch.setattr(operating, "CHEAP", 10)
        document, layer = window.editor.document, window.editor.document.active
        paint(window, Window(0, 0, 5, 5))
        bench.segmenting.run()
        proposal = wait_for_proposal(qtbot, bench)
        bench.accept()
        assert bench.proposal is proposal
        qtbot.waitUntil(lambda: bench.proposal is None, timeout=5000)
        assert document.history.names[-1] == "Accept proposal"
        document.activate(layer.id)
        bench.select_all()
        bench.delete_segments()
        assert layer.segments
        qtbot.waitUntil(lambda: not layer.segments, timeout=5000)
        bench.undo()
        assert layer.segments

    def test_segments_that_are_gone_cannot_be_deleted(self, window, bench, qtbot):
        paint(window, Window(0, 0, 5, 5))
        window.editor.select(frozenset({1}))
        bench.undo()
        done = window.editor.document.history.done
        bench.delete_segments()
        bench.merge_segments()
        assert window.editor.document.history.done == done

    def test_a_failure_is_told_and_changes_nothing(self, window, bench, qtbot):
        set_options(bench, fails=True)
        done = window.editor.document.history.done
        with qtbot.waitSignal(window.editor.failed, timeout=20_000) as signal:
            bench.segmenting.run()
        assert "more strokes" in signal.args[0]
        assert window.editor.document.history.done == done

    def test_an_answer_finds_its_image_after_the_user_has_gone_on(
        self, window, bench, qtbot, tmp_path
    ):
        document = window.editor.document
        set_options(bench, seconds=0.3)
        bench.segmenting.run()
        bench.opening.step(1)
        qtbot.waitUntil(lambda: on_show(window) == tmp_path / "b.png")
        qtbot.waitUntil(lambda: len(document.layers) == 2, timeout=20_000)
        assert not bench.proposal
        bench.opening.step(-1)
        qtbot.waitUntil(lambda: on_show(window) == tmp_path / "a.png")
        assert bench.proposal.areas == {1: 100}

    def test_a_segmenter_without_what_it_needs_says_so(self, window, bench, qtbot):
        bench.segmenting.choice.choose("strokes")
        qtbot.waitUntil(lambda: not window.actions_["run"].isEnabled())
        with qtbot.waitSignal(window.editor.failed) as signal:
            bench.segmenting.run()
        assert "scribble" in signal.args[0]

    def test_closing_the_window_ends_the_job_and_its_process(self, window, bench, qtbot):
        set_options(bench, seconds=60)
        bench.segmenting.run()
        qtbot.waitUntil(lambda: "Thinking" in window.status.jobs.text, timeout=20_000)
        (worker,) = workers()
        window.close()
        assert not worker.is_running()


def test_job_bar_shows_the_oldest_job_and_how_many_wait(qtbot):
    bar, lane, gate = JobBar(), Lane("disk"), Event()
    qtbot.addWidget(bar)

    def work(report):
        while not gate.is_set():
            report(0.25, "Working")
            time.sleep(0.005)

    jobs = [lane.submit(work, title) for title in ("First", "Second", "Third")]
    for job in jobs:
        bar.add(job)
    qtbot.waitUntil(lambda: bar.text == "First: Working")
    assert not bar.isHidden()
    assert bar.more.text() == "+2"
    bar.stop.click()
    qtbot.waitUntil(lambda: bar.text == "Second: Working")
    bar.more.menu().aboutToShow.emit()
    (stop_third,) = bar.more.menu().actions()
    stop_third.trigger()
    gate.set()
    qtbot.waitUntil(bar.isHidden)
    lane.close()


class TestLive:
    def test_each_stroke_is_answered_and_undone_with_its_answer(self, window, bench, qtbot):
        bench.segmenting.choice.choose("strokes")
        stroke(window)
        assert wait_for_proposal(qtbot, bench).areas == {1: 101}
        stroke(window, 20.0)
        qtbot.waitUntil(lambda: bench.proposal.areas == {1: 102}, timeout=20_000)
        assert window.editor.document.active.state.name == "Layer 1"
        bench.undo()
        assert bench.proposal.areas == {1: 101}
        assert len(window.editor.document.prompts) == 1
        bench.undo()
        assert not bench.proposal

    def test_only_the_newest_state_is_answered(self, window, bench, qtbot):
        bench.segmenting.choice.choose("strokes")
        stroke(window)
        wait_for_proposal(qtbot, bench)
        set_options(bench, seconds=0.2)
        seen = []
        window.editor.updated.connect(
            lambda _: seen.append(dict(bench.proposal.areas)) if bench.proposal else None
        )
        for x in range(4):
            stroke(window, float(x))
            qtbot.wait(60)
        qtbot.waitUntil(lambda: bench.proposal.areas == {1: 105}, timeout=20_000)
        assert {areas[1] for areas in seen} == {101, 105}

    def test_a_stroke_that_is_not_enough_is_no_alarm(self, window, bench, qtbot):
        bench.segmenting.choice.choose("strokes")
        set_options(bench, fails=True)
        with qtbot.waitSignal(window.editor.message, timeout=20_000):
            stroke(window)
        assert not window.message_bar.text

    def test_a_prompt_chooses_a_segmenter_that_takes_it(self, window, bench, qtbot):
        assert bench.segmenting.choice.spec.id == "bright"
        stroke(window)
        stroke(window, 30.0, category=0)
        assert Scribble in bench.segmenting.choice.spec.prompts
        wait_for_proposal(qtbot, bench)

    def test_live_can_be_switched_off(self, window, bench, qtbot):
        bench.segmenting.choice.choose("strokes")
        bench.segmenting.choice.set_live(False)
        stroke(window)
        qtbot.wait(150)
        assert not bench.segmenting.is_busy
        assert not bench.proposal


class TestTeaching:
    def test_a_painted_image_becomes_an_example_for_the_next(self, window, bench, qtbot, tmp_path):
        bench.segmenting.choice.choose("strokes")
        bench.segmenting.choice.set_live(False)
        paint(window, Window(10, 10, 10, 10))
        with qtbot.waitSignal(bench.segmenting.choice.changed):
            trigger(qtbot, window, "add_example")
        (example,) = bench.segmenting.choice.examples
        assert example.name == "a.png"
        assert example.labels.sum() == 100
        assert example.rgb[15, 15].tolist() == [250, 250, 250]
        bench.opening.step(1)
        qtbot.waitUntil(lambda: on_show(window) == tmp_path / "b.png")
        bench.segmenting.run()
        assert wait_for_proposal(qtbot, bench).areas == {1: 101}

    def test_an_untouched_image_cannot_be_an_example(self, window, bench, qtbot):
        with qtbot.waitSignal(window.editor.failed) as signal:
            bench.teaching.add()
        assert "a.png" in signal.args[0]


class TestExporting:
    def test_files_are_written(self, window, bench, qtbot, tmp_path):
        paint(window, Window(0, 0, 8, 8))
        out = tmp_path / "out"
        out.mkdir()
        layer = window.editor.document.active
        with qtbot.waitSignal(bench.exporting.exported, timeout=20_000):
            bench.exporting.start(Order(layer.id, ("png", "coco"), out, "a"))
        with Image.open(out / "a.png") as image:
            assert np.asarray(image).sum() == 64
        assert len(json.loads((out / "a_coco.json").read_text())["annotations"]) == 1

    def test_a_folder_that_is_gone_is_named(self, window, bench, qtbot, tmp_path):
        paint(window, Window(0, 0, 8, 8))
        layer = window.editor.document.active
        with qtbot.waitSignal(window.editor.failed) as signal:
            bench.exporting.start(Order(layer.id, ("png",), tmp_path / "gone", "a"))
        assert "gone" in signal.args[0]
        assert bench.shelf.unnamed() == ["a.png"]
