"""A pixel of a tile has one value, whatever tile it is read for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine.tiling.pixels import TileReader, prefetched

RNG = np.random.default_rng(1)
PIXELS = RNG.integers(0, 255, (90, 130, 3), np.uint8)


class Pyramid(ArrayImage):
    """An image that has levels of half and quarter size, and notes what is read."""

    def __init__(self, pixels):
        super().__init__(pixels)
        self.arrays = [pixels]
        for _ in range(2):
            last = self.arrays[-1].astype(float)
            rows, columns = last.shape[0] // 2, last.shape[1] // 2
            small = last.reshape(rows, 2, columns, 2, 3).mean((1, 3))
            self.arrays.append(np.rint(small).astype(np.uint8))
        levels = tuple((a.shape[1], a.shape[0]) for a in self.arrays)
        self.info = replace(self.info, levels=levels)
        self.read_from = []

    def read(self, window, level=0, frame=0):
        self.read_from.append(level)
        part = self.arrays[level][window.slices]
        assert part.shape[:2] == window.shape, "a read stays inside the level"
        return part


scales = st.sampled_from([1.0, 0.5, 0.37, 0.25, 0.11, 1.5, 2.0])


@given(scales, scales, st.integers(0, 60), st.integers(0, 60), st.integers(1, 80))
def test_a_window_is_part_of_the_whole(scale_x, scale_y, x, y, size):
    reader = TileReader(ArrayImage(PIXELS), (scale_x, scale_y))
    width, height = reader.size
    whole = reader.read(Window(0, 0, 2 * width, 2 * height))
    assert whole.shape == (2 * height, 2 * width, 3)
    np.testing.assert_array_equal(whole[height:], whole[height - 1 :: -1])
    np.testing.assert_array_equal(whole[:, width:], whole[:, width - 1 :: -1])
    window = Window(x, y, size, size)
    rows, columns = (np.arange(start, start + size) for start in (y, x))
    rows, columns = rows % (2 * height), columns % (2 * width)
    np.testing.assert_array_equal(reader.read(window), whole[np.ix_(rows, columns)])


def test_half_the_size_is_the_mean_of_four_pixels():
    reader = TileReader(ArrayImage(PIXELS), (0.5, 0.5))
    means = PIXELS.reshape(45, 2, 65, 2, 3).mean((1, 3))
    read = reader.read(Window(0, 0, 65, 45)).astype(float)
    assert np.abs(read - means).max() <= 0.76, "rounded twice"


def test_the_nearest_level_with_all_the_detail_is_read():
    image = Pyramid(RNG.integers(0, 255, (160, 240, 3), np.uint8))
    for scale, level in ((1, 0), (0.6, 0), (0.5, 1), (0.3, 1), (0.25, 2), (0.1, 2), (2, 0)):
        image.read_from.clear()
        reader = TileReader(image, (scale, scale))
        reader.read(Window(0, 0, *reader.size))
        assert image.read_from == [level]
    np.testing.assert_array_equal(
        TileReader(image, (0.5, 0.5)).read(Window(20, 10, 50, 60)),
        image.arrays[1][10:70, 20:70],
    )


def test_indices_of_a_palette_and_values_beside_nodata_are_not_mixed():
    pixels = RNG.choice(np.array([0, 7, 200], np.uint8), (60, 60, 1))
    for change in ({"palette": ((0, 0, 0),) * 256}, {"nodata": 7.0}):
        image = ArrayImage(pixels)
        image.info = replace(image.info, **change)
        read = TileReader(image, (0.4, 0.4)).read(Window(0, 0, 24, 24))
        assert set(np.unique(read)) <= {0, 7, 200}


@pytest.mark.parametrize("dtype", ["bool", "int16", "uint32", "float32", "float64"])
def test_any_type_is_kept(dtype):
    pixels = (RNG.random((40, 40, 2)) * 3).astype(dtype)
    for scale in (1.0, 0.5, 0.3, 2.0):
        assert (
            TileReader(ArrayImage(pixels), (scale, scale)).read(Window(0, 0, 9, 9)).dtype == dtype
        )


def test_empty_is_what_holds_nothing_but_nodata():
    image = ArrayImage(np.zeros((9, 9, 2), np.float32))
    assert not TileReader(image, (1, 1)).is_empty(np.zeros((4, 4, 2), np.float32))
    assert TileReader(image, (1, 1)).is_empty(np.full((4, 4, 2), np.nan, np.float32))
    image.info = replace(image.info, nodata=0.0)
    assert TileReader(image, (1, 1)).is_empty(np.zeros((4, 4, 2), np.float32))
    assert not TileReader(image, (1, 1)).is_empty(np.eye(4, dtype=np.float32)[..., None])


def test_the_next_items_are_worked_on_ahead_and_left_when_nobody_wants_them():
    from concurrent.futures import ThreadPoolExecutor

    begun = []

    def work(item):
        begun.append(item)
        if item == 7:
            raise ValueError("seven")
        return item * 2

    with ThreadPoolExecutor(1) as executor:
        assert list(prefetched(executor, work, range(5), 2)) == [0, 2, 4, 6, 8]
        begun.clear()
        some = prefetched(executor, work, range(100), 3)
        assert next(some) == 0
        some.close()
    assert len(begun) <= 4
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="seven"):
        list(prefetched(executor, work, range(100), 3))
