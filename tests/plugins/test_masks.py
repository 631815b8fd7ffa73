"""The writers of index PNG, segment masks, COCO and overlays, read by PIL and pycocotools."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from pycocotools import mask as coco_mask
from segdesk_plugins.masks import segdesk_writers
from segdesk_plugins.masks.runs import counts_of, spans_in, spans_of_segments

from segdesk.api import (
    ArrayImage,
    Category,
    ExportError,
    ExportRequest,
    LabelMap,
    Segment,
    Segmentation,
)
from segdesk.core.progress import silent

WRITERS = {writer.id: writer for writer in segdesk_writers()}
CATEGORIES = (
    Category(0, "background", (0, 0, 0)),
    Category(1, "cell", (230, 159, 0)),
    Category(2, "the sky / above", (0, 114, 178), is_thing=False),
)
GREY = np.full((300, 270, 3), 90, np.uint8)


def segmentation_of(*planes, task="instance", categories=None):
    ids = sorted({int(i) for plane in planes for i in np.unique(plane)} - {0})
    category = categories or {i: 1 + i % 2 for i in ids}
    segments = {i: Segment(i, category[i], i / 1000) for i in ids}
    return Segmentation(task, tuple(LabelMap.of_array(p) for p in planes), segments, CATEGORIES)


def request_of(segmentation, folder):
    labels = segmentation.planes[0]
    pixels = np.resize(GREY, (labels.height, labels.width, 3))
    image = ArrayImage(pixels, "pictures/photo.jpg")
    return ExportRequest(segmentation, image, folder, "photo", lambda w: pixels[w.slices])


def exported(writer_id, segmentation, folder):
    writer, request = WRITERS[writer_id], request_of(segmentation, folder)
    files = writer.write(request, silent)
    writer.check(request, files)
    return files


@pytest.fixture
def rings():
    """Two overlapping rings with holes, on two planes, larger than a tile."""
    y, x = np.mgrid[:300, :270]
    far = np.hypot(y - 150, x - 100)
    near = np.hypot(y - 160, x - 170)
    first = np.where((far < 90) & (far > 40), 1, 0).astype(np.int32)
    second = np.where((near < 80) & (near > 20), 2, 0).astype(np.int32)
    return first, second


def test_png_holds_segment_ids_on_every_plane(rings, tmp_path):
    main, sidecar, other = exported("png", segmentation_of(*rings), tmp_path)
    assert [f.name for f in (main, sidecar, other)] == [
        "photo.png",
        "photo.json",
        "photo_plane2.png",
    ]
    with Image.open(main) as first, Image.open(other) as second:
        assert first.mode == "P"
        np.testing.assert_array_equal(np.asarray(first), rings[0])
        np.testing.assert_array_equal(np.asarray(second), rings[1])


def test_png_of_a_semantic_result_holds_category_ids_in_their_colours(tmp_path):
    ids = np.array([[0, 7, 7], [9, 9, 0]], np.int32)
    result = segmentation_of(ids, task="semantic", categories={7: 2, 9: 1})
    main, sidecar = exported("png", result, tmp_path)
    with Image.open(main) as picture:
        np.testing.assert_array_equal(np.asarray(picture), [[0, 2, 2], [1, 1, 0]])
        assert np.asarray(picture.convert("RGB"))[0, 1].tolist() == [0, 114, 178]
    about = json.loads(sidecar.read_text("utf-8"))
    assert (about["pixel"], about["nothing"], about["image"]) == ("category", 0, "photo.jpg")
    assert about["categories"][2] == {
        "id": 2,
        "name": "the sky / above",
        "colour": [0, 114, 178],
        "is_thing": False,
    }
    assert about["segments"][0] == {"id": 7, "category": 2, "score": 0.007, "state": "accepted"}


def test_png_marks_nothing_as_ignore_where_category_0_is_in_use(tmp_path):
    ids = np.array([[0, 1], [2, 2]], np.int32)
    result = segmentation_of(ids, task="semantic", categories={1: 0, 2: 1})
    main, sidecar = exported("png", result, tmp_path)
    np.testing.assert_array_equal(np.asarray(Image.open(main)), [[255, 0], [1, 1]])
    assert json.loads(sidecar.read_text("utf-8"))["nothing"] == 255


@pytest.mark.parametrize(("highest", "mode"), [(254, "P"), (255, "I;16"), (65535, "I;16")])
def test_png_takes_16_bits_where_ids_would_mean_ignore(highest, mode, tmp_path):
    ids = np.array([[0, 1, highest]], np.int32)
    main, _ = exported("png", segmentation_of(ids), tmp_path)
    with Image.open(main) as picture:
        assert picture.mode == mode
        np.testing.assert_array_equal(np.asarray(picture), ids)


def test_png_refuses_ids_that_do_not_fit(tmp_path):
    with pytest.raises(ExportError, match="up to 65535, and this result has 65536; export it as"):
        exported("png", segmentation_of(np.array([[65536]], np.int32)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_masks_keep_holes_and_overlaps(rings, tmp_path):
    files = exported("masks", segmentation_of(*rings), tmp_path)
    names = ["photo_masks/0001_the-sky-above.png", "photo_masks/0002_cell.png"]
    assert [f.relative_to(tmp_path).as_posix() for f in files] == names
    for file, plane in zip(files, rings, strict=True):
        pixels = np.asarray(Image.open(file))
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, 255 * (plane > 0))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools
def test_coco_is_read_by_pycocotools(rings, tmp_path, capsys):
    from pycocotools.coco import COCO

    (file,) = exported("coco", segmentation_of(*rings), tmp_path)
    coco = COCO(file)
    assert coco.imgs[1] == {"id": 1, "file_name": "photo.jpg", "width": 270, "height": 300}
    for segment_id, plane in enumerate(rings, 1):
        entry = coco.anns[segment_id]
        np.testing.assert_array_equal(coco.annToMask(entry), plane > 0)
        rows, columns = np.nonzero(plane)
        width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
        assert entry["bbox"] == [columns.min(), rows.min(), width, height]
        assert (entry["area"], entry["iscrowd"]) == (len(rows), 0)
        assert (entry["category_id"], entry["score"]) == (1 + segment_id % 2, segment_id / 1000)
    assert coco.cats[1]["name"] == "cell"


def test_a_result_without_segments_exports(tmp_path):
    empty = segmentation_of(np.zeros((5, 4), np.int32))
    main, _ = exported("png", empty, tmp_path)
    assert not np.asarray(Image.open(main)).any()
    assert exported("masks", empty, tmp_path) == []
    (file,) = exported("coco", empty, tmp_path)
    assert json.loads(file.read_text("utf-8"))["annotations"] == []


@given(st.lists(arrays(np.int32, (9, 5), elements=st.integers(0, 3)), min_size=1, max_size=3))
def test_runs_are_the_bytes_that_pycocotools_makes_of_the_mask(planes):
    spans = spans_of_segments([LabelMap.of_array(plane) for plane in planes])
    assert spans.keys() == {int(i) for plane in planes for i in np.unique(plane)} - {0}
    for segment_id, runs in spans.items():
        mask = np.any([plane == segment_id for plane in planes], axis=0)
        counts = {"size": [9, 5], "counts": counts_of(runs, mask.size)}
        ours = coco_mask.frPyObjects([counts], 9, 5)[0]
        assert ours == coco_mask.encode(np.asfortranarray(mask, np.uint8))
        np.testing.assert_array_equal(spans_in(ours["counts"].decode()), runs)


def test_long_runs_are_read_back():
    """Differences of several characters, of both signs."""
    runs = np.array([[1, 2], [40, 100_000], [100_001, 100_002], [5_000_000, 10_000_000]])
    counts = {"size": [1, 10_000_000], "counts": counts_of(runs, 10_000_000)}
    code = coco_mask.frPyObjects([counts], 1, 10_000_000)[0]["counts"].decode()
    np.testing.assert_array_equal(spans_in(code), runs)


def test_overlay_blends_inside_draws_contours_and_leaves_the_rest(rings, tmp_path):
    result = segmentation_of(rings[0], task="semantic", categories={1: 1})
    (file,) = exported("overlay", result, tmp_path)
    pixels = np.asarray(Image.open(file))
    assert (pixels[rings[0] == 0] == 90).all()
    np.testing.assert_allclose(pixels[150, 35], 0.55 * 90 + 0.45 * np.array([230, 159, 0]), atol=1)
    edge = np.flatnonzero(rings[0][150])[0]
    assert pixels[150, edge].tolist() == [230, 159, 0]


def test_overlay_does_not_depend_on_the_bands_it_is_drawn_in(tmp_path, monkeypatch):
    ids = np.random.default_rng(0).integers(0, 4, (30, 40)).repeat(40, 0).repeat(40, 1)
    result = segmentation_of(ids.astype(np.int32))
    whole = np.asarray(Image.open(exported("overlay", result, tmp_path)[0]))
    monkeypatch.setattr("segdesk_plugins.masks.planes.BAND", 7)
    np.testing.assert_array_equal(
        np.asarray(Image.open(exported("overlay", result, tmp_path)[0])), whole
    )


@pytest.mark.parametrize("writer_id", ["png", "masks", "coco", "overlay"])
def test_a_damaged_file_does_not_pass_the_check(writer_id, rings, tmp_path):
    result = segmentation_of(*rings)
    files = exported(writer_id, result, tmp_path)
    changed = rings[0].copy()
    changed[10, 10] = 1
    other = segmentation_of(changed, rings[1])
    with pytest.raises(ExportError, match=f"{files[0].name} did not read back"):
        WRITERS[writer_id].check(request_of(other, tmp_path), files)


def test_a_shortened_png_does_not_pass_the_check(rings, tmp_path):
    result = segmentation_of(*rings)
    files = exported("png", result, tmp_path)
    files[0].write_bytes(files[0].read_bytes()[:200])
    with pytest.raises(ExportError, match=r"photo\.png did not read back"):
        WRITERS["png"].check(request_of(result, tmp_path), files)


def test_each_format_says_what_it_cannot_hold(rings):
    result = segmentation_of(*rings, task="semantic", categories={1: 1, 2: 1})
    lost = {writer_id: "; ".join(WRITERS[writer_id].losses(result)) for writer_id in WRITERS}
    assert "several have one category" in lost["png"]
    assert "scores" in lost["masks"]
    assert "states" in lost["coco"]
    assert "picture" in lost["overlay"]
