"""Windows are sets of pixels: every method against plain sets."""

from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.geometry import Window

small = st.integers(-9, 9)
windows = st.builds(Window, small, small, st.integers(0, 9), st.integers(0, 9))


def pixels(window):
    return {(x, y) for x in range(window.x, window.right) for y in range(window.y, window.bottom)}


@given(windows, windows)
def test_intersection_holds_the_common_pixels(a, b):
    assert pixels(a.intersection(b)) == pixels(a) & pixels(b)


@given(windows, windows)
def test_union_is_the_smallest_window_around_both(a, b):
    both = pixels(a) | pixels(b)
    union = a.union(b)
    assert bool(union) == bool(both)
    if both:
        xs, ys = zip(*both, strict=True)
        assert union == Window(min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1)


@given(windows)
def test_area_shape_and_truth_agree_with_the_pixels(window):
    assert window.area == len(pixels(window))
    assert bool(window) == bool(pixels(window))
    assert window.shape == (window.height, window.width)


@given(windows, small, small)
def test_shifted_moves_every_pixel(window, dx, dy):
    assert pixels(window.shifted(dx, dy)) == {(x + dx, y + dy) for x, y in pixels(window)}


@given(windows, st.integers(0, 3))
def test_padding_is_undone_by_a_negative_one(window, margin):
    assert window.padded(margin).padded(-margin) == window
    assert window.padded(margin).intersection(window) == window or not window


@given(windows.filter(bool), st.integers(0, 3))
def test_at_level_covers_every_pixel_and_no_more(window, level):
    step = 2**level
    expected = {(x // step, y // step) for x, y in pixels(window)}
    assert pixels(window.at_level(level)) == expected


@given(windows, st.integers(1, 4))
def test_tiles_are_those_that_hold_a_pixel(window, size):
    expected = {(x // size, y // size) for x, y in pixels(window)}
    found = list(window.tiles(size))
    assert set(found) == expected
    assert len(found) == len(expected)
