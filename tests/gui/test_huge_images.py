"""Images far beyond memory, and files that get their overviews while they are on show."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PySide6.QtCore import QRect

from segdesk.core.display import Display
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo
from segdesk.engine import overviews
from segdesk.engine.document import Document
from segdesk.engine.folders import cache_folder, change_settings
from segdesk.engine.images import open_image
from segdesk.engine.pyramid import Pyramid
from segdesk.engine.tiles import DisplayTiles
from segdesk.gui.canvas.view import FAR, MAX_SCALE, View
from segdesk.gui.status import image_in_words
from tests.gui.windows import on_show, shown_window

SIDE = 100_000
LARGEST = 2**31 - 1


class Computed:
    """A virtual image: every pixel of every level follows from its place."""

    def __init__(self, side):
        sizes = [side]
        while sizes[-1] > 256:
            sizes.append(-(-sizes[-1] // 2))
        levels = tuple((size, size) for size in sizes)
        self.info = ImageInfo("computed", side, side, 3, "uint8", levels=levels, block=(1, 1))
        self.pixels_read = 0

    def read(self, window, level=0, frame=0):
        side = self.info.level_sizes[level][0]
        assert window.intersection(Window(0, 0, side, side)) == window
        assert window.area <= 2**20, "more was read than is on a tile"
        self.pixels_read += window.area
        x = np.arange(window.x, window.right, dtype=np.int64) << level
        y = np.arange(window.y, window.bottom, dtype=np.int64) << level
        return colours(x, y, self.info.width)

    def close(self):
        pass


def colours(x, y, side):
    """Return the pixels of columns x and rows y: a gradient, and a fine pattern in blue."""
    pixels = np.empty((len(y), len(x), 3), np.uint8)
    pixels[..., 0] = 255 * x // side
    pixels[..., 1] = (255 * y // side)[:, np.newaxis]
    pixels[..., 2] = 16 * ((x + y[:, np.newaxis]) % 16)
    return pixels


@pytest.mark.parametrize("side", [SIDE, LARGEST])
def test_a_virtual_image_pans_and_zooms(user, side):
    source = Computed(side)
    user.open(source)
    user.canvas.fit()
    user.wait_for_tiles()
    middle = user.see()[150, 200]
    assert abs(int(middle[0]) - 127) < 4
    assert abs(int(middle[1]) - 127) < 4
    for scale in (0.01, 0.5, 1, 16, MAX_SCALE):
        for place in (0, side // 2, side - 9):
            user.look(scale, place, place)
            picture, view = user.see(), user.canvas.view
            x, y = view.columns(0, view.width), view.rows(0, view.height)
            inside = (x >= 0) & (x < side), (y >= 0) & (y < side)
            seen = picture[np.ix_(inside[1], inside[0])]
            expected = colours(x[inside[0]], y[inside[1]], side)
            if scale >= 1:
                same = (seen == expected).all(axis=2).mean()
                assert same > (0.8 if scale >= 12 else 0.999)  # there are lines between pixels
            else:
                difference = np.abs(seen[..., :2].astype(int) - expected[..., :2])
                assert difference.mean() < 2
    assert source.pixels_read < 2**26


def test_strokes_far_from_the_corner_are_where_the_mouse_was(user):
    user.open(Computed(SIDE))
    user.look(4, SIDE - 60, SIDE - 60)
    user.editor.set_tool("brush")
    user.editor.set_radius(3)
    user.drag((SIDE - 50.5, SIDE - 50.5), (SIDE - 40.5, SIDE - 50.5))
    plane = user.layer.planes[0]
    assert plane.at(SIDE - 45, SIDE - 51) == 1
    assert plane.at(SIDE - 45, SIDE - 60) == 0
    assert sum(1 for _ in plane.indices()) <= 4


def test_a_sparse_tiled_file_pans_and_zooms(user, tmp_path):
    path = tmp_path / "sparse.tif"
    tile, sides = np.full((512, 512, 3), (10, 200, 30), np.uint8), [SIDE]
    coded = zlib.compress(tile.tobytes())
    while sides[-1] > 512:
        sides.append(-(-sides[-1] // 2))
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for number, side in enumerate(sides):
            count = (-(-side // 512)) ** 2
            tiles = (coded if n == count - 1 else b"" for n in range(count))
            file.write(
                tiles,
                shape=(side, side, 3),
                dtype="uint8",
                tile=(512, 512),
                compression="zlib",
                photometric="rgb",
                subfiletype=1 if number else 0,
            )
    source = open_image(path)
    assert not isinstance(source, Pyramid)
    assert len(source.info.level_sizes) == len(sides)
    user.open(source)
    user.canvas.fit()
    user.wait_for_tiles()
    user.look(2, SIDE - 150, SIDE - 100)
    assert tuple(user.see()[20, 20]) == (10, 200, 30)
    user.look(1, 3000, 5000)
    assert tuple(user.see()[20, 20]) == (0, 0, 0)
    source.close()


starts = st.integers(-(2**39), 2**39)


@given(st.floats(1e-7, MAX_SCALE), starts, starts, st.integers(0, LARGEST), st.integers(1, LARGEST))
def test_rectangles_never_overflow(scale, left, top, x, size):
    view = View(scale, left, top, 1600, 1000)
    rect = view.device_rect(Window(x, x, size, size))
    assert -FAR <= rect.left() <= FAR
    assert 0 <= rect.width() <= 2 * FAR
    seen = rect.intersected(view.rect)
    columns = view.columns(0, 1600)
    assert seen.width() * bool(seen.height()) in (
        0,
        int(((columns >= x) & (columns < x + size)).sum()),
    )
    assert isinstance(view.offset_from(View(scale, -left, -top)).x(), int)


def test_the_whole_of_the_largest_image_can_be_seen():
    image = Window(0, 0, LARGEST, LARGEST)
    view = View(1.0, 0, 0, 800, 600)
    view = view.zoomed(view.scale_to_fit(image), 0, 0).centred(LARGEST / 2, LARGEST / 2)
    assert view.device_rect(image) == QRect(100, 0, 600, 600)


def test_coarse_tiles_come_first_and_late_ones_not_at_all(user):
    asked = []

    class Watched(Computed):
        def read(self, window, level=0, frame=0):
            asked.append(level)
            return super().read(window, level, frame)

    user.open(Watched(SIDE))
    asked.clear()
    user.look(1, SIDE // 2, SIDE // 2)
    assert asked[0] == 3
    assert 0 in asked
    asked.clear()
    for step in range(20):  # without an event loop in between nothing is made of those passed by
        user.canvas.pan_by(-5000, -5000 * (step % 2))
        user.canvas.repaint()
    user.wait_for_tiles()
    assert len(asked) < 100


def test_memory_is_bounded_by_the_setting(user):
    change_settings(tile_memory_mb=64)
    user.open(Computed(SIDE))
    for step in range(30):
        user.look(1, step * 3000, 0)
    tiles = user.canvas._scene.tiles
    assert tiles.budget == 64 * 2**20
    assert tiles.nbytes <= tiles.budget


@pytest.mark.parametrize(("setting", "expected"), [(100, 100), (1, 64), ("x", 320), (True, 320)])
def test_a_setting_of_memory_that_means_nothing_counts_as_none(setting, expected):
    change_settings(tile_memory_mb=setting)
    assert DisplayTiles(Computed(300), Display()).budget == expected * 2**20


@pytest.fixture
def large(monkeypatch, tmp_path):
    """A picture that counts as large."""
    monkeypatch.setattr(overviews, "LARGE", 2**20)
    y, x = np.mgrid[:3000, :3000]
    pixels = np.stack([x // 16, y // 16, (x + y) // 32], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "large.png")
    return tmp_path / "large.png", pixels


def test_overviews_are_made_while_the_image_is_on_show(qtbot, large):
    path, pixels = large
    with shown_window(qtbot) as window:
        jobs = []
        window.bench.job_started.connect(lambda job: jobs.append(job.title))
        window.bench.opening.open([path])
        qtbot.waitUntil(lambda: on_show(window) == path and window.canvas.is_sharp, timeout=20000)
        image = window.editor.document.image
        qtbot.waitUntil(lambda: image.is_complete, timeout=20000)
        assert "Overviews of large.png" in jobs
        window.canvas.actual_size()
        window.canvas.repaint()
        qtbot.waitUntil(lambda: window.canvas.is_sharp)
        shown = window.canvas.picture()
        np.testing.assert_array_equal(shown.rgb, pixels[shown.window.slices])
    assert len(list((cache_folder() / "overviews").iterdir())) == 1
    with shown_window(qtbot) as window:
        window.bench.opening.open([path])
        qtbot.waitUntil(lambda: on_show(window) == path and window.canvas.is_sharp, timeout=20000)
        assert window.editor.document.image.is_complete


def test_a_stopped_job_leaves_the_image_on_show(qtbot, large):
    path, _ = large
    with shown_window(qtbot) as window:
        window.bench.job_started.connect(
            lambda job: job.cancel() if job.title.startswith("Overviews") else None
        )
        window.bench.opening.open([path])
        qtbot.waitUntil(lambda: on_show(window) == path and window.canvas.is_sharp, timeout=20000)
        image = window.editor.document.image
        qtbot.waitUntil(lambda: image.stored is None)
        assert not image.is_complete
    assert list((cache_folder() / "overviews").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said_once(qtbot, large):
    path, _ = large
    cache_folder().mkdir(parents=True)
    (cache_folder() / "overviews").write_text("in the way")
    with shown_window(qtbot) as window:
        window.bench.opening.open([path])
        qtbot.waitUntil(lambda: on_show(window) == path and window.canvas.is_sharp, timeout=20000)
        assert "could not be kept" in window.message_bar.text


@pytest.mark.parametrize(
    ("place", "said"), [({"spacing": (0.25, 0.25), "unit": "um"}, "  0.25 um/px"), ({}, "")]
)
def test_the_size_of_a_pixel_is_said_where_it_is_known(place, said):
    source = Computed(300)
    source.info = replace(source.info, **place)
    assert image_in_words(Document(source)) == f"300 x 300 x 3  uint8{said}"
