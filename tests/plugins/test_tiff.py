"""TIFF of all kinds, written by tifffile and read back by windows."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from segdesk_plugins.pictures.tiff import TiffImage

from segdesk.api import ImageError, Window

RNG = np.random.default_rng(3)
DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "float32", "float64"]


def _write(path, values, **settings):
    tifffile.imwrite(path, values, metadata=settings.pop("metadata", None), **settings)
    return path


def _values(shape, dtype="uint8"):
    return RNG.integers(0, 120, shape).astype(dtype)


def _whole(path, level=0, frame=0):
    with closing(TiffImage(path)) as image:
        width, height = image.info.level_sizes[level]
        pixels = image.read(Window(0, 0, width, height), level, frame)
        assert pixels.dtype.name == image.info.dtype
        assert pixels.shape[2] == image.info.bands
        return image.info, pixels


@st.composite
def _stored(draw):
    """Draw values (rows, columns, bands) and how to store them."""
    shape = draw(st.integers(1, 70)), draw(st.integers(1, 70)), draw(st.integers(1, 6))
    dtype = draw(st.sampled_from(DTYPES))
    how = {
        "compression": draw(st.sampled_from([None, "lzw", "deflate", "zstd", "packbits"])),
        "bigtiff": draw(st.booleans()),
        "byteorder": draw(st.sampled_from("<>")),
        "photometric": "minisblack",
        "planarconfig": draw(st.sampled_from(["contig", "separate"])) if shape[2] > 1 else None,
    }
    if draw(st.booleans()):
        how["tile"] = draw(st.sampled_from([(16, 16), (32, 16), (64, 64)]))
    else:
        how["rowsperstrip"] = draw(st.integers(1, 80))
    if how["compression"] in ("lzw", "deflate", "zstd") and dtype not in (
        "uint64",
        "float32",
        "float64",
    ):
        how["predictor"] = draw(st.booleans())
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 100, shape).astype(dtype)
    return values, how


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_stored(), st.data())
def test_any_window_of_any_kind_reads_back(tmp_path, stored, data):
    values, how = stored
    rows, columns, bands = values.shape
    out = values[..., 0] if bands == 1 else values
    if how["planarconfig"] == "separate":
        out = np.moveaxis(out, -1, 0)
    path = _write(tmp_path / "any.tif", np.ascontiguousarray(out), **how)
    with closing(TiffImage(path)) as image:
        assert (image.info.width, image.info.height, image.info.bands) == (columns, rows, bands)
        assert (image.info.dtype, image.info.frames) == (values.dtype.name, 1)
        for _ in range(3):
            x, y = data.draw(st.integers(0, columns - 1)), data.draw(st.integers(0, rows - 1))
            width, height = (
                data.draw(st.integers(1, columns - x)),
                data.draw(st.integers(1, rows - y)),
            )
            window = Window(x, y, width, height)
            assert np.array_equal(image.read(window), values[window.slices])


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_pages_are_frames(tmp_path, compression):
    values = _values((5, 20, 30), "uint16")
    path = _write(tmp_path / "stack.tif", values, photometric="minisblack", compression=compression)
    with closing(TiffImage(path)) as image:
        assert (image.info.frames, image.info.bands) == (5, 1)
        for frame in (4, 0, 2):
            pixels = image.read(Window(3, 4, 20, 10), 0, frame)
            assert np.array_equal(pixels[..., 0], values[frame, 4:14, 3:23])
        with pytest.raises(ImageError, match="frame 5"):
            image.read(Window(0, 0, 1, 1), 0, 5)


@pytest.mark.parametrize("kind", ["ome", "imagej"])
@pytest.mark.parametrize(("axes", "shape"), [("ZCYX", (2, 3, 8, 9)), ("TZCYX", (2, 3, 4, 8, 9))])
def test_channels_are_bands_and_the_rest_are_frames(tmp_path, kind, axes, shape):
    values = _values(shape, "uint16")
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, values, metadata={"axes": axes}, **{kind: True})
    info, _ = _whole(path)
    channels = shape[-3]
    assert (info.bands, info.frames) == (channels, values[..., 0, 0].size // channels)
    frames = values.reshape(-1, channels, 8, 9)
    for frame, expected in enumerate(frames):
        assert np.array_equal(_whole(path, 0, frame)[1], np.moveaxis(expected, 0, -1))


def test_channels_stored_before_slices_are_found(tmp_path):
    values = _values((3, 5, 8, 9))
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, values, metadata={"axes": "CZYX"}, photometric="minisblack")
    info, pixels = _whole(path, 0, 4)
    assert (info.bands, info.frames) == (3, 5)
    assert np.array_equal(pixels, np.moveaxis(values[:, 4], 0, -1))


@pytest.mark.parametrize("as_subifds", [True, False])
def test_overviews_are_levels(tmp_path, as_subifds):
    levels = [_values((size, size * 2 + 1, 3)) for size in (128, 64, 32)]
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as writer:
        settings = {"tile": (32, 32), "photometric": "rgb", "metadata": None}
        writer.write(levels[0], subifds=2 if as_subifds else 0, **settings)
        for level in levels[1:]:
            writer.write(level, subfiletype=1, **settings)
    info, _ = _whole(path)
    assert info.levels == ((257, 128), (129, 64), (65, 32))
    for number, level in enumerate(levels):
        assert np.array_equal(_whole(path, number)[1], level)


def test_pages_of_half_the_size_are_no_levels_unless_they_say_so(tmp_path):
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(_values((64, 64)), metadata=None)
        writer.write(_values((32, 32)), metadata=None)
    assert _whole(path)[0].levels == ()


def test_a_mask_or_thumbnail_of_another_shape_is_no_level(tmp_path):
    path = tmp_path / "extras.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(_values((64, 64)), metadata=None)
        writer.write(_values((32, 32)) > 50, subfiletype=5, metadata=None)
        writer.write(_values((32, 16)), subfiletype=1, metadata=None)
    assert _whole(path)[0].levels == ()


def test_a_window_decodes_only_the_tiles_that_it_touches(tmp_path):
    values = _values((128, 128))
    path = _write(tmp_path / "tiles.tif", values, tile=(32, 32), compression="deflate")
    with tifffile.TiffFile(path) as tiff:
        offsets, counts = tiff.pages[0].dataoffsets, tiff.pages[0].databytecounts
    content = bytearray(path.read_bytes())
    for index in range(16):
        if index != 5:
            content[offsets[index] : offsets[index] + counts[index]] = bytes(counts[index])
    path.write_bytes(content)
    with closing(TiffImage(path)) as image:
        assert np.array_equal(image.read(Window(32, 32, 32, 32))[..., 0], values[32:64, 32:64])
        with pytest.raises(ImageError, match=r"tiles\.tif.*damaged"):
            image.read(Window(32, 32, 33, 32))


@pytest.mark.parametrize("compression", ["zstd", "jpeg"])
def test_threads_may_read_together(tmp_path, compression):
    settings = {"tile": (16, 16), "compression": compression, "photometric": "rgb"}
    path = _write(tmp_path / "tiles.tif", _values((128, 128, 3)), **settings)
    values = tifffile.imread(path)
    windows = [Window(x, 5, 20, 120) for x in range(0, 100, 5)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(40):  # the first reads after opening are the critical ones
            with closing(TiffImage(path)) as image:
                for window, part in zip(windows, pool.map(image.read, windows), strict=True):
                    assert np.array_equal(part, values[window.slices])


@pytest.mark.parametrize("compression", [None, "deflate", "jpeg"])
def test_nobody_uses_the_file_without_the_lock(tmp_path, monkeypatch, compression):
    path = tmp_path / "pages.tif"
    settings = {"compression": compression, "photometric": "rgb", "metadata": None}
    tifffile.imwrite(path, _values((3, 64, 64, 3)), **settings)
    with closing(TiffImage(path)) as image:
        seek, lock = tifffile.FileHandle.seek, image._reader.lock

        def guarded(*arguments):
            assert lock.locked()
            return seek(*arguments)

        monkeypatch.setattr(tifffile.FileHandle, "seek", guarded)
        for frame in (2, 0, 1):
            image.read(image.info.window, 0, frame)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, orientation):
    seen = _values((20, 31, 3))
    back = {6: 8, 8: 6}.get(orientation, orientation)
    from segdesk_plugins.pictures.orientation import upright

    tag = (274, 3, 1, orientation, True)
    path = _write(
        tmp_path / "turned.tif",
        upright(seen, back),
        extratags=[tag],
        tile=(16, 16),
        photometric="rgb",
    )
    info, pixels = _whole(path)
    assert (info.width, info.height) == (31, 20)
    assert np.array_equal(pixels, seen)
    with closing(TiffImage(path)) as image:
        assert np.array_equal(image.read(Window(3, 5, 11, 7)), seen[5:12, 3:14])


def test_a_palette_shows_its_colours(tmp_path):
    colours = RNG.integers(0, 256, (3, 256), np.uint16)
    values = _values((9, 9))
    path = _write(tmp_path / "p.tif", values, photometric="palette", colormap=colours * 257)
    info, pixels = _whole(path)
    assert info.bands == 3
    assert np.array_equal(pixels, colours.T[values])


@pytest.mark.parametrize("inverted", [False, True])
def test_bilevel_is_black_and_white(tmp_path, inverted):
    values = _values((9, 11)) > 60
    photometric = "miniswhite" if inverted else "minisblack"
    _, pixels = _whole(_write(tmp_path / "fax.tif", values, photometric=photometric))
    assert np.array_equal(pixels[..., 0] == 255, values ^ inverted)
    assert set(np.unique(pixels)) == {0, 255}


def test_grey_where_white_is_zero_is_turned_round(tmp_path):
    values = _values((9, 11), "uint16")
    _, pixels = _whole(_write(tmp_path / "x.tif", values, photometric="miniswhite"))
    assert np.array_equal(pixels[..., 0], 65535 - values)


def test_four_inks_become_rgb(tmp_path):
    values = np.zeros((4, 4, 4), np.uint8)
    values[0] = 255, 0, 0, 0
    values[1] = 0, 0, 0, 255
    info, pixels = _whole(_write(tmp_path / "ink.tif", values, photometric="separated"))
    assert info.bands == 3
    assert pixels[:3, 0].tolist() == [[0, 255, 255], [0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize(
    ("dtype", "shown"),
    [("float16", "float32"), ("complex64", "float32"), ("complex128", "float64")],
)
def test_rare_numbers_become_usual_ones(tmp_path, dtype, shown):
    values = _values((9, 9)).astype(dtype) * (1j if dtype.startswith("c") else 1)
    info, pixels = _whole(_write(tmp_path / "x.tif", values))
    assert info.dtype == shown
    assert np.allclose(pixels[..., 0], np.abs(values))


@pytest.mark.parametrize("compression", ["jpeg", "webp", "jpeg2000"])
def test_colour_survives_image_compression(tmp_path, compression):
    values = np.zeros((64, 64, 3), np.uint8)
    values[:32] = 200, 30, 40
    path = _write(
        tmp_path / "x.tif", values, tile=(32, 32), photometric="rgb", compression=compression
    )
    _, pixels = _whole(path)
    assert np.abs(pixels.astype(int) - values).max() <= 8


def test_transparency_is_named(tmp_path):
    path = _write(
        tmp_path / "x.tif", _values((9, 9, 4)), photometric="rgb", extrasamples=["unassalpha"]
    )
    assert _whole(path)[0].band_names == ("red", "green", "blue", "alpha")


def test_missing_tiles_hold_nodata(tmp_path):
    def tiles():
        yield np.full((16, 16), 5, np.int16)
        yield None

    path = tmp_path / "sparse.tif"
    tag = (42113, 2, 0, "-99", True)
    tifffile.imwrite(
        path, tiles(), shape=(16, 32), dtype="int16", tile=(16, 16), metadata=None,
        compression="deflate", extratags=[tag],
    )  # fmt: skip
    info, pixels = _whole(path)
    assert info.nodata == -99
    assert np.unique(pixels[:, :16]).tolist() == [5]
    assert np.unique(pixels[:, 16:]).tolist() == [-99]


def test_microscopes_give_the_size_of_a_pixel(tmp_path):
    path = tmp_path / "a.ome.tif"
    metadata = {
        "axes": "CYX",
        "PhysicalSizeX": 0.25,
        "PhysicalSizeY": 0.5,
        "Channel": {"Name": ["DAPI", "GFP"]},
    }
    tifffile.imwrite(path, _values((2, 8, 9)), metadata=metadata, photometric="minisblack")
    info, _ = _whole(path)
    assert (info.spacing, info.unit) == ((0.25, 0.5), "um")
    assert info.band_names == ("DAPI", "GFP")
    path = tmp_path / "imagej.tif"
    settings = {"imagej": True, "resolution": (4, 2), "metadata": {"unit": "micron", "axes": "YX"}}
    tifffile.imwrite(path, _values((8, 9)), **settings)
    info, _ = _whole(path)
    assert (info.spacing, info.unit) == ((0.25, 0.5), "um")


def test_the_resolution_of_a_print_is_no_size_of_a_pixel(tmp_path):
    for name, per_inch, expected in (("print", 300, None), ("scope", 25400 * 4, (0.25, 0.25))):
        path = tmp_path / f"{name}.tif"
        _write(path, _values((8, 9)), resolution=(per_inch, per_inch), resolutionunit="inch")
        assert _whole(path)[0].spacing == expected


@pytest.mark.parametrize(("raster_type", "shift"), [(1, 0.0), (2, 5.0)])
def test_maps_give_their_place(tmp_path, raster_type, shift):
    keys = (1, 1, 0, 2, 1025, 0, 1, raster_type, 3072, 0, 1, 32618)
    tags = [
        (33550, 12, 3, (10.0, 10.0, 0.0), True),
        (33922, 12, 6, (0.0, 0.0, 0.0, 1000.0, 2000.0, 0.0), True),
        (34735, 3, len(keys), keys, True),
    ]
    info, _ = _whole(_write(tmp_path / "map.tif", _values((8, 9)), extratags=tags))
    assert info.affine == (10.0, 0.0, 1000.0 - shift, 0.0, -10.0, 2000.0 + shift)
    assert info.crs == "EPSG:32618"
    assert (info.spacing, info.unit) == ((10.0, 10.0), "m")


_STATE_PLANE_FEET, _FOOT = (3072, 0, 1, 2263), (3076, 0, 1, 9003)
_METRE, _SHEARED = (3076, 0, 1, 9001), (10.0, 5.0, 0, 0, 0.0, -10.0, *[0] * 9, 1.0)
_UPRIGHT = (10.0, 0.0, 0, 0, 0.0, -10.0, *[0] * 9, 1.0)


@pytest.mark.parametrize(
    ("keys", "matrix", "expected"),
    [
        ([_STATE_PLANE_FEET, _FOOT], _UPRIGHT, (12000 / 3937, "m")),
        ([_STATE_PLANE_FEET], _UPRIGHT, (10.0, "")),
        ([(3072, 0, 1, 3857), _METRE], _UPRIGHT, (10.0, "")),
        ([(2048, 0, 1, 4326)], _UPRIGHT, (10.0, "deg")),
        ([(1024, 0, 1, 2), (2048, 0, 1, 4326)], _UPRIGHT, (10.0, "deg")),
        ([(3072, 0, 1, 3035), _METRE], _SHEARED, (10.0, "")),
        ([(3072, 0, 1, 32767), _METRE], _UPRIGHT, (10.0, "m")),
    ],
)
def test_only_lengths_on_the_ground_are_metres(tmp_path, keys, matrix, expected):
    flat = (1, 1, 0, len(keys), *(number for key in keys for number in key))
    tags = [(34264, 12, 16, matrix, True), (34735, 3, len(flat), flat, True)]
    print_size = {"resolution": (25400 * 4, 25400 * 4), "resolutionunit": "inch"}
    path = _write(tmp_path / "map.tif", _values((8, 9)), extratags=tags, **print_size)
    info, _ = _whole(path)
    assert (info.spacing[0], info.unit) == expected


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_file_cut_short_is_refused_when_opened(tmp_path, compression):
    path = _write(
        tmp_path / "cut.tif", RNG.integers(0, 255, (99, 99), np.uint8), compression=compression
    )
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ImageError, match=r"cut\.tif.*cut short"):
        TiffImage(path)


def test_pieces_too_large_to_decode_are_refused(tmp_path):
    path = _write(tmp_path / "large.tif", np.zeros((8, 8), np.uint8), compression="deflate")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for tag, value in ((256, 40_000), (257, 40_000), (278, 40_000)):
            tiff.pages[0].tags[tag].overwrite(value)
    with closing(TiffImage(path)) as image, pytest.raises(ImageError, match=r"GiB.*tiled TIFF"):
        image.read(Window(0, 0, 1, 1))


def test_colours_that_would_be_wrong_are_refused(tmp_path):
    path = _write(tmp_path / "lab.tif", _values((8, 8, 3)), photometric="cielab")
    with pytest.raises(ImageError, match=r"lab\.tif.*does not read.*CIELAB"):
        TiffImage(path)


def test_a_closed_image_says_so(tmp_path):
    image = TiffImage(_write(tmp_path / "x.tif", _values((8, 8))))
    image.close()
    with pytest.raises(ImageError, match="closed"):
        image.read(Window(0, 0, 1, 1))
