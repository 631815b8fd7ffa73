from threading import Event

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF

from segdesk.core.display import Display, default_display
from segdesk.core.errors import ImageError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine import edits
from segdesk.engine.document import Document
from tests.gui.conftest import on_image

GREY = np.full((200, 300, 3), 100, np.uint8)
HALF_RED = (178, 50, 50)  # red at opacity 0.5 on grey 100


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (500, 700, 3), dtype=np.uint8)


class Gate(ArrayImage):
    """An image of which small windows come only once the gate is open."""

    def __init__(self, pixels, small=2**30):
        super().__init__(pixels)
        self.gate = Event()
        self._small = small

    def read(self, window, level=0, frame=0):
        if window.area <= self._small:
            assert self.gate.wait(5)
        return super().read(window, level, frame)


def around_image(user, picture):
    """Return the colours that are seen beside the image."""
    view = user.canvas.view
    x, y = view.columns(0, view.width), view.rows(0, view.height)
    height, width = user.document.image.info.height, user.document.image.info.width
    beside = ((y < 0) | (y >= height))[:, np.newaxis] | (x < 0) | (x >= width)
    return np.unique(picture[beside], axis=0)


@pytest.mark.parametrize("scale", [1.0, 1.5, 3.7, 8.0])
def test_each_device_pixel_shows_the_pixel_at_its_centre(user, noise, scale):
    user.open(noise)
    user.look(scale, 200.3, 123.4)
    seen, expected = on_image(user, user.see(), noise)
    np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize("scale", [0.9, 0.5, 0.31, 0.13])
def test_zoomed_out_the_picture_is_smooth_and_has_no_seams(user, scale):
    user.open(np.full((1500, 2000, 3), 90, np.uint8))
    user.look(scale, -40, -40)
    seen, _ = on_image(user, user.see(), np.zeros((1500, 2000)))
    assert np.unique(seen).tolist() == [90]
    assert len(around_image(user, user.see())) == 1


def test_zoomed_out_fine_patterns_become_their_mean(user):
    checks = np.indices((1600, 1600)).sum(axis=0) % 2 * 200
    user.open(np.repeat(checks[..., np.newaxis], 3, axis=2).astype(np.uint8))
    user.look(0.25)
    seen = user.see()[:290, :390]
    assert seen.min() >= 98
    assert seen.max() <= 102


def test_deep_in_there_is_a_grid_between_pixels(user):
    user.open(GREY)
    user.look(20)
    seen = user.see()[..., 0]
    on_grid = np.zeros(seen.shape, bool)
    on_grid[::20] = on_grid[:, ::20] = True
    assert np.unique(seen[~on_grid]).tolist() == [100]
    assert 100 not in seen[on_grid]
    user.look(11)
    assert np.unique(user.see()).tolist() == [100]


steps = st.one_of(
    st.tuples(st.just("pan"), st.integers(-150, 150), st.integers(-150, 150)),
    st.tuples(st.just("zoom"), st.floats(0.3, 3), st.integers(0, 399)),
    st.tuples(st.just("paint"), st.integers(0, 290), st.integers(0, 190)),
    st.tuples(st.just("look"), st.just(0), st.just(0)),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(steps, max_size=8))
def test_the_kept_picture_is_always_the_one_that_would_be_painted_anew(user, changes):
    user.open(np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8), "instance")
    user.segment(np.arange(6, dtype=np.int32).repeat(50)[np.newaxis].repeat(200, 0))
    edits.change_layer(user.document, user.layer.id, "Display", display="contour")
    user.editor.select(frozenset({3}))
    for kind, a, b in changes:
        if kind == "pan":
            user.canvas.pan_by(a, b)
        elif kind == "zoom":
            user.canvas.zoom_by(a, QPointF(b, b / 2))
        elif kind == "paint":
            with user.document.edit("Paint") as edit:
                edit.paint(user.layer, Window(a, b, 9, 7), 2)
        else:
            user.see()
    user.wait_for_tiles()
    kept = user.see()
    user.editor.display_changed.emit()
    user.wait_for_tiles()
    # Qt's own interpolation, used when zoomed out, depends on where a rectangle starts.
    np.testing.assert_allclose(kept.astype(int), user.see(), atol=2)


def test_coarse_tiles_stand_in_until_the_sharp_ones_are_there(user, qtbot):
    half = np.zeros((1200, 1600, 3), np.uint8)
    half[:, 800:] = 200
    image = Gate(half, small=256 * 256)  # level 0 is behind the gate
    user.open(image, scale=0.25)
    user.canvas.zoom_by(4)
    user.canvas.centre_on(Window(790, 590, 20, 20))
    user.canvas.repaint()
    assert not user.canvas.is_sharp
    middle = user.see()[150]
    assert middle[20, 0] == 0
    assert middle[-20, 0] == 200
    assert 0 < np.median(middle[198:202, 0]) < 200  # stretched, so not sharp
    image.gate.set()
    user.wait_for_tiles()
    assert set(user.see()[150][:, 0].tolist()) == {0, 200}


def test_late_tiles_of_another_image_are_dropped(user, qtbot):
    slow, late = Gate(np.full((200, 300, 3), 250, np.uint8)), []
    document = Document(slow)
    user.editor.show(document, default_display(slow.info))
    user.canvas.repaint()  # asks for tiles
    user.editor.failed.connect(late.append)
    user.editor.show(Document(ArrayImage(GREY)), Display())
    slow.gate.set()
    user.wait_for_tiles()
    seen, _ = on_image(user, user.see(), GREY)
    assert np.unique(seen).tolist() == [100]
    assert not late


def test_tiles_that_cannot_be_read_are_reported_once(user, qtbot):
    class Torn(ArrayImage):
        def read(self, window, level=0, frame=0):
            if window.x >= 256:
                raise ImageError("torn.tif: the file ends too early.")
            return super().read(window, level, frame)

    user.open(Torn(np.full((500, 700, 3), 100, np.uint8)))
    user.canvas.pan_by(-3, -3)
    user.wait_for_tiles()
    assert user.messages == ["torn.tif: the file ends too early."]
    assert user.see()[100, 100].tolist() == [100, 100, 100]
    assert user.see()[100, 300].tolist() != [100, 100, 100]


def test_another_display_never_shows_a_hole(user):
    image = Gate(GREY)
    image.gate.set()
    user.open(image)
    image.gate.clear()
    user.editor.set_display(Display(high=(200.0, 200.0, 200.0)))
    assert np.unique(user.see()[:200, :300]).tolist() == [100]
    image.gate.set()
    user.wait_for_tiles()
    assert np.unique(user.see()[:200, :300]).tolist() == [128]


def test_the_first_frame_is_announced_once(user, qtbot):
    with qtbot.waitSignal(user.canvas.first_frame_painted, timeout=5000):
        user.open(GREY)
    with qtbot.assertNotEmitted(user.canvas.first_frame_painted, wait=50):
        user.open(GREY)


def test_without_a_document_there_is_nothing_to_see_or_do(user):
    user.click(10, 10)
    user.canvas.fit()
    user.canvas.zoom_by(2)
    assert len(np.unique(user.see().reshape(-1, 3), axis=0)) == 1
    assert not user.canvas.visible_window()
    user.open(GREY)
    user.editor.show(None, None)
    assert len(np.unique(user.see().reshape(-1, 3), axis=0)) == 1


def test_fit_follows_the_size_of_the_canvas(user):
    user.open(GREY)
    user.canvas.fit()
    assert 1.2 < user.canvas.scale < 400 / 300
    assert user.canvas.visible_window() == Window(0, 0, 300, 200)
    user.canvas.resize(800, 600)
    assert 2.4 < user.canvas.scale < 800 / 300
    user.canvas.actual_size()
    user.canvas.resize(400, 300)
    assert user.canvas.scale == 1


def test_centring_shows_a_segment_with_its_surroundings(user, noise):
    user.open(noise)
    user.look(8)
    user.canvas.centre_on(Window(300, 200, 10, 10))
    assert user.canvas.scale == 8
    x, y = user.canvas.view.to_device(305, 205)
    assert abs(x - 200) <= 1
    assert abs(y - 150) <= 1
    user.canvas.centre_on(Window(100, 100, 300, 60))
    assert user.canvas.visible_window().intersection(Window(100, 100, 300, 60)).area == 300 * 60
    user.canvas.centre_on(Window(0, 0, 0, 0))
