"""Whole slides: levels, label and macro images, size of a pixel; and broken ones."""

from contextlib import closing

import numpy as np
import pytest
import tifffile
from segdesk_plugins.pictures.tiff import TiffImage

from segdesk.api import ImageError, Window
from segdesk.engine.images import image_files, open_image

APERIO = "Aperio Image Library v11\r\n4096x4096 (240x240) JPEG/RGB Q=30|AppMag = 20|MPP = {mpp}"
PHILIPS = (
    '<?xml version="1.0"?><DataObject ObjectType="DPUfsImport">'
    '<Attribute Name="DICOM_PIXEL_SPACING" Group="0x0028" PMSVR="IDoubleArray">'
    "&quot;0.00025&quot; &quot;0.0005&quot;</Attribute></DataObject>"
)
PIXELS = np.random.default_rng(0).integers(0, 255, (700, 1100, 3), np.uint8)


def write_svs(path):
    """Write what Aperio writes: slide, thumbnail, levels, label and macro image."""
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        how = {"metadata": None, "photometric": "rgb"}
        file.write(PIXELS, tile=(256, 256), description=APERIO.format(mpp=0.25), **how)
        file.write(PIXELS[::10, ::10], description="Aperio thumbnail", **how)
        for step in (4, 16):
            small = PIXELS[::step, ::step]
            file.write(small, tile=(256, 256), description="Aperio level", **how)
        for kind, name in ((1, "label"), (9, "macro")):
            file.write(PIXELS[:90, :80], description=f"Aperio\r\n{name}", subfiletype=kind, **how)
    return path


def test_a_slide_has_its_levels_and_neither_label_nor_macro(tmp_path):
    with closing(TiffImage(write_svs(tmp_path / "slide.svs"))) as slide:
        assert slide.info.levels == ((1100, 700), (275, 175), (69, 44))
        assert (slide.info.spacing, slide.info.unit) == ((0.25, 0.25), "um")
        assert slide.info.frames == 1
        window = Window(100, 50, 60, 70)
        np.testing.assert_array_equal(slide.read(window), PIXELS[window.slices])
        np.testing.assert_array_equal(slide.read(window, 1), PIXELS[::4, ::4][window.slices])


def test_a_slide_is_found_by_its_suffix_and_opened_by_its_content(tmp_path):
    path = write_svs(tmp_path / "slide.svs")
    assert image_files(tmp_path) == [path]
    with closing(open_image(path)) as slide:
        assert slide.info.format == "TIFF"


def test_philips_gives_the_size_of_a_pixel(tmp_path):
    path = tmp_path / "slide.tiff"
    tifffile.imwrite(
        path,
        PIXELS,
        tile=(512, 512),
        software="Philips DP v1.0",
        description=PHILIPS,
        metadata=None,
    )
    with closing(TiffImage(path)) as slide:
        assert (slide.info.spacing, slide.info.unit) == ((0.5, 0.25), "um")


@pytest.mark.parametrize(("resolution", "expected"), [("0.2325", (0.2325, 0.2325)), ("0", None)])
def test_ventana_gives_the_size_of_a_pixel(tmp_path, resolution, expected):
    path = tmp_path / "slide.bif"
    xmp = f'<EncodeInfo Ver="2"/><iScan Magnification="40" ScanRes="{resolution}"/>'.encode()
    tifffile.imwrite(
        path,
        PIXELS,
        software="ScanOutputManager 1.1",
        description="level=0 mag=40 quality=90",
        extratags=[(700, 7, len(xmp), xmp, True)],
        metadata=None,
    )
    with closing(TiffImage(path)) as slide:
        assert slide.info.spacing == expected


def test_a_broken_slide_is_one_clear_line(tmp_path):
    data = write_svs(tmp_path / "slide.svs").read_bytes()
    refused = 0
    for part in range(1, 20):
        path = tmp_path / f"{part}.svs"
        path.write_bytes(data[: len(data) * part // 20])
        try:
            with closing(open_image(path)) as slide:
                slide.read(Window(0, 0, *slide.info.level_sizes[0]))
        except ImageError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)
    assert refused > 10


def test_a_real_slide_is_the_same_as_for_others(shared_data):
    tiffslide = pytest.importorskip("tiffslide")
    path = shared_data / "medical" / "wsi" / "CMU-1-Small-Region.svs"
    with closing(open_image(path)) as ours, tiffslide.TiffSlide(path) as theirs:
        assert (ours.info.width, ours.info.height) == theirs.dimensions
        assert ours.info.spacing == (theirs.properties["tiffslide.mpp-x"],) * 2
        for x, y in ((0, 0), (1000, 1500), (2220 - 300, 2967 - 300)):
            region = theirs.read_region((x, y), 0, (300, 300), as_array=True)
            np.testing.assert_array_equal(ours.read(Window(x, y, 300, 300)), region)


def test_a_real_map_of_648_million_pixels_opens_by_its_overviews(shared_data):
    path = shared_data / "satellite" / "geotiff" / "rio-tiler" / "cog_world.tif"
    with closing(open_image(path)) as image:
        assert image.info.level_sizes[0] == (36000, 18000)
        assert image.info.level_sizes[-1] == (563, 282)
        assert image.read(Window(0, 0, 563, 282), 6).max() == 1
        assert image.read(Window(18000, 9000, 64, 64)).shape == (64, 64, 1)


def write_outside(path, *steps):
    """Write an image whose overviews lie beside it."""
    tifffile.imwrite(path, PIXELS, photometric="rgb")
    with tifffile.TiffWriter(f"{path}.ovr") as file:
        for step in steps:
            file.write(PIXELS[::step, ::step], tile=(128, 128), compression="zlib", subfiletype=1)
    return path


def test_overviews_beside_the_file_are_levels(tmp_path):
    with closing(TiffImage(write_outside(tmp_path / "map.tif", 2, 4))) as image:
        assert image.info.levels == ((1100, 700), (550, 350), (275, 175))
        for level, step in enumerate((1, 2, 4)):
            window = Window(20, 30, 100, 90)
            expected = PIXELS[::step, ::step][window.slices]
            np.testing.assert_array_equal(image.read(window, level), expected)


@pytest.mark.parametrize("kind", ["cut short", "nonsense", "another picture"])
def test_broken_overviews_beside_the_file_are_left_alone(tmp_path, kind):
    path = write_outside(tmp_path / "map.tif", *((3,) if kind == "another picture" else (2, 4)))
    outside = tmp_path / "map.tif.ovr"
    if kind == "cut short":
        outside.write_bytes(outside.read_bytes()[:-2000])
    elif kind == "nonsense":
        outside.write_bytes(b"II*\0nonsense")
    else:
        tifffile.imwrite(outside, PIXELS[:300, :900])
    with closing(TiffImage(path)) as image:
        assert image.info.levels == ()
        np.testing.assert_array_equal(image.read(image.info.window), PIXELS)


def test_real_overviews_beside_a_map_are_levels(shared_data):
    folder = shared_data / "satellite" / "geotiff" / "rio-cogeo"
    with closing(TiffImage(folder / "image_external.tif")) as image:
        assert image.info.levels[:2] == ((512, 512), (256, 256))
        fine, coarse = image.read(image.info.window), image.read(Window(0, 0, 256, 256), 1)
        assert np.abs(fine[::2, ::2].astype(int) - coarse).mean() < 20
