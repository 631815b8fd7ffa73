"""Shapes between shapes, and copies to the next frame."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segdesk.core import interpolation
from segdesk.core.chosen import Chosen
from segdesk.core.errors import SegdeskError
from segdesk.core.interpolation import Between, copy_to_next, fill_between
from tests.core.maps import map_of, small_tiles, stack_of, stacks

some_ids = st.none() | st.frozensets(st.integers(1, 4), min_size=1, max_size=2)


@st.composite
def ellipses(draw, size=40):
    x, y = (draw(st.floats(8, size - 8)) for _ in "xy")
    a, b = (draw(st.floats(2, 12)) for _ in "ab")
    columns, rows = np.meshgrid(np.arange(size), np.arange(size))
    return ((columns - x) / a) ** 2 + ((rows - y) / b) ** 2 <= 1


@given(ellipses(), ellipses(), st.floats(0, 1))
def test_between_holds_what_both_hold_and_nothing_that_neither_holds(start, end, share):
    assume((start & end).any())
    found = Between(start, end).at(share)
    assert found[start & end].all()
    assert not found[~(start | end)].any()


@given(ellipses(), ellipses())
def test_between_begins_and_ends_with_the_shapes_themselves(start, end):
    between = Between(start, end)
    assert (between.at(0) == start).all()
    assert (between.at(1) == end).all()


@given(ellipses(), st.floats(0, 1))
def test_between_equal_shapes_is_that_shape(shape, share):
    assert (Between(shape, shape).at(share) == shape).all()


@given(ellipses(), ellipses(), st.floats(0, 1), st.floats(0, 1))
def test_from_a_shape_to_one_around_it_it_only_grows(start, end, one, other):
    assume(start.any())
    between = Between(start, start | end)
    assert not (between.at(min(one, other)) & ~between.at(max(one, other))).any()


def test_shapes_that_do_not_touch_are_moved():
    start, end = np.zeros((2, 40, 60), bool)
    start[10:20, 5:15] = end[20:30, 45:55] = True
    middle = Between(start, end).at(0.5)
    expected = np.zeros_like(start)
    expected[15:25, 25:35] = True
    assert (middle == expected).all()


@settings(max_examples=60, deadline=None)
@given(stacks(6, ids=(0, 0, 1, 2)), some_ids, st.none() | st.integers(0, 5))
def test_fill_between_fills_gaps_where_pixels_are_free(stack, ids, frame):
    chosen = Chosen(ids, frame)
    with small_tiles():
        labels = map_of(stack)
        found = stack_of(fill_between(labels, chosen))
        assert (stack_of(labels) == stack).all()
    assert (found[stack > 0] == stack[stack > 0]).all()
    for segment in (1, 2):
        painted = [f for f in range(len(stack)) if (stack[f] == segment).any()]
        new = (found == segment) & (stack == 0)
        for number in range(len(stack)):
            before = [f for f in painted if f < number]
            after = [f for f in painted if f > number]
            in_gap = number not in painted and before and after
            asked = (ids is None or segment in ids) and (
                frame is None or (in_gap and before[-1] < frame < after[0])
            )
            if not in_gap or not asked:
                assert not new[number].any()
            else:
                both = (stack[before[-1]] == segment) & (stack[after[0]] == segment)
                assert (found[number][both] > 0).all()


@settings(max_examples=60, deadline=None)
@given(stacks(3), some_ids, st.integers(0, 1))
def test_copy_to_next_takes_only_free_pixels(stack, ids, frame):
    assume(frame + 1 < len(stack))
    chosen = Chosen(ids, frame)
    with small_tiles():
        found = stack_of(copy_to_next(map_of(stack), chosen))
    expected = stack.copy()
    taken = chosen.mask(stack[frame]) & (stack[frame + 1] == 0)
    expected[frame + 1][taken] = stack[frame][taken]
    assert (found == expected).all()


def test_the_last_frame_has_no_next():
    with pytest.raises(SegdeskError, match="last frame"):
        copy_to_next(map_of(np.ones((2, 3, 3))), Chosen(None, 1))


def test_a_segment_that_spans_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(interpolation, "MOST", 10)
    stack = np.ones((3, 8, 8), np.int32)
    stack[1] = 0
    with pytest.raises(SegdeskError, match="Segment 1 spans 8 x 8 pixels"):
        fill_between(map_of(stack), Chosen())
