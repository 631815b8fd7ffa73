"""The document: who is told what, and which layer is active."""

import numpy as np
import pytest

from segdesk.core.geometry import Window
from segdesk.core.segmentation import Segment
from segdesk.engine import edits
from segdesk.engine.layer import LayerState
from tests.engine.frozen import add_layer, document_of, freeze, paint, pixels

ALL = Window(0, 0, 12, 9)


@pytest.fixture
def heard():
    return []


@pytest.fixture
def document(heard):
    document = document_of()
    document.changed.connect(heard.append)
    return document


def whats(heard):
    return [update.what for update in heard]


def test_a_new_layer_is_active_and_told_of(document, heard):
    layer = add_layer(document)
    assert document.active is layer
    assert {"layers", "active", "history"} <= set(whats(heard))


def test_every_change_makes_a_new_version(document):
    layer = add_layer(document)
    before = document.version
    paint(document, layer, ALL, 1)
    assert document.version > before


def test_paint_tells_where(document, heard):
    layer = add_layer(document)
    heard.clear()
    paint(document, layer, Window(-2, 3, 5, 4), 1)
    where = {update.window for update in heard if update.what == "tiles"}
    assert Window(0, 3, 3, 4) in where
    assert {update.layer_id for update in heard if update.what == "tiles"} == {layer.id}


def test_undo_tells_where(document, heard):
    layer = add_layer(document)
    paint(document, layer, Window(1, 1, 2, 2), 1)
    heard.clear()
    document.undo()
    assert "tiles" in whats(heard) and "segments" in whats(heard) and whats(heard)[-1] == "history"
    around = next(update.window for update in heard if update.what == "tiles")
    assert around.intersection(Window(1, 1, 2, 2)) == Window(1, 1, 2, 2)


def test_when_the_active_layer_goes_the_topmost_one_is_active_and_told_of(document, heard):
    bottom, top = add_layer(document), add_layer(document)
    document.activate(top.id)
    heard.clear()
    edits.remove_layer(document, top.id)
    assert document.active is bottom
    assert ("active", bottom.id) in [(update.what, update.layer_id) for update in heard]
    edits.remove_layer(document, bottom.id)
    assert document.active is None


def test_choosing_the_active_layer_is_no_step(document):
    bottom, _ = add_layer(document), add_layer(document)
    steps = document.history.names
    document.activate(bottom.id)
    assert document.history.names == steps


def test_layer_ids_are_never_used_again(document):
    first = add_layer(document)
    edits.remove_layer(document, first.id)
    assert add_layer(document).id > first.id


def test_an_unknown_layer_is_a_key_error(document):
    with pytest.raises(KeyError):
        document.layer(5)


def test_an_error_takes_back_all_of_an_edit(document):
    layer = add_layer(document)
    paint(document, layer, Window(0, 0, 3, 3), 1)
    before, steps = freeze(document), document.history.names
    with pytest.raises(ZeroDivisionError), document.edit("Fails") as edit:
        edit.set_state(layer, LayerState("Other"))
        edit.set_segments(layer, {5: Segment(5, 1)})
        edit.set_segments(layer, {5: Segment(5, 2)})
        edit.paint(layer, ALL, 5)
        edit.set_layers(())
        _ = 1 / 0
    assert freeze(document) == before
    assert document.history.names == steps
    assert document.active is layer


def test_undo_in_the_middle_of_a_stroke_takes_back_the_stroke_so_far(document):
    layer = add_layer(document)
    paint(document, layer, Window(0, 0, 2, 9), 1)
    before = freeze(document)
    stroke = document.begin("Brush stroke")
    stroke.paint(layer, Window(0, 0, 12, 2), edits.segment_to_paint(stroke, layer, 2))
    document.undo()
    assert freeze(document) == before
    stroke.paint(layer, Window(0, 4, 12, 2), 1)
    stroke.commit()
    document.undo()
    assert freeze(document) == before


def test_a_stroke_goes_nowhere_once_undo_has_removed_its_layer(document):
    layer = add_layer(document)
    stroke = document.begin("Brush stroke")
    stroke.paint(layer, Window(0, 0, 2, 2), edits.segment_to_paint(stroke, layer, 1))
    document.undo()
    document.undo()
    stroke.paint(layer, ALL, 1)
    stroke.commit()
    assert (document.layers, document.history.names) == ((), ("Add layer", "Brush stroke"))
    document.redo()
    document.redo()
    assert layer.areas == {1: 4}


def test_an_edit_in_the_middle_of_a_stroke_comes_after_it(document):
    layer = add_layer(document)
    one = paint(document, layer, Window(0, 0, 2, 9), 1)
    states = [freeze(document)]
    stroke = document.begin("Brush stroke")
    stroke.paint(layer, Window(0, 0, 12, 2), edits.segment_to_paint(stroke, layer, 2))
    edits.delete_segments(document, layer.id, {one})
    states.append(freeze(document))
    stroke.paint(layer, Window(0, 4, 12, 2), edits.segment_to_paint(stroke, layer, 1))
    stroke.commit()
    assert document.history.names[-3:] == ("Brush stroke", "Delete segment", "Brush stroke")
    document.undo()
    assert freeze(document) == states[1]
    document.undo()
    document.undo()
    assert freeze(document) == states[0]


def test_a_stroke_goes_nowhere_once_undo_has_removed_its_segment(document):
    layer = add_layer(document)
    stroke = document.begin("Brush stroke")
    segment = edits.segment_to_paint(stroke, layer, 1)
    stroke.paint(layer, Window(0, 0, 2, 2), segment)
    document.undo()
    stroke.paint(layer, Window(4, 4, 2, 2), segment)
    stroke.commit()
    assert (layer.segments, layer.planes[0].areas()) == ({}, {})
    document.redo()
    assert layer.areas == {segment: 4}


@pytest.mark.parametrize("interrupt", ["undo", "paint"])
def test_a_stroke_that_goes_on_after_an_edit_can_be_interrupted_again(document, interrupt):
    layer = add_layer(document)
    one = paint(document, layer, Window(0, 0, 2, 9), 1)
    stroke = document.begin("Brush stroke")
    stroke.paint(layer, Window(0, 0, 12, 2), one)
    edits.change_layer(document, layer.id, "Opacity", opacity=0.3)
    state = freeze(document)
    stroke.paint(layer, Window(0, 4, 12, 2), one)
    if interrupt == "undo":
        document.undo()
    else:
        paint(document, layer, Window(5, 5, 2, 2), 2)
        document.undo()
        document.undo()
    assert freeze(document) == state
    stroke.commit()
    while document.undo():
        assert layer.areas == layer.planes[0].areas()


def test_an_edit_that_changes_nothing_is_no_step(document):
    layer = add_layer(document)
    paint(document, layer, ALL, 1)
    steps = document.history.names
    paint(document, layer, Window(1, 1, 3, 3), 1)
    edits.change_layer(document, layer.id, "Opacity", opacity=layer.state.opacity)
    edits.clear_prompts(document)
    edits.move_layer(document, layer.id, 0)
    assert document.history.names == steps


def test_a_layer_read_by_others_stays_as_it_was(document):
    layer = add_layer(document)
    paint(document, layer, ALL, 1)
    found = layer.segmentation()
    paint(document, layer, ALL, 2)
    np.testing.assert_array_equal(found.planes[0].read(ALL), np.ones((9, 12)))
    assert set(found.segments) == {1}
    np.testing.assert_array_equal(pixels(layer), np.full((9, 12), 2))
