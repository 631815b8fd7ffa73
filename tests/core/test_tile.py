"""What single tiles hold."""

import numpy as np

from segdesk.core.geometry import Window
from segdesk.core.tile import TILE, Delta, gained_areas, tile_areas


def test_tile_areas_leave_out_what_lies_outside_the_map():
    tile = np.ones((TILE, TILE), np.uint8)
    assert tile_areas(tile, Window(0, 0, 10, 5)) == {1: 50}
    assert tile_areas(3, Window(0, 0, 10, 5)) == {3: 50}
    assert tile_areas(0, Window(0, 0, 10, 5)) == {}


def test_gained_areas_count_what_differs_inside():
    old, new = np.zeros((TILE, TILE), np.uint8), np.zeros((TILE, TILE), np.uint16)
    new[:2, :3] = 300
    old[0, 0], old[9, 9] = 7, 8  # the second one lies outside
    assert gained_areas(old, new, Window(0, 0, 5, 5)) == {300: 6, 7: -1}
    assert gained_areas(0, new, Window(0, 0, 2, 2)) == {300: 4}
    assert gained_areas(3, 4, Window(0, 0, 2, 2)) == {3: -4, 4: 4}
    assert gained_areas(3, 3, Window(0, 0, 2, 2)) is None
    assert gained_areas(new, new.copy(), Window(0, 0, 9, 9)) is None


def test_a_delta_sums_areas_and_forgets_those_that_even_out():
    delta = Delta()
    delta.note((0, 0, 0), 1, 2, {1: -4, 2: 4})
    delta.note((1, 0, 0), 2, 1, {1: 4, 2: -3})
    assert (delta.areas, len(delta.before)) == ({2: 1}, 2)
