"""Measurements against scikit-image, with tiles small enough that segments cross many seams."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops_table

from segdesk.core import hulls, labelmap, measure, overviews
from segdesk.core.errors import Cancelled
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage, ImageInfo
from segdesk.core.labelmap import LabelMap
from segdesk.core.measurements import band_names
from segdesk.core.segmentation import Category, Segment, Segmentation

CATEGORIES = (Category(1, "cell", (1, 2, 3)), Category(2, "nucleus", (4, 5, 6)))
SMALL_TILE = 8
# Ours by the names of scikit-image, and what is to be added to its values.
SAME = {
    "area_px": ("area", 0),
    "perimeter_px": ("perimeter", 0),
    "centroid_x_px": ("centroid-1", 0.5),
    "centroid_y_px": ("centroid-0", 0.5),
    "bbox_x_px": ("bbox-1", 0),
    "bbox_y_px": ("bbox-0", 0),
    "equivalent_diameter_px": ("equivalent_diameter_area", 0),
    "solidity": ("solidity", 0),
}
KINDS = "mean", "min", "max", "std"


def segmentation_of(*planes, ids=()):
    present = {int(i) for plane in planes for i in np.unique(plane)} - {0}
    segments = {i: Segment(i, 1 + i % 2) for i in sorted(present | set(ids))}
    return Segmentation("instance", tuple(map(LabelMap.of_array, planes)), segments, CATEGORIES)


def image_of(pixels, **facts):
    image = ArrayImage(pixels)
    about = {name: getattr(image.info, name) for name in ("name", "width", "height", "bands")}
    image.info = ImageInfo(**about, dtype=image.info.dtype, **facts)
    return image


def columns_of(planes, pixels, **facts):
    return measure.measure(segmentation_of(*planes), image_of(pixels, **facts)).columns


def check(ids, pixels):
    """Compare all that scikit-image measures as well."""
    columns = columns_of([ids], pixels)
    properties = {name.partition("-")[0] for name, _ in SAME.values()} | {"label", "eccentricity"}
    intensities = [f"intensity_{kind}" for kind in KINDS]
    exact = pixels.astype(np.float64)  # theirs adds float32 as such
    theirs = regionprops_table(ids, exact, properties=[*properties, *intensities])
    assert columns["id"].tolist() == theirs["label"].tolist()
    for name, (other, shift) in SAME.items():
        np.testing.assert_allclose(columns[name], theirs[other] + shift, 1e-12, 1e-12, err_msg=name)
    np.testing.assert_array_equal(columns["bbox_width_px"], theirs["bbox-3"] - theirs["bbox-1"])
    np.testing.assert_array_equal(columns["bbox_height_px"], theirs["bbox-2"] - theirs["bbox-0"])
    np.testing.assert_allclose(columns["eccentricity"], theirs["eccentricity"], atol=1e-6)
    for band in range(pixels.shape[2]):
        for kind in KINDS:
            ours, other = columns[f"{kind}_band_{band + 1}"], theirs[f"intensity_{kind}-{band}"]
            np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-6, err_msg=kind)


@st.composite
def label_arrays(draw):
    rows, columns = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):  # noise, or rectangles above each other
        return random.choice([0, 1, 2, 300, 70_000], (rows, columns)).astype(np.int32)
    ids = np.zeros((rows, columns), np.int32)
    for segment_id in range(1, draw(st.integers(1, 6))):
        x, y = random.integers(0, columns), random.integers(0, rows)
        ids[y : y + random.integers(1, 25), x : x + random.integers(1, 25)] = segment_id
    return ids


@pytest.fixture
def small_tiles(monkeypatch):
    for module in (labelmap, overviews):
        monkeypatch.setattr(module, "TILE", SMALL_TILE)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=label_arrays(), deep=st.booleans())
def test_whatever_the_shapes_all_equals_scikit_image(ids, deep, small_tiles):
    high, dtype = (65535, np.uint16) if deep else (255, np.uint8)
    pixels = np.random.default_rng(0).integers(0, high, (*ids.shape, 2)).astype(dtype)
    check(ids, pixels)


@pytest.mark.parametrize("width", [255, 256, 257, 513])
def test_seams_of_real_tiles(width):
    y, x = np.mgrid[:300, :width]
    ids = (np.hypot(y - 250, x - 250) < 120).astype(np.int32) + 2 * (np.abs(x - y) < 2)
    check(ids.astype(np.int32), (x + y).astype(np.float32)[..., None])


def test_a_segment_that_fills_tiles_has_the_outline_of_its_edge(small_tiles):
    ids = np.full((60, 70), 3, np.int32)
    ids[30, 35] = 9
    check(ids, np.ones((60, 70, 1), np.uint8))


def test_many_hulls_are_counted_in_parts(small_tiles, monkeypatch):
    monkeypatch.setattr(hulls, "MOST_ROWS", 5)
    y, x = np.mgrid[:50, :40]
    check((1 + (x + 2 * y) // 25).astype(np.int32), np.zeros((50, 40, 1), np.uint8))


def test_a_small_deviation_from_a_large_mean_is_not_lost(small_tiles):
    pixels = 1e8 + np.random.default_rng(1).random((40, 40, 1))
    std = columns_of([np.ones((40, 40), np.int32)], pixels)["std_band_1"]
    assert std[0] == pytest.approx(np.std(pixels - 1e8), rel=1e-7)


def test_overlapping_segments_are_measured_each_on_its_own(small_tiles):
    first, second = np.zeros((2, 30, 30), np.int32)
    first[3:20, 3:20], second[10:28, 10:28] = 1, 2
    pixels = np.random.default_rng(2).integers(0, 99, (30, 30, 1)).astype(np.uint8)
    both, alone = columns_of([first, second], pixels), columns_of([second], pixels)
    for name, values in alone.items():
        np.testing.assert_equal(both[name][1], values[0], name)


def test_a_segment_on_two_planes_counts_every_pixel_once(small_tiles):
    whole, below, above = np.zeros((3, 30, 30), np.int32)
    whole[2:25, 4:26] = 5
    below[2:15, 4:26], above[12:25, 4:26] = 5, 5
    above[12:25, 4:10], below[20:28, 20:28] = 5, 6
    pixels = np.random.default_rng(3).integers(0, 99, (30, 30, 1)).astype(np.uint8)
    split, plain = columns_of([below, above], pixels), columns_of([whole], pixels)
    for name, values in plain.items():
        if values.dtype == np.float64:
            np.testing.assert_allclose(split[name][0], values[0], 1e-12, err_msg=name)
    assert split["area_px"].tolist() == [23 * 22, 64]


def test_physical_units_follow_the_size_of_a_pixel():
    ids = np.zeros((20, 20), np.int32)
    ids[2:6, 3:13] = 1
    columns = columns_of([ids], np.zeros((20, 20, 1), np.uint8), spacing=(0.5, 0.5), unit="um")
    assert columns["area_um2"][0] == 10
    assert columns["perimeter_um"][0] == columns["perimeter_px"][0] / 2 == 12
    assert (columns["bbox_x_um"][0], columns["bbox_height_um"][0]) == (1.5, 2)
    assert columns["equivalent_diameter_um"][0] == pytest.approx(np.sqrt(40 / np.pi))


def test_metres_give_hectares_too():
    ids = np.ones((20, 30), np.int32)
    columns = columns_of([ids], np.zeros((20, 30, 1), np.uint8), spacing=(10.0, 10.0), unit="m")
    assert (columns["area_m2"][0], columns["area_ha"][0]) == (60_000, 6)


def test_pixels_that_are_not_square():
    """The shape is that of the object, and no perimeter is made up."""
    ids = np.zeros((40, 40), np.int32)
    ids[10:20, 10:30] = 1
    pixels = np.zeros((40, 40, 1), np.uint8)
    columns = columns_of([ids], pixels, spacing=(0.5, 1.0), unit="mm")
    theirs = regionprops_table(ids, spacing=(1.0, 0.5), properties=["area", "eccentricity"])
    assert columns["area_mm2"][0] == theirs["area"][0]
    assert columns["eccentricity"][0] == pytest.approx(theirs["eccentricity"][0])
    assert "perimeter_mm" not in columns


@pytest.mark.parametrize(("spacing", "unit"), [((1e-4, 1e-4), "deg"), ((2, 2), ""), (None, "um")])
def test_what_is_no_length_gives_no_physical_column(spacing, unit):
    pixels = np.zeros((5, 5, 1), np.uint8)
    columns = columns_of([np.ones((5, 5), np.int32)], pixels, spacing=spacing, unit=unit)
    assert [name for name in columns if name.startswith("area")] == ["area_px"]


def test_what_is_no_data_does_not_count(small_tiles):
    ids = np.repeat([1, 2, 3], 10).reshape(3, 10).astype(np.int32)
    pixels = np.arange(30, dtype=np.float32).reshape(3, 10, 1)
    pixels[0, 3:], pixels[1], pixels[2, 5] = np.nan, -9999, np.inf
    columns = columns_of([ids], pixels, nodata=-9999.0)
    np.testing.assert_allclose(columns["mean_band_1"], [1, np.nan, np.delete(pixels[2], 5).mean()])
    np.testing.assert_allclose(columns["min_band_1"], [0, np.nan, 20])
    np.testing.assert_allclose(columns["max_band_1"], [2, np.nan, 29])
    np.testing.assert_allclose(columns["std_band_1"][:2], [np.std([0, 1, 2]), np.nan])


def test_segments_without_a_pixel_and_ids_without_a_segment():
    ids = np.array([[1, 9, 0]], np.int32)
    segmentation = segmentation_of(ids, ids=[4])
    del segmentation.segments[9]
    columns = measure.measure(segmentation, ArrayImage(np.ones((1, 3), np.uint8))).columns
    assert columns["id"].tolist() == [1, 4]
    assert columns["area_px"].tolist() == [1, 0]
    for name in ("perimeter_px", "bbox_x_px", "solidity", "eccentricity", "mean_band_1"):
        assert np.isnan(columns[name][1]), name


def test_names_of_bands_fit_a_column_and_differ():
    info = ImageInfo("a", 1, 1, 5, "uint8", band_names=("Red", "DAPI (405 nm)", "red", " "))
    names = band_names(info)
    assert names == ["red", "dapi_405_nm", "red_3", "band_4", "band_5"]


def test_the_words_of_the_segment_table_are_there():
    segmentation = segmentation_of(np.array([[1, 2]], np.int32))
    segmentation.segments[2] = Segment(2, 7, 0.25, "proposed")
    table = measure.measure(segmentation, ArrayImage(np.ones((1, 2), np.uint8)))
    first, second = table.rows()
    assert (first["category"], first["state"]) == ("nucleus", "accepted")
    assert np.isnan(first["score"])
    assert (second["category"], second["category_id"], second["score"]) == ("7", 7, 0.25)


def test_a_segment_of_a_stack_is_the_sum_over_its_frames(small_tiles):
    random = np.random.default_rng(5)
    pixels = random.integers(0, 99, (3, 25, 30, 1)).astype(np.uint8)
    labels = LabelMap(30, 25, 3)
    for frame, side in ((1, 10), (2, 20)):
        labels.write(Window(2, 3, side, side), 7, frame=frame)
    labels.write(Window(20, 1, 8, 8), 8)
    segments = {i: Segment(i, 1) for i in (7, 8)}
    of_stack = Segmentation("instance", (labels,), segments, CATEGORIES)
    whole = measure.measure(of_stack, ArrayImage(pixels)).columns
    alone = [measure.measure(of_stack.on_frame(f), ArrayImage(pixels[f])).columns for f in range(3)]
    assert (whole["frames"].tolist(), whole["first_frame"].tolist()) == ([2, 1], [1, 0])
    for name in ("area_px", "perimeter_px"):
        assert whole[name][0] == alone[1][name][0] + alone[2][name][0]
        assert whole[name][1] == alone[0][name][0]
    assert whole["solidity"].tolist() == [1, 1]
    assert whole["equivalent_diameter_px"][0] == pytest.approx(np.sqrt(4 * 250 / np.pi))
    assert (whole["bbox_width_px"][0], whole["bbox_x_px"][0]) == (20, 2)
    under = np.concatenate([pixels[1, 3:13, 2:12].ravel(), pixels[2, 3:23, 2:22].ravel()])
    assert whole["mean_band_1"][0] == pytest.approx(under.mean())
    assert whole["std_band_1"][0] == pytest.approx(under.std())


def test_nothing_to_measure():
    empty = segmentation_of(np.zeros((3, 3), np.int32))
    table = measure.measure(empty, ArrayImage(np.ones((3, 3), np.uint8)))
    assert len(table) == 0
    assert "solidity" in table.columns


def test_pixels_are_read_once_and_in_wide_strips(monkeypatch):
    ids = np.ones((600, 900), np.int32)
    image, windows = ArrayImage(np.zeros((600, 900), np.uint8)), []
    read = image.read
    monkeypatch.setattr(image, "read", lambda w, *rest: windows.append(w) or read(w, *rest))
    measure.measure(segmentation_of(ids), image)
    assert [w.shape for w in windows] == [(256, 900), (256, 900), (88, 900)]
    windows.clear()
    monkeypatch.setattr(measure, "AT_ONCE", 2 * 256 * 256)
    measure.measure(segmentation_of(ids), image)
    assert sum(w.area for w in windows) == 600 * 900
    assert max(w.area for w in windows) == 2 * 256 * 256


def test_a_huge_image_costs_what_is_painted_on_it():
    side, windows = 2**30, []

    class Huge:
        info = ImageInfo("huge", side, side, 1, "uint8")

        def read(self, window, level=0, frame=0):
            windows.append(window)
            return np.full((*window.shape, 1), 7, np.uint8)

    labels = LabelMap(side, side)
    for x in (1000, side - 1000):
        labels.write(Window(x, side - 600, 500, 500), 1)
    segments = {1: Segment(1, 1)}
    columns = measure.measure(Segmentation("instance", (labels,), segments, ()), Huge()).columns
    assert (columns["area_px"][0], columns["mean_band_1"][0]) == (500_000, 7)
    assert columns["bbox_width_px"][0] == side - 1500
    assert columns["centroid_y_px"][0] == side - 350
    assert columns["solidity"][0] == pytest.approx(500_000 / (500 * (side - 1500)))
    assert sum(w.area for w in windows) < 3e6


def test_stop():
    def stop(fraction, message):
        raise Cancelled("stopped")

    one = segmentation_of(np.ones((3, 3), np.int32))
    with pytest.raises(Cancelled):
        measure.measure(one, ArrayImage(np.ones((3, 3))), stop)
