"""Operations on segments of a document: one step each, undone exactly, nothing else touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.morphology import Reach
from segdesk.core.segmentation import Segment
from segdesk.engine import edits, regions
from segdesk.engine.converting import convert
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.engine.regions import Target
from tests.core.maps import small_tiles, stack_of, stacks
from tests.engine import frozen
from tests.engine.frozen import CATEGORIES

OPERATIONS = {
    "grow": lambda document, target: regions.grow(document, target, Reach(2)),
    "shrink": lambda document, target: regions.shrink(document, target, Reach(1)),
    "smooth": lambda document, target: regions.smooth(document, target, 1),
    "fill holes": regions.fill_holes,
    "remove parts": lambda document, target: regions.remove_small_parts(document, target, 4),
    "remove segments": lambda document, target: regions.remove_small_segments(document, target, 26),
    "split parts": regions.split_parts,
    "split by shape": regions.split_by_shape,
    "cut": lambda document, target: regions.cut(document, target, np.array([[0, 0], [19, 19]])),
    "fill between": regions.fill_between_frames,
}


def document_of(planes, task="instance"):
    """Return a document with a layer of planes of (frames, rows, columns) ids."""
    frames, rows, columns = planes[0].shape
    document = Document(ArrayImage(np.zeros((frames, rows, columns, 1), np.uint8)))
    layer = edits.add_layer(document, LayerState("By hand", task, CATEGORIES))
    with document.edit("Import") as edit:
        edit.add_planes(layer, len(planes) - 1)
        ids = set(np.unique(np.concatenate(planes)).tolist()) - {0}
        edit.set_segments(layer, {i: Segment(i, 1 + i % 2) for i in ids})
        for number, plane in enumerate(planes):
            for frame, image in enumerate(plane):
                edit.paint(layer, Window(0, 0, columns, rows), image, None, number, frame)
    return document, layer


def freeze(document):
    """Return all of a document, on all frames."""
    every = [plane.tobytes() for layer in document.layers for plane in pixels(layer)]
    return frozen.freeze(document), every


def pixels(layer):
    return [stack_of(plane) for plane in layer.planes]


def planes_of(stack):
    """Return a stack as two planes: overlaps of one with the other, turned."""
    return [stack, np.where(stack[:, ::-1, ::-1] > 0, stack[:, ::-1, ::-1] + 10, 0)]


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=25, deadline=None)
@given(stack=stacks(3), chosen=st.none() | st.frozensets(st.integers(1, 13), min_size=1))
def test_an_operation_is_one_step_that_undo_takes_back_and_leaves_others_alone(name, stack, chosen):
    with small_tiles():
        document, layer = document_of(planes_of(stack))
        before, pixels_before = freeze(document), pixels(layer)
        count = len(document.history.names)
        OPERATIONS[name](document, Target(layer.id, chosen, 0 if name == "cut" else None))
        after = freeze(document)
        assert len(document.history.names) <= count + 1
        for was, now in zip(pixels_before, pixels(layer), strict=True):
            others = was > 0
            if chosen is not None:
                others &= ~np.isin(was, list(chosen))
                assert (now[others] == was[others]).all()
        assert set(layer.areas) == set(layer.segments)
        if after != before:
            document.undo()
            assert freeze(document) == before
            document.redo()
            assert freeze(document) == after


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_on_a_draft_is_that_on_the_document(name):
    stack = np.zeros((3, 20, 20), np.int32)
    stack[0, 2:9, 2:9] = stack[2, 4:12, 4:12] = 1
    stack[0, 4, 4] = 0
    stack[0, 12:17, 12:17] = 2
    stack[0, 0, 19] = 1
    document, layer = document_of([stack])
    target = Target(layer.id, None, 0 if name == "cut" else None)
    draft = document.draft()
    OPERATIONS[name](draft, target)
    untouched = freeze(document)
    OPERATIONS[name](document, target)
    assert freeze(document) != untouched
    expected = freeze(document)
    document.undo()
    draft = document.draft()
    OPERATIONS[name](draft, target)
    document.adopt(draft)
    assert freeze(document) == expected


@settings(max_examples=40, deadline=None)
@given(stacks(2), st.sampled_from(["instance", "panoptic"]), st.sampled_from([4, 8, 6, 26]))
def test_from_a_category_to_instances_and_back_changes_nothing(stack, task, neighbours):
    with small_tiles():
        document, layer = document_of([np.minimum(stack, 2)], "semantic")
        before = freeze(document)
        convert(document, layer.id, task, neighbours)
        assert layer.state.task == task
        assert set(layer.areas) == set(layer.segments)
        convert(document, layer.id, "semantic", neighbours)
        assert freeze(document) == before


def test_stuff_stays_one_segment_in_a_panoptic_layer():
    stack = np.zeros((1, 9, 9), np.int32)
    stack[0, 0] = stack[0, 8] = 1  # tissue, which is stuff
    stack[0, 4, 0] = stack[0, 4, 8] = 2  # cells, which are things
    document, layer = document_of([stack], "semantic")
    convert(document, layer.id, "panoptic")
    assert sorted(segment.category for segment in layer.segments.values()) == [1, 1, 2]
    convert(document, layer.id, "instance")
    assert sorted(segment.category for segment in layer.segments.values()) == [1, 1, 2, 2]


def test_joined_segments_that_overlap_count_each_pixel_once():
    low, high = np.zeros((2, 1, 9, 9), np.int32)
    low[0, :, :5], high[0, :, 3:] = 1, 3
    document, layer = document_of([low, high])
    before = freeze(document)
    convert(document, layer.id, "semantic")
    assert layer.areas == {1: 81}
    document.undo()
    assert freeze(document) == before


def test_merged_segments_that_overlap_count_each_pixel_once():
    low, high = np.zeros((2, 1, 9, 9), np.int32)
    low[0, :, :5], high[0, :, 3:] = 1, 3
    document, layer = document_of([low, high])
    edits.merge_segments(document, layer.id, {1, 3})
    assert layer.areas == {1: 81}


def test_splitting_is_refused_where_a_category_is_one_segment():
    document, layer = document_of([np.ones((1, 4, 4), np.int32)], "semantic")
    with pytest.raises(SegdeskError, match="convert it to instances first"):
        regions.split_parts(document, Target(layer.id))
    with pytest.raises(SegdeskError, match="is semantic already"):
        convert(document, layer.id, "semantic")


def test_a_locked_layer_refuses():
    document, layer = document_of([np.ones((2, 4, 4), np.int32)])
    edits.change_layer(document, layer.id, "Lock", locked=True)
    before = freeze(document)
    for operation in OPERATIONS.values():
        with pytest.raises(SegdeskError, match="is locked"):
            operation(document, Target(layer.id))
    with pytest.raises(SegdeskError, match="is locked"):
        convert(document, layer.id, "semantic")
    assert freeze(document) == before


def test_copy_to_next_frame_is_one_step():
    stack = np.zeros((2, 6, 6), np.int32)
    stack[0, 1:3, 1:3], stack[1, 2, 2] = 1, 2
    document, layer = document_of([stack])
    before = freeze(document)
    regions.copy_to_next_frame(document, Target(layer.id, None, 0))
    assert layer.areas == {1: 7, 2: 1}
    document.undo()
    assert freeze(document) == before
