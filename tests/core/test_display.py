import numpy as np
import pytest

from segdesk.core.display import Display, default_display, ranged_display, shown_bands
from segdesk.core.image import ImageInfo


def _info(pixels, **more):
    rows, columns, bands = pixels.shape
    return ImageInfo("test", columns, rows, bands, pixels.dtype.name, **more)


@pytest.mark.parametrize("bands", [3, 4])
def test_colour_of_8_bits_is_shown_without_a_copy(bands):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, bands), np.uint8)
    shown = default_display(_info(pixels)).apply(pixels)
    assert np.shares_memory(shown, pixels)
    assert np.array_equal(shown, pixels[..., :3])


@pytest.mark.parametrize("bands", [1, 2])
def test_grey_of_8_bits_is_shown_as_it_is(bands):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(bands, axis=2)
    shown = default_display(_info(pixels)).apply(pixels)
    assert np.array_equal(shown, pixels[..., :1].repeat(3, axis=2))


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int8", "int32", "float32", "float64"])
def test_the_range_goes_from_black_to_full(dtype):
    pixels = np.linspace(-100, 100, 41).astype(dtype).reshape(1, -1, 1)
    low, high = (0.0, 100.0) if dtype == "uint16" else (-50.0, 50.0)
    if dtype == "uint16":
        pixels = np.arange(0, 201, 5).astype(dtype).reshape(1, -1, 1)
    shown = Display((0, 0, 0), (low,) * 3, (high,) * 3).apply(pixels)
    share = (pixels[..., 0].astype(float) - low) / (high - low)
    expected = np.rint(np.clip(share, 0, 1) * 255)
    assert np.abs(shown[..., 0] - expected).max() <= 1
    assert np.array_equal(shown[..., 0], shown[..., 2])
    assert shown.dtype == np.uint8


def test_gamma_lightens_what_is_dark_and_leaves_the_ends():
    pixels = np.array([0, 64, 255], np.uint8).reshape(1, 3, 1)
    shown = Display((0, 0, 0), gamma=2.0).apply(pixels)[0, :, 0]
    assert shown.tolist() == [0, round(255 * (64 / 255) ** 0.5), 255]


@pytest.mark.filterwarnings("error")
def test_nan_infinity_and_nodata_do_no_harm():
    values = [np.nan, np.inf, -np.inf, -9999.0, 0.0, 1.0]
    pixels = np.array(values, np.float32).reshape(1, -1, 1)
    info = _info(pixels, nodata=-9999.0)
    display = ranged_display(info, pixels)
    assert (display.low[0], display.high[0]) == (0.0, 1.0)
    assert display.apply(pixels)[0, :, 0].tolist() == [0, 255, 0, 0, 0, 255]


def test_nodata_of_integers_is_black_even_above_the_range():
    pixels = np.array([10, 20, 65535], np.uint16).reshape(1, 3, 1)
    display = ranged_display(_info(pixels, nodata=65535.0), pixels)
    assert display.apply(pixels)[0, :, 0].tolist() == [0, 255, 0]


def test_percentiles_pass_over_a_few_extreme_pixels():
    pixels = np.random.default_rng(1).normal(1000, 50, (200, 200, 1)).astype(np.uint16)
    pixels[0, 0], pixels[1, 1] = 0, 65535
    display = default_display(_info(pixels), pixels)
    assert 850 < display.low[0] < display.high[0] < 1200
    assert display.origin == "percentiles"
    extremes = ranged_display(_info(pixels), pixels)
    assert (extremes.low[0], extremes.high[0], extremes.origin) == (0.0, 65535.0, "extremes")


def test_bright_spots_on_an_even_background_are_seen():
    pixels = np.zeros((100, 100, 1), np.float32)
    pixels[5, 5] = 3.0
    assert default_display(_info(pixels), pixels).apply(pixels)[5, 5].tolist() == [255] * 3


@pytest.mark.parametrize("value", [0, 7])
def test_an_even_image_is_shown(value):
    pixels = np.full((4, 4, 1), value, np.uint16)
    assert default_display(_info(pixels), pixels).apply(pixels).max() == 0


def test_named_colours_share_one_range_others_do_not():
    pixels = np.stack([np.full((9, 9), v, np.uint16) for v in (0, 100, 1000)], axis=2)
    pixels[0, 0] += 1
    named = ranged_display(_info(pixels, band_names=("red", "green", "blue")), pixels)
    assert len(set(named.low)) == len(set(named.high)) == 1
    assert ranged_display(_info(pixels), pixels).low == (0.0, 100.0, 1000.0)


@pytest.mark.parametrize(
    ("bands", "names", "expected"),
    [
        (1, (), (0, 0, 0)),
        (2, ("grey", "alpha"), (0, 0, 0)),
        (3, (), (0, 1, 2)),
        (224, (), (0, 1, 2)),
        (4, ("nir", "Blue", "Green", "Red"), (3, 2, 1)),
    ],
)
def test_bands_are_chosen_by_name_then_by_order(bands, names, expected):
    info = ImageInfo("test", 1, 1, bands, "uint8", band_names=names)
    assert shown_bands(info) == expected
    pixels = np.arange(bands, dtype=np.uint8).reshape(1, 1, bands)
    assert default_display(info).apply(pixels)[0, 0].tolist() == list(expected)


def test_a_palette_gives_the_colours():
    palette = ((0, 0, 0), (255, 0, 0), (1, 2, 3))
    pixels = np.array([[[0], [1], [2], [200]]], np.uint8)
    display = default_display(_info(pixels, palette=palette))
    assert display.apply(pixels)[0].tolist() == [[0, 0, 0], [255, 0, 0], [1, 2, 3], [1, 2, 3]]


def test_without_a_sample_the_dtype_gives_the_range():
    info = ImageInfo("test", 1, 1, 1, "uint16")
    display = default_display(info)
    assert (display.low[0], display.high[0], display.origin) == (0.0, 65535.0, "stored")


def test_tables_do_not_mix_up_dtypes():
    low, high = (0.0,) * 3, (100.0,) * 3
    as_signed = Display((0, 0, 0), low, high).apply(np.full((1, 1, 1), -1, np.int16))
    as_unsigned = Display((0, 0, 0), low, high).apply(np.full((1, 1, 1), 65535, np.uint16))
    assert (as_signed.max(), as_unsigned.max()) == (0, 255)


def test_the_byte_order_of_the_pixels_does_not_matter():
    pixels = np.array([[[0], [50], [100]]], np.uint16)
    display = Display((0, 0, 0), (0.0,) * 3, (100.0,) * 3)
    shown = display.apply(pixels)
    assert np.array_equal(display.apply(pixels.astype(">u2")), shown)
    assert np.array_equal(display.apply(pixels.astype("<u2")), shown)


def test_true_is_white():
    pixels = np.array([[[False], [True]]])
    assert default_display(_info(pixels), pixels).apply(pixels)[0, :, 0].tolist() == [0, 255]
