"""Splitting segments: nothing of others is touched, and merging the parts gives the whole again."""

from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from segdesk.core import splitting
from segdesk.core.chosen import Chosen
from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.splitting import (
    cut,
    line_pixels,
    merge,
    remove_small_parts,
    split_by_shape,
    split_parts,
)
from tests.core.maps import map_of, small_tiles, stack_of, stacks

EIGHT = np.ones((3, 3))
some_ids = st.none() | st.frozensets(st.integers(1, 4), min_size=1, max_size=2)
corners = st.lists(st.tuples(st.floats(-3, 30), st.floats(-3, 30)), min_size=2, max_size=5).map(
    np.array
)


def merged(stack, parents):
    """Give the pixels of new segments back to what they were split off."""
    whole = stack.copy()
    for new, old in parents.items():
        whole[stack == new] = old
    return whole


def parts_of(image, segment):
    return ndimage.label(image == segment, EIGHT)[1]


@settings(max_examples=80, deadline=None)
@given(stacks(2), some_ids, st.booleans())
def test_split_parts_makes_every_segment_one_piece_and_merging_takes_it_back(stack, ids, deep):
    chosen = Chosen(ids)
    with small_tiles():
        labels = map_of(stack)
        result, parents = split_parts(labels, chosen, count(10), 26 if deep else 8)
        assert (stack_of(labels) == stack).all()
        found = stack_of(result)
    assert (merged(found, parents) == stack).all()
    assert set(parents) == set(np.unique(found).tolist()) - set(np.unique(stack).tolist())
    structure = np.ones((3, 3, 3)) if deep else np.pad(EIGHT[np.newaxis], ((1, 1), (0, 0), (0, 0)))
    for segment in np.unique(found[chosen.mask(stack)]):
        assert ndimage.label(found == segment, structure)[1] == 1
    for segment in np.unique(stack[chosen.mask(stack)]):
        kept = (found == segment).sum()
        assert all(kept >= (found == new).sum() for new in parents if parents[new] == segment)


@settings(max_examples=60, deadline=None)
@given(stacks(2), some_ids, st.integers(1, 30))
def test_remove_small_parts_leaves_what_is_large_enough(stack, ids, below):
    chosen = Chosen(ids)
    with small_tiles():
        found = stack_of(remove_small_parts(map_of(stack), chosen, below))
    for before, after in zip(stack, found, strict=True):
        expected = before.copy()
        for segment in np.unique(before[chosen.mask(before)]):
            parts, number = ndimage.label(before == segment, EIGHT)
            small = np.bincount(parts.ravel(), minlength=number + 1) < below
            small[0] = False
            expected[small[parts]] = 0
        assert (after == expected).all()


@settings(max_examples=100, deadline=None)
@given(stacks(2), some_ids, corners)
def test_a_cut_splits_what_the_line_crosses_and_nothing_else(stack, ids, path):
    frame = len(stack) - 1
    with small_tiles():
        labels = map_of(stack)
        result, parents = cut(labels, Chosen(ids, frame), count(10), path)
        assert (stack_of(labels) == stack).all()
        found = stack_of(result)
    assert (merged(found, parents) == stack).all()
    assert (found[:frame] == stack[:frame]).all()
    line = np.zeros(stack.shape[1:], bool)
    x, y = line_pixels(path, labels.window).T
    line[y, x] = True
    for segment in set(np.unique(stack[frame]).tolist()) - {0}:
        mine = [new for new, old in parents.items() if old == segment]
        is_asked = ids is None or segment in ids
        if not is_asked or not (line & (stack[frame] == segment)).any():
            assert not mine
            continue
        whole, pieces = stack[frame] == segment, (stack[frame] == segment) & ~line
        lone = sum(
            not (pieces & (ndimage.label(whole, EIGHT)[0] == n)).any()
            for n in range(1, parts_of(stack[frame], segment) + 1)
        )
        more = ndimage.label(pieces, EIGHT)[1] + lone - parts_of(stack[frame], segment)
        assert len(mine) == more


def test_a_cut_through_a_square_halves_it():
    image = np.zeros((1, 40, 40), np.int32)
    image[0, 5:35, 5:35] = 4
    labels = map_of(image)
    result, parents = cut(labels, Chosen(), count(9), np.array([[20.0, 0], [20, 39]]))
    assert parents == {9: 4}
    found = stack_of(result)[0]
    assert set(np.unique(found[5:35, 5:20])) == {4} or set(np.unique(found[5:35, 5:20])) == {9}
    assert 420 <= (found == 9).sum() <= 450
    assert (found == 4).sum() + (found == 9).sum() == 900


def test_a_line_that_ends_inside_cuts_nothing():
    image = np.ones((1, 20, 20), np.int32)
    result, parents = cut(map_of(image), Chosen(), count(9), np.array([[10.0, -2], [10, 15]]))
    assert parents == {}
    assert (stack_of(result) == 1).all()


@given(corners)
def test_the_pixels_of_a_line_are_joined_by_their_sides(path):
    x, y = line_pixels(path, Window(-5, -5, 50, 50)).T
    assert (np.abs(np.diff(x)) + np.abs(np.diff(y)) == 1).all()
    for px, py in path:
        assert ((x == np.floor(px)) & (y == np.floor(py))).any()


@settings(max_examples=40, deadline=None)
@given(stacks(2), st.dictionaries(st.integers(1, 4), st.integers(1, 6)), st.booleans())
def test_merge_gives_segments_the_ids_of_others(stack, new_ids, is_dense):
    with small_tiles() as patch:
        patch.setattr(splitting, "_DENSE", 2**24 if is_dense else 0)
        labels = map_of(stack)
        found = stack_of(merge(labels, new_ids))
        assert (stack_of(labels) == stack).all()
    expected = stack.copy()
    for old, new in new_ids.items():
        expected[stack == old] = new
    assert (found == expected).all()


def two_discs(distance, size=80):
    y, x = np.mgrid[:size, :size]
    left = np.hypot(x - size / 2 + distance / 2, y - size / 2) <= 12
    return (left | (np.hypot(x - size / 2 - distance / 2, y - size / 2) <= 12)).astype(np.int32)


def test_touching_discs_are_split_and_one_disc_is_not():
    image = np.stack([two_discs(20), two_discs(0)])
    labels = map_of(image)
    result, parents = split_by_shape(labels, Chosen(), count(5))
    found = stack_of(result)
    assert parents == {5: 1}
    assert (found[1] == image[1]).all()
    assert (merged(found, parents) == image).all()
    left, right = found[0][:, :38], found[0][:, 42:]
    assert len(np.unique(left[left > 0])) == len(np.unique(right[right > 0])) == 1
    assert left.max() != right.max() or left[left > 0].min() != right[right > 0].min()


@settings(max_examples=40, deadline=None)
@given(stacks(2), some_ids)
def test_split_by_shape_keeps_all_pixels_of_a_segment(stack, ids):
    with small_tiles():
        result, parents = split_by_shape(map_of(stack), Chosen(ids), count(10))
        assert (merged(stack_of(result), parents) == stack).all()


def test_a_segment_that_spans_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(splitting, "MOST", 10)
    with pytest.raises(SegdeskError, match="Segment 1 spans 80 x 80 pixels"):
        split_by_shape(map_of(np.ones((1, 80, 80), np.int32)), Chosen(), count(5))


def test_without_free_ids_nothing_is_split():
    image = np.array([[[1, 0, 1]]], np.int32)
    with pytest.raises(SegdeskError, match="no segment ids left"):
        split_parts(map_of(image), Chosen(), iter(()))
