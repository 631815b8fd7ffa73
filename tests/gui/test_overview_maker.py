"""Overviews of large label maps: made on a lane, while the window goes on."""

import numpy as np
import pytest

from segdesk.core.errors import ProjectError
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.engine import edits
from segdesk.engine.layer import LayerState
from segdesk.gui.canvas import overview_maker
from tests.gui.conftest import RED

SIDE = 2048
CELLS = (np.arange(64 * 64).reshape(64, 64) % 9 + 1).repeat(32, 0).repeat(32, 1)


@pytest.fixture
def crowded(user, monkeypatch):
    """A user whose layer is full, seen from afar, with few tiles counting as many."""
    monkeypatch.setattr(overview_maker, "MANY", 20)
    user.open(np.zeros((SIDE, SIDE, 3), np.uint8))
    user.look(0.125)
    return user


def put(user, labels):
    segments = {i: Segment(i, 1) for i in range(1, 10)}
    state = LayerState("Cells", "instance", (Category(0, "nothing", (0, 0, 0)), RED))
    content = Segmentation("instance", (labels,), segments, state.categories)
    return edits.add_layer(user.document, state, content)


def test_what_is_painted_meanwhile_is_shown_too(crowded):
    layer = put(crowded, LabelMap.of_array(CELLS))
    crowded.canvas.repaint()
    assert not crowded.canvas.is_sharp
    with crowded.document.edit("Clear") as edit:
        edit.paint(layer, layer.planes[0].window, 0)
    crowded.wait_for_tiles()
    assert not (crowded.see() > 0).any(axis=2)[5:200, 5:200].any()
    crowded.document.undo()
    crowded.wait_for_tiles()
    shown = layer.planes[0].overview(3).read(layer.planes[0].overview(3).window)
    np.testing.assert_array_equal(shown, CELLS[::8, ::8])


def test_a_damaged_tile_is_told_of_once(crowded, monkeypatch):
    labels = LabelMap.of_array(CELLS)
    labels.areas()  # known before the damage, as in a project
    labels.packed((3, 3, 0))

    def fail(self):
        raise ProjectError("A part of the project is damaged.")

    monkeypatch.setattr("segdesk.core.packed.PackedTile.unpack", fail)
    layer = put(crowded, labels)
    crowded.canvas.repaint()
    crowded._qtbot.waitUntil(lambda: bool(crowded.messages))
    for _ in range(5):
        crowded.canvas.repaint()
        crowded._qtbot.wait(20)
    words = "A part of the project is damaged. What cannot be read is shown as empty."
    assert crowded.messages == [words]
    assert layer.segments
