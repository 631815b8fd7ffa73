"""Tiles cover an image, at the resolution asked for."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.errors import ImageError, UsageError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo
from segdesk.engine.tiling.line import Line, alignment, sound_overlap
from segdesk.engine.tiling.plan import Tiling, plan_tiles, scale_for

INFO = ImageInfo("slide.tif", 1000, 600, 3, "uint8", spacing=(0.25, 0.5), unit="um")


@given(st.integers(0, 3000), st.integers(1, 5000), st.integers(64, 700), st.integers(0, 350))
def test_a_line_is_covered_in_order_and_every_pixel_is_owned_by_one_tile(start, length, size, lap):
    stop = start + length
    line = Line.over(start, stop, stop + 100, size, min(lap, size // 2))
    owned = [line.owned(number) for number in range(len(line))]
    assert owned[0][0] <= start
    assert owned[-1][1] >= stop
    assert all(a[1] == b[0] for a, b in pairwise(owned))
    for number, (first, last) in enumerate(owned):
        begin, end = line.trusted(number)
        tile = range(line.starts[number], line.starts[number] + size + 1)
        assert line.starts[number] <= begin <= first <= last <= end <= tile[-1]
        assert (line.starts[number] - line.starts[0]) % line.step == 0
        if number:
            shared = line.starts[number - 1] + size - line.starts[number]
            assert shared >= sound_overlap(size, lap) >= 2 * line.step
            assert shared >= min(lap, size // 2 - line.step)
    if len(line) > 1:
        assert line.starts[-1] + size < stop + line.step


@pytest.mark.parametrize(("size", "step"), [(512, 32), (256, 32), (128, 16), (64, 8), (65, 1)])
def test_tiles_begin_where_scores_of_most_models_do(size, step):
    assert alignment(size) == step


def test_a_tile_smaller_than_the_image_lies_in_it_and_about_the_window():
    plan = plan_tiles(INFO, Tiling(window=Window(400, 300, 100, 100)), 256)
    assert plan.tile_window((0, 0)) == Window(322, 222, 256, 256)
    plan = plan_tiles(INFO, Tiling(window=Window(900, 0, 100, 100)), 256)
    assert plan.tile_window((0, 0)) == Window(744, 0, 256, 256)
    plan = plan_tiles(INFO, Tiling(), 2048)
    assert plan.tile_window((0, 0)) == Window(0, 0, 2048, 2048)


@pytest.mark.parametrize(
    ("pixel_size", "scale"),
    [
        ("", (1, 1)),
        ("0.5um", (0.5, 1)),
        ("250 nm", (1, 2)),
        ("0.001mm", (0.25, 0.5)),
        ("0.25x", (0.25, 0.25)),
        ("2x", (2, 2)),
    ],
)
def test_the_size_of_a_pixel_says_how_an_image_is_scaled(pixel_size, scale):
    np.testing.assert_allclose(scale_for(INFO, pixel_size), scale)


@pytest.mark.parametrize("text", ["0um", "x", "3 parsec", "-1um", "um", "0.5umm", "nan um"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageError, match="No size of a pixel"):
        scale_for(INFO, text)


def test_an_image_without_spacing_has_no_physical_size():
    with pytest.raises(ImageError, match=r"slide.tif: the file does not say how large its pixels"):
        scale_for(replace(INFO, spacing=None), "0.5um")
    assert scale_for(replace(INFO, spacing=None), "0.5x") == (0.5, 0.5)


def test_results_do_not_depend_on_the_extent_but_on_the_size_of_pixels():
    """The same tissue, scanned at two magnifications, gives the same tiles."""
    fine = replace(INFO, width=2000, height=1200, spacing=(0.125, 0.25))
    tiling = Tiling(pixel_size="0.5um")
    plans = [plan_tiles(info, tiling, 128) for info in (INFO, fine)]
    assert (plans[0].rows, plans[0].columns) == (plans[1].rows, plans[1].columns)
