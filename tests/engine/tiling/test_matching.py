"""Which masks are one object."""

import numpy as np
import pytest

from segdesk.core.geometry import Window
from segdesk.engine.tiling.matching import Part, matches, parts_of_ids

OVERLAP = Window(0, 0, 40, 40)


def part(x, y, width, height, category=1, score=None):
    return Part(np.ones((height, width), np.bool_), Window(x, y, width, height), category, score)


def joined(ours, theirs):
    pairs = matches(ours, theirs, OVERLAP)
    return sorted((ours.index(a), theirs.index(b)) for a, b in pairs)


def test_each_mask_goes_with_the_one_most_like_it():
    ours = [part(0, 0, 20, 20), part(4, 4, 20, 20), part(30, 30, 5, 5)]
    theirs = [part(5, 5, 20, 20), part(1, 0, 20, 20)]
    assert joined(ours, theirs) == [(0, 1), (1, 0)]


def test_an_object_inside_another_stays_its_own_where_both_tiles_see_both():
    outer, inner = part(0, 0, 30, 30), part(5, 5, 10, 10)
    assert joined([outer, inner], [part(5, 5, 10, 10), part(0, 0, 30, 30)]) == [(0, 1), (1, 0)]


def test_pieces_that_the_other_tile_sees_in_one_are_one():
    assert joined([part(0, 0, 5, 40), part(35, 0, 5, 40)], [part(0, 0, 40, 40)]) == [(0, 0), (1, 0)]


def test_other_categories_and_things_that_only_touch_are_apart():
    assert joined([part(0, 0, 9, 9)], [part(0, 0, 9, 9, category=2)]) == []
    assert joined([part(0, 0, 20, 20)], [part(15, 0, 20, 20)]) == []
    assert joined([part(50, 0, 20, 20)], [part(50, 0, 20, 20)]) == [], "outside the overlap"
    assert joined([], [part(0, 0, 9, 9)]) == []


def test_of_equal_masks_those_with_like_scores_go_together():
    ours = [part(0, 0, 9, 9, score=0.9), part(0, 0, 9, 9, score=0.5)]
    theirs = [part(0, 0, 9, 9, score=0.51), part(0, 0, 9, 9, score=0.89)]
    assert joined(ours, theirs) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("high", [3, 2**20 + 1, 2**31 - 1])
def test_every_id_becomes_a_mask_with_its_window(high):
    ids = np.zeros((20, 30), np.int64)
    ids[2:5, 3:9], ids[7, 7], ids[10:20, 10:30] = 1, 2, high
    ids[12, 12] = 0
    found = {number: (window, mask) for number, window, mask in parts_of_ids(ids)}
    assert found.keys() == {1, 2, high}
    assert found[1][0] == Window(3, 2, 6, 3)
    for number, (window, mask) in found.items():
        assert mask.sum() == (ids == number).sum()
        np.testing.assert_array_equal(ids[window.slices] == number, mask)
    assert list(parts_of_ids(np.zeros((3, 3), np.int32))) == []
