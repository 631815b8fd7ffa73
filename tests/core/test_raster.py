import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.geometry import Window
from segdesk.core.raster import Polygon, capsule

SIZE = 40
IMAGE = Window(0, 0, SIZE, SIZE)
CENTRES = np.arange(SIZE) + 0.5
places = st.tuples(st.floats(-10, 50), st.floats(-10, 50))


def whole(window, mask):
    """Return a mask of the whole image; the window must be tight."""
    full = np.zeros(IMAGE.shape, bool)
    if window:
        assert mask.shape == window.shape
        assert mask[0].any()
        assert mask[-1].any()
        assert mask[:, 0].any()
        assert mask[:, -1].any()
        full[window.slices] = mask
    else:
        assert not mask.any()
    return full


def distances(start, end):
    """Return how far the centre of every pixel is from a line."""
    x, y = np.meshgrid(CENTRES, CENTRES)
    (x0, y0), (dx, dy) = start, np.subtract(end, start)
    length = dx * dx + dy * dy
    share = np.clip(((x - x0) * dx + (y - y0) * dy) / length, 0, 1) if length else 0
    return np.hypot(x - x0 - share * dx, y - y0 - share * dy)


@given(places, places, st.floats(0.5, 30))
def test_a_capsule_holds_the_centres_within_its_radius(start, end, radius):
    away = distances(start, end) - radius
    painted = whole(*capsule(start, end, radius, IMAGE))
    sure = np.abs(away) > 1e-6
    np.testing.assert_array_equal(painted[sure], (away <= 0)[sure])


def test_a_dot_of_radius_half_in_the_middle_of_a_pixel_is_that_pixel():
    window, mask = capsule((7.5, 3.5), (7.5, 3.5), 0.5, IMAGE)
    assert window == Window(7, 3, 1, 1)
    assert mask.all()


def test_a_dot_of_radius_one_on_a_corner_is_the_four_pixels_around_it():
    window, mask = capsule((7, 3), (7, 3), 1, IMAGE)
    assert window == Window(6, 2, 2, 2)
    assert mask.all()


def test_a_capsule_outside_is_nothing():
    window, mask = capsule((-50, -50), (-40, -40), 3, IMAGE)
    assert not window
    assert not mask.size


def is_inside(xy):
    """Return whether the centre of every pixel is inside a polygon, by the even-odd rule."""
    x, y = np.meshgrid(CENTRES, CENTRES)
    inside = np.zeros(x.shape, bool)
    for (xa, ya), (xb, yb) in zip(xy, np.roll(xy, -1, axis=0), strict=True):
        spans = (ya <= y) != (yb <= y)
        with np.errstate(all="ignore"):
            crossing = xa + (y - ya) / (yb - ya) * (xb - xa)
        inside ^= spans & (crossing <= x)
    return inside


@given(st.lists(places, min_size=3, max_size=12))
def test_a_polygon_holds_the_centres_inside_it(corners):
    xy = np.array(corners)
    painted = np.zeros(IMAGE.shape, bool)
    shape = Polygon(xy, IMAGE)
    window, mask = shape.window, shape.mask(shape.window)
    painted[window.slices] = mask
    assert window.intersection(IMAGE) == window
    expected = is_inside(xy)
    differ = painted != expected
    assert not differ[~_near_an_edge(xy)].any()


def _near_an_edge(xy):
    near = np.zeros(IMAGE.shape, bool)
    for start, end in zip(xy, np.roll(xy, -1, axis=0), strict=True):
        near |= distances(tuple(start), tuple(end)) < 1e-6
    return near


def test_the_crossing_of_a_figure_of_eight_is_a_hole():
    outer, inner = (
        [(0, 0), (20, 0), (20, 20), (0, 20), (0, 0)],
        [(5, 5), (15, 5), (15, 15), (5, 15)],
    )
    shape = Polygon(np.array([*outer, *inner, (5, 5)]), IMAGE)
    window, mask = shape.window, shape.mask(shape.window)
    assert window == Window(0, 0, 20, 20)
    assert mask.sum() == 400 - 100
    assert not mask[5:15, 5:15].any()


@pytest.mark.parametrize(
    "corners", [[(3, 3)], [(3, 3), (9, 9)], [(3.6, 3.6), (3.9, 3.6), (3.7, 3.9)]]
)
def test_a_polygon_around_no_centre_is_nothing(corners):
    shape = Polygon(np.array(corners, float), IMAGE)
    assert not shape.window
    assert not shape.mask(shape.window).size


@given(st.lists(places, min_size=3, max_size=12), st.integers(-3, 40), st.integers(-3, 40))
def test_a_part_of_a_polygon_is_that_part_of_its_mask(corners, x, y):
    shape = Polygon(np.array(corners), IMAGE)
    whole = shape.mask(IMAGE)
    part = Window(x, y, 9, 7).intersection(IMAGE)
    np.testing.assert_array_equal(shape.mask(part), whole[part.slices])
