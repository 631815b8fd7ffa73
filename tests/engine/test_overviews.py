import os
from contextlib import closing

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from segdesk.core.errors import Cancelled, ImageError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.progress import silent
from segdesk.engine import overview_cache, overviews
from segdesk.engine.folders import cache_folder, change_settings
from segdesk.engine.halving import halved
from segdesk.engine.images import open_image, overview
from segdesk.engine.overviews import make_overviews, ready_for_overviews, wants_overviews
from segdesk.engine.pyramid import Pyramid
from segdesk.engine.tile_file import TileFile

HEIGHT, WIDTH = 1500, 2100
PIXELS = np.random.default_rng(0).integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), dtype=np.uint8)
PIXELS = PIXELS.repeat(4, axis=0).repeat(4, axis=1)


@pytest.fixture(autouse=True)
def _every_image_is_large(monkeypatch):
    monkeypatch.setattr(overviews, "LARGE", 2**20)
    monkeypatch.setattr(overviews, "_SMALL", 2**18)
    monkeypatch.setattr(overviews, "_PART", 1024)
    monkeypatch.setattr(overviews, "_PART_BYTES", 2**20)


WRITERS = {
    "png": lambda path: Image.fromarray(PIXELS).save(path, "PNG", compress_level=1),
    "plain": lambda path: tifffile.imwrite(path, PIXELS, photometric="rgb"),
    "strips": lambda path: tifffile.imwrite(
        path, PIXELS, photometric="rgb", compression="zlib", rowsperstrip=7
    ),
    "one strip": lambda path: tifffile.imwrite(
        path, PIXELS, photometric="rgb", compression="zlib", rowsperstrip=HEIGHT
    ),
    "tiles": lambda path: tifffile.imwrite(
        path, PIXELS, photometric="rgb", compression="zlib", tile=(128, 128)
    ),
}


@pytest.fixture(params=WRITERS)
def path(request, tmp_path):
    path = tmp_path / "image"
    WRITERS[request.param](path)
    return path


def make(path, report=silent):
    """Open a file, make its overviews, and return it."""
    pyramid = ready_for_overviews(path, open_image(path))
    assert isinstance(pyramid, Pyramid)
    make_overviews(path, pyramid, report)
    return pyramid


def levels_of(source):
    sizes = source.info.level_sizes
    return [source.read(Window(0, 0, *size), level) for level, size in enumerate(sizes)]


def wanted_levels(info):
    """Return the levels as plain halving gives them."""
    wanted = [PIXELS]
    while max(wanted[-1].shape[:2]) > 256:
        wanted.append(halved(wanted[-1], info))
    return wanted


def cached():
    folder = cache_folder() / "overviews"
    return sorted(path.suffix for path in folder.iterdir()) if folder.is_dir() else []


def test_overviews_are_made_and_found_again(path):
    with closing(make(path)) as made, closing(open_image(path)) as found:
        assert isinstance(found, Pyramid)
        assert found.is_complete
        assert cached() == [".tiles"]
        wanted = wanted_levels(made.info)
        for source in (made, found):
            levels = levels_of(source)
            assert len(levels) == len(wanted)
            for level, expected in zip(levels, wanted, strict=True):
                np.testing.assert_array_equal(level, expected)


def test_a_moved_file_keeps_its_overviews_and_a_changed_one_does_not(path, tmp_path):
    make(path).close()
    path = path.rename(tmp_path / "moved")
    with closing(open_image(path)) as found:
        assert isinstance(found, Pyramid)
    os.utime(path, ns=(1, 1))
    with closing(open_image(path)) as found:
        assert not isinstance(found, Pyramid)


def test_a_picture_is_decoded_once_only(tmp_path, monkeypatch):
    from segdesk_plugins.pictures.picture import Picture

    path, decoded = tmp_path / "image.png", []
    WRITERS["png"](path)
    decode = Picture._decode
    monkeypatch.setattr(Picture, "_decode", lambda *args: decoded.append(1) or decode(*args))
    with closing(make(path)) as made, closing(open_image(path)) as found:
        levels_of(made)
        levels_of(found)
    assert len(decoded) == 1


def test_it_can_be_read_while_overviews_are_made(path):
    pyramid = ready_for_overviews(path, open_image(path))
    wanted, seen = wanted_levels(pyramid.info), []

    def look(fraction, message):
        seen.append(fraction)
        for level, expected in enumerate(wanted):
            np.testing.assert_array_equal(
                pyramid.read(Window(40, 30, 50, 60), level), expected[30:90, 40:90]
            )
        assert overview(pyramid, 100).shape == (72, 100, 3)
        assert pyramid.is_ready(Window(0, 0, 256, 256), 0)

    with closing(pyramid):
        assert not pyramid.is_ready(Window(0, 0, 263, 188), 3)
        make_overviews(path, pyramid, look)
        assert pyramid.is_ready(Window(0, 0, 263, 188), 3)
    assert len(seen) > 1


def test_a_rough_copy_shows_what_has_been_read(tmp_path):
    path = tmp_path / "image"
    WRITERS["tiles"](path)
    pyramid, filled = ready_for_overviews(path, open_image(path)), []

    def look(fraction, message):
        level, pixels = pyramid.preview
        expected = PIXELS[:: 1 << level, :: 1 << level]
        shown = pixels.any(axis=2)
        np.testing.assert_array_equal(pixels[shown], expected[shown])
        filled.append(shown.mean())

    with closing(pyramid):
        make_overviews(path, pyramid, look)
        assert pyramid.preview is None
    assert filled[0] == 0
    assert filled == sorted(filled)


def test_a_rough_copy_of_strips_is_there_from_the_start(tmp_path):
    path, filled = tmp_path / "image", []
    WRITERS["strips"](path)
    pyramid = ready_for_overviews(path, open_image(path))
    with closing(pyramid):
        make_overviews(path, pyramid, lambda *_: filled.append(pyramid.preview[1].any(2).mean()))
    parts = -(-HEIGHT // 512)
    assert len(filled) > 10 * parts
    assert filled[-parts] > 0.9


def stop(fraction, message):
    if fraction > 0:
        raise Cancelled("stopped")


def full(*args):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("kind", ["png", "strips"])
def test_after_a_stop_the_image_stays_usable(tmp_path, kind):
    path = tmp_path / "image"
    WRITERS[kind](path)
    pyramid = ready_for_overviews(path, open_image(path))
    with closing(pyramid):
        with pytest.raises(Cancelled):
            make_overviews(path, pyramid, stop)
        assert cached() == []
        assert pyramid.is_ready(Window(0, 0, 263, 188), 3)
        for level, expected in zip(levels_of(pyramid), wanted_levels(pyramid.info), strict=True):
            np.testing.assert_array_equal(level, expected)


@pytest.mark.parametrize("step", ["put", "finish"])
def test_a_full_disk_is_one_line_and_the_image_stays_usable(path, monkeypatch, step):
    monkeypatch.setattr(TileFile, step, full)
    pyramid = ready_for_overviews(path, open_image(path))
    with closing(pyramid):
        with pytest.raises(ImageError, match=r"No space left.*more slowly"):
            make_overviews(path, pyramid, silent)
        assert cached() == []
        np.testing.assert_array_equal(levels_of(pyramid)[2], wanted_levels(pyramid.info)[2])


def test_a_folder_that_cannot_be_written_is_one_line(path):
    cache_folder().mkdir(parents=True)
    (cache_folder() / "overviews").write_text("in the way")
    with closing(open_image(path)) as source, pytest.raises(ImageError, match="could not be kept"):
        ready_for_overviews(path, source)


def test_damaged_overviews_are_made_again(path):
    make(path).close()
    (stored,) = (cache_folder() / "overviews").iterdir()
    data = stored.read_bytes()
    stored.write_bytes(data[:-100])
    with closing(open_image(path)) as source:
        assert not isinstance(source, Pyramid)
    assert cached() == []
    make(path).close()
    assert stored.read_bytes() == data


def test_damaged_tiles_are_read_from_the_image_itself(path):
    make(path).close()
    (stored,) = (cache_folder() / "overviews").iterdir()
    data = bytearray(stored.read_bytes())
    data[20 : len(data) // 2] = bytes(len(data) // 2 - 20)
    stored.write_bytes(data)
    with closing(open_image(path)) as source:
        for level, expected in zip(levels_of(source), wanted_levels(source.info), strict=True):
            np.testing.assert_array_equal(level, expected)
    assert cached() == []


def test_what_is_used_least_goes_first(tmp_path, monkeypatch):
    paths = [tmp_path / f"{number}" for number in range(3)]
    for number, path in enumerate(paths):
        tifffile.imwrite(path, PIXELS + np.uint8(number), photometric="rgb", tile=(256, 256))
    for path in paths[:2]:
        make(path).close()
    for number, stored in enumerate((cache_folder() / "overviews").iterdir()):
        size = stored.stat().st_size
        os.utime(stored, (number, number))
    open_image(paths[0]).close()  # used again
    monkeypatch.setattr(overview_cache, "limit", lambda: int(2.5 * size))
    make(paths[2]).close()
    kept = []
    for path in paths:
        with closing(open_image(path)) as source:
            kept.append(isinstance(source, Pyramid))
    assert kept == [True, False, True]


def test_overviews_never_take_more_than_the_setting_allows(path):
    change_settings(overview_cache_gb=0.0001)
    pyramid = ready_for_overviews(path, open_image(path))
    with closing(pyramid), pytest.raises(ImageError, match="overview_cache_gb"):
        make_overviews(path, pyramid, silent)
    assert cached() == []
    change_settings(overview_cache_gb=0)
    with closing(open_image(path)) as source:
        assert not wants_overviews(source.info)


@pytest.mark.parametrize("setting", ["much", -1, True, None, [1]])
def test_a_setting_that_means_nothing_counts_as_none(setting):
    change_settings(overview_cache_gb=setting)
    assert overview_cache.limit() == 10e9


def test_a_file_with_levels_needs_no_overviews(tmp_path):
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as file:
        for number, step in enumerate((1, 2, 4, 8)):
            file.write(PIXELS[::step, ::step], tile=(128, 128), subfiletype=1 if number else 0)
    with closing(open_image(path)) as source:
        assert ready_for_overviews(path, source) is source


sides = st.integers(1, 1200)


@given(sides, sides, st.data())
def test_every_window_of_every_level_is_the_same_as_of_the_whole(width, height, data):
    pixels = np.random.default_rng(width).integers(0, 255, (height, width, 1), dtype=np.uint8)
    source = ArrayImage(pixels)
    pyramid = Pyramid(source, None, is_complete=False)
    level = data.draw(st.integers(0, len(pyramid.info.levels) - 1))
    columns, rows = pyramid.info.levels[level]
    x, y = data.draw(st.integers(0, columns - 1)), data.draw(st.integers(0, rows - 1))
    window = Window(x, y, min(50, columns - x), min(50, rows - y))
    whole = pixels
    for _ in range(level):
        whole = halved(whole, source.info)
    assert whole.shape[:2] == (rows, columns)
    np.testing.assert_array_equal(pyramid.read(window, level), whole[window.slices])
