"""What a user can do to layers, segments and prompts."""

import numpy as np
import pytest

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.prompts import Box
from segdesk.core.segmentation import Category, Segment
from segdesk.engine import edits
from tests.engine.frozen import CATEGORIES, add_layer, document_of, freeze, paint, pixels

LEFT, RIGHT, ALL = Window(0, 0, 6, 9), Window(6, 0, 6, 9), Window(0, 0, 12, 9)


@pytest.fixture
def document():
    return document_of()


def test_a_semantic_layer_has_one_segment_a_category(document):
    layer = add_layer(document)
    ids = [paint(document, layer, window, 1) for window in (LEFT, RIGHT)]
    assert ids == [1, 1]
    assert layer.areas == {1: ALL.area}


def test_an_instance_layer_gets_a_segment_a_stroke(document):
    layer = add_layer(document, "instance")
    ids = [paint(document, layer, window, 1) for window in (LEFT, RIGHT)]
    assert ids == [1, 2]
    assert layer.areas == {1: LEFT.area, 2: RIGHT.area}


def test_a_panoptic_layer_has_one_segment_of_stuff_and_many_things(document):
    layer = add_layer(document, "panoptic")
    things = [paint(document, layer, window, 1) for window in (LEFT, RIGHT)]
    stuff = [paint(document, layer, Window(0, y, 12, 1), 2) for y in (0, 3)]
    assert len(set(things)) == 2
    assert len(set(stuff)) == 1


def test_the_background_erases(document):
    layer = add_layer(document)
    paint(document, layer, ALL, 1)
    assert paint(document, layer, LEFT, 0) == 0
    assert layer.areas == {1: RIGHT.area}


def test_a_category_0_that_is_no_background_is_painted(document):
    layer = add_layer(document)
    edits.set_categories(document, layer.id, (Category(0, "wall", (9, 9, 9)),))
    segment_id = paint(document, layer, LEFT, 0)
    assert layer.segments[segment_id].category == 0


def test_a_segment_that_is_painted_over_is_gone(document):
    layer = add_layer(document, "instance")
    first = paint(document, layer, LEFT, 1)
    second = paint(document, layer, ALL, 1)
    assert set(layer.segments) == {second}
    document.undo()
    assert set(layer.segments) == {first}


def test_a_segment_that_moves_to_another_plane_stays(document):
    layer = add_layer(document, "instance")
    segment_id = paint(document, layer, LEFT, 1)
    with document.edit("Move up") as edit:
        edit.add_planes(layer, 1)
        edit.paint(layer, ALL, 0)
        edit.paint(layer, LEFT, segment_id, None, 1)
    assert set(layer.segments) == {segment_id}
    assert layer.segment_at(0, 0) == segment_id


def test_a_new_segment_on_which_nothing_is_painted_is_not_made(document):
    layer = add_layer(document, "instance")
    steps = document.history.names
    paint(document, layer, Window(50, 50, 3, 3), 1)
    assert layer.segments == {}
    assert document.history.names == steps


def test_bounds_and_segment_at_see_all_planes(document):
    layer = add_layer(document, "instance")
    low = paint(document, layer, Window(2, 3, 4, 2), 1)
    with document.edit("Overlap") as edit:
        edit.add_planes(layer, 1)
        high = edits.segment_to_paint(edit, layer, 1)
        edit.paint(layer, Window(4, 3, 5, 5), high, None, 1)
    assert layer.bounds(low) == {0: Window(2, 3, 4, 2)}
    assert layer.bounds(high) == {0: Window(4, 3, 5, 5)}
    assert not layer.bounds(99)
    assert [layer.segment_at(x, 3) for x in (0, 2, 4, 8, 9)] == [0, low, high, high, 0]


def test_bounds_reach_over_tiles_and_to_the_edge():
    document = document_of(600, 300)
    layer = add_layer(document)
    paint(document, layer, Window(0, 0, 600, 300), 2)
    segment_id = paint(document, layer, Window(250, 299, 350, 1), 1)
    assert layer.bounds(segment_id) == {0: Window(250, 299, 350, 1)}


def test_delete_removes_pixels_and_segments_also_empty_ones(document):
    layer = add_layer(document, "instance")
    first, second = (paint(document, layer, window, 1) for window in (LEFT, RIGHT))
    with document.edit("Import") as edit:
        edit.set_segments(layer, {7: Segment(7, 1), second: Segment(second, 2)})
    edits.delete_segments(document, layer.id, {first, 7})
    assert set(layer.segments) == {second}
    assert layer.areas == {second: RIGHT.area}


def test_merge_keeps_the_lowest_id(document):
    layer = add_layer(document, "instance")
    first, second = (paint(document, layer, window, 1) for window in (LEFT, RIGHT))
    assert edits.merge_segments(document, layer.id, {second, first}) == first
    assert set(layer.segments) == {first}
    assert (pixels(layer) == first).all()


def test_set_category_in_an_instance_layer_keeps_the_segments_apart(document):
    layer = add_layer(document, "instance")
    ids = {paint(document, layer, window, 1) for window in (LEFT, RIGHT)}
    edits.set_category(document, layer.id, ids, 2)
    assert {segment.id: segment.category for segment in layer.segments.values()} == {1: 2, 2: 2}


@pytest.mark.parametrize("there", [True, False])
def test_set_category_joins_in_a_semantic_layer(document, there):
    layer = add_layer(document)
    edits.set_categories(document, layer.id, (*CATEGORIES, Category(3, "glass", (9, 9, 9))))
    ids = {paint(document, layer, window, c) for window, c in ((LEFT, 1), (RIGHT, 2))}
    if there:
        paint(document, layer, Window(0, 0, 12, 1), 3)
    edits.set_category(document, layer.id, ids, 3)
    (segment,) = layer.segments.values()
    assert segment.category == 3
    assert layer.areas == {segment.id: ALL.area}


def test_set_category_to_the_background_deletes(document):
    layer = add_layer(document)
    ids = {paint(document, layer, LEFT, 1)}
    edits.set_category(document, layer.id, ids, 0)
    assert (layer.segments, layer.areas) == ({}, {})


def test_set_category_to_an_unknown_one_is_refused(document):
    layer = add_layer(document)
    ids = {paint(document, layer, LEFT, 1)}
    with pytest.raises(SegdeskError, match="Layer 'By hand' has no category 9"):
        edits.set_category(document, layer.id, ids, 9)


def test_a_category_in_use_cannot_be_removed_nor_an_id_given_twice(document):
    layer = add_layer(document)
    paint(document, layer, LEFT, 1)
    with pytest.raises(SegdeskError, match="Segments still have the category cell: change"):
        edits.set_categories(document, layer.id, CATEGORIES[:1])
    with pytest.raises(SegdeskError, match="Two categories have the same id"):
        edits.set_categories(document, layer.id, CATEGORIES + CATEGORIES[:1])
    edits.set_categories(document, layer.id, CATEGORIES[:2])
    assert layer.state.categories == CATEGORIES[:2]


def refused(document, layer):
    """Yield everything that a locked layer refuses."""
    yield lambda: paint(document, layer, RIGHT, 1)
    yield lambda: edits.remove_layer(document, layer.id)
    yield lambda: edits.delete_segments(document, layer.id, {1})
    yield lambda: edits.merge_segments(document, layer.id, {1})
    yield lambda: edits.set_category(document, layer.id, {1}, 2)
    yield lambda: edits.set_category(document, layer.id, {1}, 0)


def test_a_locked_layer_refuses_and_nothing_changes(document):
    layer = add_layer(document)
    paint(document, layer, LEFT, 1)
    edits.change_layer(document, layer.id, "Lock", locked=True)
    before, steps = freeze(document), document.history.names
    for action in refused(document, layer):
        with pytest.raises(SegdeskError, match="Layer 'By hand' is locked: unlock it"):
            action()
        assert freeze(document) == before
    assert document.history.names == steps


def test_layers_move_within_the_stack(document):
    a, b, c = (add_layer(document, name=name) for name in "abc")
    edits.move_layer(document, c.id, 0)
    assert document.layers == (c, a, b)
    edits.move_layer(document, c.id, 99)
    assert document.layers == (a, b, c)


def test_a_removed_layer_comes_back_with_all_that_is_on_it(document):
    layer = add_layer(document)
    paint(document, layer, LEFT, 1)
    before = freeze(document)
    edits.remove_layer(document, layer.id)
    assert document.layers == ()
    document.undo()
    assert freeze(document) == before


def test_prompts_are_added_and_cleared_as_steps(document):
    edits.add_prompt(document, Box(0, 0, 1, 1))
    edits.add_prompt(document, Box(1, 1, 2, 2))
    edits.clear_prompts(document)
    assert document.prompts == ()
    assert document.history.names == ("Add box", "Add box", "Clear prompts")
    document.undo()
    assert document.prompts == (Box(0, 0, 1, 1), Box(1, 1, 2, 2))


def test_repaint_copes_with_huge_ids():
    document = document_of(300, 10)
    layer = add_layer(document, "instance")
    huge = 2**31 - 1
    with document.edit("Import") as edit:
        edit.set_segments(layer, {huge: Segment(huge, 1), 5: Segment(5, 1)})
        edit.paint(layer, Window(0, 0, 200, 10), huge)
        edit.paint(layer, Window(200, 0, 100, 10), 5)
    assert layer.next_id == 1
    edits.merge_segments(document, layer.id, {5, huge})
    assert layer.areas == {5: 3000}
    np.testing.assert_array_equal(pixels(layer), np.full((10, 300), 5))
