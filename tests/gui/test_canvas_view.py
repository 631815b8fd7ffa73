import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtCore import QRect

from segdesk.core.display import Display
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine.tiles import MEMORY_MB, SIZE, DisplayTiles
from segdesk.gui.canvas.picture import level_on_show
from segdesk.gui.canvas.view import MAX_SCALE, View

IMAGE = Window(0, 0, 1000, 800)
scales = st.floats(0.01, MAX_SCALE)
offsets = st.integers(-5000, 100_000)
views = st.builds(View, scales, offsets, offsets, st.just(640), st.just(480))
points = st.tuples(st.floats(0, 640), st.floats(0, 480))


@given(views, points)
def test_from_the_screen_to_the_image_and_back(view, point):
    np.testing.assert_allclose(view.to_device(*view.to_image(*point)), point, atol=1e-6)


@given(views, scales, points)
def test_zooming_keeps_a_point_in_its_place(view, scale, point):
    before = view.to_image(*point)
    after = view.zoomed(scale, *point).to_device(*before)
    np.testing.assert_allclose(after, point, atol=0.5 + 1e-6)


@given(views, st.integers(-900, 900), st.integers(-900, 900), points)
def test_panning_moves_every_point_alike(view, dx, dy, point):
    moved = view.moved(dx, dy)
    assert (moved.offset_from(view).x(), moved.offset_from(view).y()) == (dx, dy)
    shifted = moved.to_device(*view.to_image(*point))
    np.testing.assert_allclose(shifted, np.add(point, (dx, dy)), atol=1e-6)


@given(views, st.integers(0, 900), st.integers(0, 700), st.integers(1, 100), st.integers(1, 100))
@example(View(1.1, 0, 0, 640, 480), 85, 85, 15, 15)  # on ties rounding decides
def test_the_device_pixels_of_a_window_are_those_that_show_it(view, x, y, width, height):
    window = Window(x, y, width, height)
    rect = view.device_rect(window)
    columns = view.columns(rect.x() - 1, rect.width() + 2)
    rows = view.rows(rect.y() - 1, rect.height() + 2)
    assert ((columns[1:-1] >= x) & (columns[1:-1] < x + width)).all()
    assert ((rows[1:-1] >= y) & (rows[1:-1] < y + height)).all()
    assert columns[0] < x
    assert columns[-1] >= x + width
    assert rows[0] < y
    assert rows[-1] >= y + height


@given(views)
def test_neighbouring_windows_share_no_device_pixel(view):
    left, right = view.device_rect(Window(3, 0, 5, 9)), view.device_rect(Window(8, 0, 2, 9))
    assert left.x() + left.width() == right.x()


@given(views)
def test_the_window_on_show_covers_the_viewport(view):
    assert view.device_rect(view.window()).contains(view.rect)


@given(views)
def test_levels_fit_the_scale(view):
    assert view.scale * 2**view.level >= 0.5 or view.scale > 1
    assert view.level == 0 or view.scale * 2**view.level <= 1 + 1e-6
    assert view.label_level == 0 or 0.70 < view.scale * 2**view.label_level < 1.42


@given(views)
def test_the_image_never_gets_lost(view):
    within = view.within(IMAGE)
    shown = within.device_rect(IMAGE).intersected(within.rect)
    assert shown.width() >= min(640 / 5, 1000 * view.scale) - 2
    assert shown.height() >= min(480 / 5, 800 * view.scale) - 2


def test_fitting():
    view = View(1, 0, 0, 500, 800)
    fitted = view.zoomed(view.scale_to_fit(IMAGE), 0, 0).centred(500, 400)
    assert fitted.scale == 0.5
    assert fitted.device_rect(IMAGE) == QRect(0, 200, 500, 400)


def test_resizing_keeps_the_middle():
    view = View(2, 100, 60, 640, 480)
    assert view.resized(320, 240).to_image(160, 120) == view.to_image(320, 240)


def test_zoom_has_bounds():
    view = View(1, 0, 0, 500, 400)
    assert view.allowed_scale(1e9, IMAGE) == MAX_SCALE
    assert 0 < view.allowed_scale(0, IMAGE) < view.scale_to_fit(IMAGE)
    assert view.allowed_scale(0, Window(0, 0, 10, 10)) <= 1


@pytest.mark.parametrize(
    ("width", "scale", "level"), [(1600, 0.51, 0), (7680, 0.51, 1), (7680, 1, 0)]
)
def test_what_is_on_show_always_fits_into_the_cache(width, scale, level):
    tiles = DisplayTiles(ArrayImage(np.zeros((20_000, 20_000, 1), np.uint8)), Display((0, 0, 0)))
    view = View(scale, 0, 0, width, width * 9 // 16)
    assert level_on_show(tiles, view) == level
    assert len(tiles.keys(view.window(), level)) * SIZE * SIZE * 4 < MEMORY_MB * 2**20
