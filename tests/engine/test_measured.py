"""Which measurements of a layer still hold after it has changed."""

import numpy as np
import pytest

from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.measure import measure
from segdesk.core.segmentation import Segment
from segdesk.engine import edits, measured
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState

IDS = np.array([1, 2, 3, 4])


@pytest.fixture
def document():
    """Segment 1 and 2 on one tile, 3 on another, 4 across all."""
    document = Document(ArrayImage(np.zeros((300, 600, 1), np.uint8)))
    layer = edits.add_layer(document, LayerState("cells", "instance"))
    with document.edit("Paint") as edit:
        edit.set_segments(layer, {i: Segment(i, 1) for i in IDS.tolist()})
        edit.paint(layer, Window(0, 280, 600, 5), 4)
        for segment_id, x in ((1, 10), (2, 100), (3, 400)):
            edit.paint(layer, Window(x, 20, 30, 30), segment_id)
    return document


def measure_now(document):
    segmentation = document.active.segmentation()
    return measured.Measured(segmentation, measure(segmentation, document.image))


def paint(document, window, segment_id, plane=0):
    with document.edit("Paint") as edit:
        edit.paint(document.active, window, segment_id, plane=plane)


def holding(known):
    return IDS[~np.isnan(known.values("area_px", IDS))].tolist()


def test_only_what_lost_or_gained_pixels_is_dropped(document):
    known = measure_now(document)
    assert known.values("area_px", IDS).tolist() == [900, 900, 900, 3000]
    paint(document, Window(100, 20, 5, 5), 1)
    known.outdate(document.active.planes, None)
    assert holding(known) == [3, 4]
    assert np.isnan(known.values("area_px", np.array([99])))


def test_only_the_tiles_in_question_are_looked_at(document):
    known = measure_now(document)
    paint(document, Window(10, 20, 5, 5), 0)
    paint(document, Window(400, 20, 5, 5), 0)
    known.outdate(document.active.planes, {(1, 0, 0)})
    assert holding(known) == [1, 2, 4]


def test_writing_the_same_again_drops_nothing(document):
    known = measure_now(document)
    with document.edit("Paint and take back") as edit:
        edit.paint(document.active, Window(10, 20, 5, 5), 0)
        edit.paint(document.active, Window(10, 20, 5, 5), 1)
    known.outdate(document.active.planes, None)
    assert holding(known) == [1, 2, 3, 4]


def test_a_plane_that_came_later_counts(document):
    known = measure_now(document)
    with document.edit("Overlap") as edit:
        edit.add_planes(document.active, 1)
        edit.paint(document.active, Window(0, 0, 9, 9), 2, plane=1)
    known.outdate(document.active.planes, None)
    assert holding(known) == [1, 3, 4]


def test_when_too_much_has_changed_nothing_holds(document, monkeypatch):
    monkeypatch.setattr(measured, "MOST_TILES", 0)
    known = measure_now(document)
    paint(document, Window(10, 20, 5, 5), 0)
    known.outdate(document.active.planes, None)
    assert holding(known) == []
