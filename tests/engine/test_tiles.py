from threading import Thread

import numpy as np
import pytest

from segdesk.core.display import Display
from segdesk.core.errors import ImageError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage, ImageInfo
from segdesk.engine.tiles import SIZE, DisplayTiles


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (700, 1100, 3), dtype=np.uint8)


def as_rgb(tile):
    assert tile.shape[2] == 4
    assert (tile[..., 3] == 255).all()
    return tile[..., 2::-1]


class Pyramid:
    """An image that has a level of a quarter of its size, of another colour."""

    def __init__(self, pixels, quarter):
        self._levels = [pixels, quarter]
        sizes = tuple((level.shape[1], level.shape[0]) for level in self._levels)
        self.info = ImageInfo("pyramid", *sizes[0], 3, "uint8", levels=sizes)
        self.read_levels = []

    def read(self, window, level=0, frame=0):
        self.read_levels.append(level)
        rows, columns = self._levels[level].shape[:2]
        assert window.intersection(Window(0, 0, columns, rows)) == window
        return self._levels[level][window.slices]

    def close(self):
        pass


def test_level_0_shows_the_pixels(pixels):
    tiles = DisplayTiles(ArrayImage(pixels), Display())
    np.testing.assert_array_equal(as_rgb(tiles.tile((0, 1, 1))), pixels[256:512, 256:512])
    np.testing.assert_array_equal(as_rgb(tiles.tile((0, 4, 2))), pixels[512:, 1024:])


def test_the_display_is_applied(pixels):
    tiles = DisplayTiles(ArrayImage(pixels), Display(bands=(2, 1, 0)))
    np.testing.assert_array_equal(as_rgb(tiles.tile((0, 0, 0))), pixels[:256, :256, ::-1])


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_pixel_of_a_level_is_the_mean_of_a_square(pixels, level):
    tiles = DisplayTiles(ArrayImage(pixels), Display())
    step = 1 << level
    tile = as_rgb(tiles.tile((level, 0, 0)))
    shown = pixels[: step * 40, : step * 40].reshape(40, step, 40, step, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(tile[:40, :40], shown, atol=0.51)


def test_levels_made_from_tiles_that_are_there_are_the_same(pixels):
    direct = DisplayTiles(ArrayImage(pixels), Display()).tile((1, 1, 0))
    tiles = DisplayTiles(ArrayImage(pixels), Display())
    for key in tiles.keys(tiles.window_of((1, 1, 0)), 0):
        tiles.tile(key)
    np.testing.assert_allclose(tiles.tile((1, 1, 0)).astype(int), direct, atol=1)


@pytest.mark.parametrize("level", range(4))
def test_tiles_end_with_the_image(pixels, level):
    tiles = DisplayTiles(ArrayImage(pixels), Display())
    keys = tiles.keys(Window(0, 0, 1100, 700), level)
    last = tiles.tile(keys[-1])
    step = SIZE << level
    assert last.shape[1] == -(-(1100 - (1099 // step) * step) // (1 << level))
    assert last.shape[0] == -(-(700 - (699 // step) * step) // (1 << level))


def test_the_top_level_is_one_tile(pixels):
    tiles = DisplayTiles(ArrayImage(pixels), Display())
    assert tiles.keys(Window(0, 0, 1100, 700), tiles.top_level) == [(tiles.top_level, 0, 0)]
    assert len(tiles.keys(Window(0, 0, 1100, 700), tiles.top_level - 1)) > 1


def test_an_images_own_levels_are_read(pixels):
    quarter = np.full((700 // 4, 1100 // 4, 3), 77, np.uint8)  # one row less than ours
    source = Pyramid(pixels, quarter)
    tiles = DisplayTiles(source, Display())
    assert (as_rgb(tiles.tile((2, 0, 0))) == 77).all()
    assert tiles.tile((2, 1, 0)).shape[:2] == (175, 1100 // 4 - 256)
    assert (as_rgb(tiles.tile((3, 0, 0))) == 77).all()
    assert set(source.read_levels) == {1}
    np.testing.assert_array_equal(as_rgb(tiles.tile((0, 0, 0))), pixels[:256, :256])


def test_levels_that_are_no_halves_are_left_alone(pixels):
    source = Pyramid(pixels, np.full((233, 366, 3), 77, np.uint8))
    assert not (as_rgb(DisplayTiles(source, Display()).tile((2, 0, 0))) == 77).all()


def test_no_more_is_kept_than_the_budget(pixels):
    one = SIZE * SIZE * 4
    tiles = DisplayTiles(ArrayImage(pixels), Display(), budget=3 * one)
    for column in range(4):
        tiles.tile((0, column, 0))
        tiles.kept((0, 0, 0))  # in use
    assert tiles.nbytes <= 3 * one
    assert tiles.kept((0, 0, 0)) is not None
    assert tiles.kept((0, 1, 0)) is None
    assert tiles.kept((0, 3, 0)) is not None


def test_coarser_tiles_stand_in(pixels):
    tiles = DisplayTiles(ArrayImage(pixels), Display())
    assert tiles.best((0, 3, 2)) is None
    top = tiles.tile((3, 0, 0))
    assert tiles.best((0, 3, 2)) == ((3, 0, 0), top)
    middle = tiles.tile((1, 1, 1))
    assert tiles.best((0, 3, 2)) == ((1, 1, 1), middle)


def test_what_cannot_be_read_is_an_error_each_time(pixels):
    class Broken(ArrayImage):
        def read(self, window, level=0, frame=0):
            raise ImageError("torn.tif: the file ends too early.")

    tiles = DisplayTiles(Broken(pixels), Display())
    for _ in range(2):
        with pytest.raises(ImageError, match=r"torn\.tif"):
            tiles.tile((0, 0, 0))
    assert tiles.nbytes == 0


def test_several_threads_may_ask(pixels):
    tiles = DisplayTiles(ArrayImage(pixels), Display())
    keys = [key for level in range(4) for key in tiles.keys(Window(0, 0, 1100, 700), level)]
    threads = [Thread(target=lambda: [tiles.tile(key) for key in keys]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tiles.nbytes == sum(tiles.tile(key).nbytes for key in keys)
