"""Colours."""

import pytest

from segdesk.core.palette import OKABE_ITO, distinct_colour, distinct_colours, segment_colour


def distance(a, b):
    """Return how far two colours are apart, seen by the eye: redmean, 0 to about 765."""
    red = (a[0] + b[0]) / 2
    dr, dg, db = (x - y for x, y in zip(a, b, strict=True))
    return ((2 + red / 256) * dr**2 + 4 * dg**2 + (2 + (255 - red) / 256) * db**2) ** 0.5


def test_colours_are_bytes_and_begin_with_okabe_ito():
    colours = distinct_colours(300)
    assert colours[: len(OKABE_ITO)] == OKABE_ITO
    assert all(type(value) is int and 0 <= value <= 255 for c in colours for value in c)


def test_no_two_of_the_first_colours_are_alike():
    colours = distinct_colours(64)
    assert len(set(colours)) == 64
    close = [(a, b) for i, a in enumerate(colours) for b in colours[:i] if distance(a, b) < 10]
    assert not close


@pytest.mark.parametrize("index", [0, 6, 7, 63, 1000, 10**9])
def test_a_position_has_one_colour_for_good(index):
    colour = distinct_colour(index)
    distinct_colour.cache_clear()
    assert distinct_colour(index) == colour


def test_segments_that_follow_each_other_differ_much():
    for segment_id in range(1, 2000):
        assert distance(segment_colour(segment_id), segment_colour(segment_id + 1)) > 40
