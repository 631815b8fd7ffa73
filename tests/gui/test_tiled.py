"""Segmenting in tiles in the window: a proposal that grows, stops, goes on, and is one step."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QCheckBox, QLineEdit, QSpinBox

from segdesk.core.geometry import Window
from segdesk.engine import folders
from segdesk.engine.registry import forget_plugins
from segdesk.gui.tiled import TileOptions
from tests.gui.windows import open_image, paint, shown_window

PLUGIN = """
import time

import numpy as np
from segdesk.api import Category, Segment, SegmenterSpec, SegmentIds, hookimpl

class Session:
    def segment(self, request, report):
        for _ in range(3):
            report(0.5, "Thinking")
            time.sleep(0.01)
        ids = (request.rgb[..., 0] > 100).astype(np.int32)
        return SegmentIds(ids, (Segment(1, 1),), (Category(1, "bright", (9, 9, 9)),), "instance")

    def close(self):
        pass

@hookimpl
def segdesk_segmenters():
    return [SegmenterSpec("tiled", "Tiled", "instance", lambda *_: Session(), tile=64)]
"""
AREA = 60 * 380


@pytest.fixture
def window(qtbot, tmp_path):
    folders.plugin_folder().mkdir(parents=True)
    (folders.plugin_folder() / "tiled.py").write_text(PLUGIN)
    forget_plugins()
    pixels = np.zeros((200, 400, 3), np.uint8)
    pixels[70:130, 10:390] = 200
    Image.fromarray(pixels).save(tmp_path / "bar.png")
    with shown_window(qtbot) as window:
        open_image(qtbot, window, tmp_path / "bar.png")
        window.bench.segmenting.choice.choose("tiled")
        window.bench.segmenting.choice.set_tiles(TileOptions(in_tiles=True))
        yield window
    forget_plugins()


def run(qtbot, window):
    window.bench.segmenting.run()
    qtbot.waitUntil(lambda: not window.bench.segmenting.is_running, timeout=30_000)


def area(window):
    return sum(window.bench.proposal.areas.values())


def test_the_proposal_grows_and_is_one_step(qtbot, window):
    bench, grown = window.bench, []
    bench.segmenting._tiled.grown.connect(lambda attempt: grown.append(attempt.proposal.done))
    run(qtbot, window)
    assert len(grown) > 3
    assert grown == sorted(grown)
    proposal = bench.proposal
    assert (area(window), len(proposal.segments)) == (AREA, 1)
    assert window.editor.document.history.names == ("Result of Tiled",)
    assert window.editor.document.active is proposal
    bench.undo()
    assert bench.proposal is None
    bench.redo()
    assert area(window) == AREA


def test_stop_keeps_the_tiles_and_run_goes_on(qtbot, window):
    bench, messages = window.bench, []
    window.editor.message.connect(messages.append)
    bench.segmenting._tiled.grown.connect(
        lambda attempt: attempt.proposal.done > 6 and bench.segmenting.stop()
    )
    run(qtbot, window)
    first = bench.proposal
    assert 0 < area(window) < AREA
    assert "tiles; run it again to go on." in messages[-1]
    bench.segmenting._tiled.grown.disconnect()
    run(qtbot, window)
    assert bench.proposal is first
    assert area(window) == AREA
    assert len(first.segments) == 1
    assert window.editor.document.history.names == ("Result of Tiled",)


def test_after_other_work_a_run_begins_anew_in_place_of_the_old_proposal(qtbot, window):
    bench = window.bench
    stop = bench.segmenting._tiled.grown.connect(lambda _: bench.segmenting.stop())
    run(qtbot, window)
    first = bench.proposal
    bench.segmenting._tiled.grown.disconnect(stop)
    paint(window, Window(0, 0, 5, 5))
    run(qtbot, window)
    assert bench.proposal is not first
    assert first not in window.editor.document.layers
    assert area(window) == AREA


def test_painting_meanwhile_is_a_step_of_its_own_and_nothing_is_lost(qtbot, window):
    bench, painted = window.bench, []

    def paint_once(_):
        if not painted:
            painted.append(paint(window, Window(0, 0, 5, 5)))

    bench.segmenting._tiled.grown.connect(paint_once)
    run(qtbot, window)
    assert area(window) == AREA
    names = window.editor.document.history.names
    assert (names[0], names[-1], len(names) > 2) == ("Result of Tiled", "Result of Tiled", True)
    while window.editor.document.history.last:
        bench.undo()
    assert not any(layer.state.is_proposal for layer in window.editor.document.layers)


def test_undo_in_the_middle_ends_the_growing(qtbot, window):
    bench = window.bench
    bench.segmenting._tiled.grown.connect(
        lambda attempt: attempt.proposal.done == 8 and bench.undo()
    )
    run(qtbot, window)
    assert bench.proposal is None


def test_only_what_is_in_view(qtbot, window):
    choice = window.bench.segmenting.choice
    choice.set_tiles(TileOptions(in_tiles=True, only_in_view=True))
    window.canvas.zoom_by(8)
    seen = window.canvas.visible_window()
    run(qtbot, window)
    assert area(window) == seen.intersection(Window(10, 70, 380, 60)).area < AREA


def test_the_panel_sets_how_to_cut(qtbot, window):
    from segdesk.gui.panels.segmenter import SegmenterPanel

    (panel,) = window.findChildren(SegmenterPanel)
    form, choice = panel.tiles, window.bench.segmenting.choice
    assert not form.isHidden()
    form.findChild(QCheckBox, "in_tiles").setChecked(True)
    form.findChild(QSpinBox, "tile_size").setValue(128)
    line = form.findChild(QLineEdit, "pixel_size")
    line.setText("0.5x")
    line.editingFinished.emit()
    assert choice.tiles == TileOptions(True, 128, "0.5x")
    choice.choose("scribble")
    assert form.isHidden()
