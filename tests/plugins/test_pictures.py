"""PNG, JPEG, BMP, WebP and GIF, written by Pillow and imagecodecs and read back."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from zlib import crc32

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from segdesk_plugins.pictures import picture_format
from segdesk_plugins.pictures.orientation import stored_window, upright, upright_size
from segdesk_plugins.pictures.picture import Picture
from segdesk_plugins.pictures.webp import webp_size

from segdesk.api import ImageError, Window

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (37, 53, 3), np.uint8)


def _save(path, image, **settings):
    image.save(path, **settings)
    return path


def _whole(path, frame=0):
    with closing(Picture(path)) as picture:
        pixels = picture.read(picture.info.window, 0, frame)
        assert pixels.shape == (picture.info.height, picture.info.width, picture.info.bands)
        assert pixels.dtype.name == picture.info.dtype
        return picture.info, pixels


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".gif", ".jpg"])
def test_every_format_gives_its_pixels(tmp_path, suffix):
    image = Image.fromarray(COLOUR).quantize(64).convert("RGB")
    settings = {"lossless": True} if suffix == ".webp" else {}
    path = _save(tmp_path / f"image{suffix}", image, **settings)
    info, pixels = _whole(path)
    assert (info.width, info.height, info.bands, info.frames) == (53, 37, 3, 1)
    with Image.open(path) as reopened:
        assert np.array_equal(pixels, np.asarray(reopened.convert("RGB")))
    assert picture_format(path.read_bytes()[:64]) == info.format.upper()


@pytest.mark.parametrize(
    ("mode", "bands"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("1", 1), ("I;16", 1)]
)
def test_every_mode_keeps_its_bands(tmp_path, mode, bands):
    if mode == "I;16":
        image = Image.fromarray(RNG.integers(0, 2**16, (9, 11), np.uint16))
    else:
        image = Image.fromarray(RNG.integers(0, 256, (9, 11, 4), np.uint8), "RGBA").convert(mode)
    info, pixels = _whole(_save(tmp_path / "image.png", image))
    expected = np.asarray(image if mode != "1" else image.convert("L"))
    assert info.bands == bands
    assert np.array_equal(pixels, expected.reshape(9, 11, bands))


@pytest.mark.parametrize("bands", [2, 3, 4])
def test_deep_colour_keeps_all_16_bits(tmp_path, bands):
    values = RNG.integers(0, 2**16, (20, 30, bands), np.uint16)
    path = tmp_path / "deep.png"
    path.write_bytes(imagecodecs.png_encode(values))
    info, pixels = _whole(path)
    assert info.dtype == "uint16"
    assert np.array_equal(pixels, values)


def test_a_palette_shows_its_colours_and_its_transparency(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    info, pixels = _whole(_save(tmp_path / "plain.png", image))
    assert pixels[0].tolist() == [[10, 20, 30], [40, 50, 60], [70, 80, 90]]
    assert info.band_names == ("red", "green", "blue")
    info, pixels = _whole(_save(tmp_path / "clear.png", image, transparency=1))
    assert pixels[0, :, 3].tolist() == [255, 0, 255]
    assert info.band_names[3] == "alpha"


def test_cmyk_becomes_rgb(tmp_path):
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    _, pixels = _whole(_save(tmp_path / "ink.jpg", cmyk))
    red, green, blue = pixels[4, 4].tolist()
    assert red > 200 > 60 > max(green, blue)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animations_have_frames_that_can_be_read_in_any_order(tmp_path, suffix):
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    first, *rest = [Image.new("RGB", (6, 5), colour) for colour in colours]
    settings = {"save_all": True, "append_images": rest}
    settings |= {"lossless": True} if suffix == ".webp" else {}
    path = _save(tmp_path / f"moving{suffix}", first, **settings)
    with closing(Picture(path)) as picture:
        assert picture.info.frames == 3
        for frame in (2, 0, 1, 2):
            pixels = picture.read(Window(2, 2, 1, 1), 0, frame)
            assert pixels[0, 0, :3].tolist() == list(colours[frame])
        with pytest.raises(ImageError, match="frame 3"):
            picture.read(Window(0, 0, 1, 1), 0, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = _save(tmp_path / f"turned{suffix}", Image.fromarray(COLOUR), exif=exif)
    with Image.open(path) as reopened:
        expected = np.asarray(ImageOps.exif_transpose(reopened).convert("RGB"))
    info, pixels = _whole(path)
    assert (info.height, info.width) == expected.shape[:2]
    assert np.array_equal(pixels, expected)
    with closing(Picture(path)) as picture:
        part = Window(5, 9, 13, 7)
        assert np.array_equal(picture.read(part), expected[part.slices])


@given(st.integers(1, 8), st.data())
def test_a_window_of_a_turned_image_is_found_where_it_is_stored(orientation, data):
    stored = np.arange(6 * 9).reshape(6, 9, 1)
    seen = upright(stored, orientation)
    width, height = upright_size(9, 6, orientation)
    assert seen.shape[:2] == (height, width)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    window = Window(
        x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y))
    )
    part = stored[stored_window(window, (width, height), orientation).slices]
    assert np.array_equal(upright(part, orientation), seen[window.slices])


def test_opening_decodes_nothing_and_reading_decodes_once(tmp_path):
    path = _save(tmp_path / "image.png", Image.fromarray(COLOUR))
    damaged = bytearray(path.read_bytes())
    damaged[-60:-20] = bytes(40)
    path.write_bytes(damaged)
    with closing(Picture(path)) as picture:
        assert picture.info.width == 53
        with pytest.raises(ImageError, match=r"image\.png.*damaged"):
            picture.read(Window(0, 0, 1, 1))


def test_threads_may_read_together(tmp_path):
    values = RNG.integers(0, 256, (300, 400, 3), np.uint8)
    path = _save(tmp_path / "image.png", Image.fromarray(values))
    windows = [Window(x, y, 50, 60) for x in range(0, 350, 50) for y in range(0, 240, 60)]
    with closing(Picture(path)) as picture, ThreadPoolExecutor(8) as pool:
        for window, part in zip(windows, pool.map(picture.read, windows), strict=True):
            assert np.array_equal(part, values[window.slices])


def test_what_would_take_too_much_memory_is_refused_by_its_header(tmp_path):
    header = (30_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    chunk = b"IHDR" + header
    crc = crc32(chunk).to_bytes(4, "big")
    path = tmp_path / "huge.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\r" + chunk + crc + b"\0\0\0\0IDAT")
    with pytest.raises(ImageError, match=r"huge\.png.*30000 x 30000.*tiled TIFF"):
        Picture(path)


@pytest.mark.parametrize("settings", [{"lossless": True}, {"quality": 9}, {"exif": b"Exif\0\0"}])
def test_the_size_of_a_webp_is_known_before_it_is_opened(tmp_path, settings):
    path = _save(tmp_path / "image.webp", Image.fromarray(COLOUR), **settings)
    assert webp_size(path.read_bytes()[:64]) == (53, 37)
    head = bytearray(path.read_bytes()[:64])
    if settings == {"lossless": True}:
        head[21:25] = b"\xff" * 4
        path.write_bytes(head)
        with pytest.raises(ImageError, match=r"16384 x 16384.*tiled TIFF"):
            Picture(path)


def test_a_frame_that_outgrows_its_picture_is_refused(tmp_path, shared_data):
    path = shared_data / "malformed" / "pillow" / "decompression_bomb_extents.gif"
    with closing(Picture(path)) as picture, pytest.raises(ImageError, match="damaged"):
        picture.read(Window(0, 0, 1, 1), 0, 1)


@pytest.mark.parametrize("window", [Window(50, 0, 4, 1), Window(-1, 0, 2, 2), Window(0, 0, 0, 5)])
def test_windows_outside_are_refused(tmp_path, window):
    path = _save(tmp_path / "image.png", Image.fromarray(COLOUR))
    with closing(Picture(path)) as picture, pytest.raises(ImageError, match="53 x 37"):
        picture.read(window)


def test_a_closed_picture_says_so(tmp_path):
    picture = Picture(_save(tmp_path / "image.png", Image.fromarray(COLOUR)))
    picture.close()
    with pytest.raises(ImageError, match="closed"):
        picture.read(Window(0, 0, 1, 1))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(("orientation", "rest"), [(1, 3), (6, 0)])
def test_a_large_jpeg_has_a_level_of_an_eighth_that_is_decoded_alone(
    tmp_path, mode, orientation, rest
):
    small = np.random.default_rng(0).integers(60, 190, (514, 560), np.uint8)
    pixels = small.repeat(8, axis=0).repeat(8, axis=1)[: 4112 - rest, : 4480 - rest]
    path = _large_jpeg(tmp_path, pixels, mode, orientation)
    with closing(Picture(path)) as image:
        width, height = image.info.levels[0]
        assert image.info.levels[1] == (-(-width // 8), -(-height // 8))
        eighth = image.read(Window(0, 0, *image.info.levels[1]), 1)
        assert not image._decoded
        middle = image.read(image.info.window)[4::8, 4::8].astype(int)
        assert np.abs(eighth[:510, :510].astype(int) - middle[:510, :510]).mean() < 6


def test_a_large_jpeg_that_is_turned_and_has_a_rest_is_decoded_as_a_whole(tmp_path):
    path = _large_jpeg(tmp_path, np.zeros((4099, 4099), np.uint8), "L", 3)
    with closing(Picture(path)) as image:
        assert image.info.levels == ()


def _large_jpeg(folder, pixels, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).convert(mode).save(folder / "large.jpg", quality=95, exif=exif)
    return folder / "large.jpg"
