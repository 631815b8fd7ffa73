"""Examples from files, with and without the JSON that the png format writes beside a mask."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from segdesk.core.errors import ImageError, PromptError, SegdeskError
from segdesk.core.segmentation import Category
from segdesk.engine.categories import categories_of, merged
from segdesk.engine.example_files import read_example


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.arange(18, dtype=np.uint8).reshape(2, 3, 3)).save(path)
    return path


def mask_of(folder, ids, dtype=np.uint8, sidecar=None):
    path = folder / "mask.png"
    Image.fromarray(np.array(ids, dtype)).save(path)
    if sidecar:
        path.with_suffix(".json").write_text(json.dumps(sidecar), "utf-8")
    return path


CATEGORIES = [
    {"id": 1, "name": "cell", "colour": [1, 2, 3], "is_thing": True},
    {"id": 2, "name": "sky", "colour": [4, 5, 6], "is_thing": False},
]


def test_eight_bits_are_categories(image, tmp_path):
    example = read_example(image, mask_of(tmp_path, [[0, 1, 4], [255, 4, 0]]))
    assert [(c.id, c.name) for c in example.categories] == [
        (0, "background"),
        (1, "category 1"),
        (4, "category 4"),
    ]
    assert not example.holds_instances
    assert example.labels.dtype == np.int32
    assert example.labels.tolist() == [[0, 1, 4], [255, 4, 0]]
    assert example.rgb.shape == example.pixels.shape == (2, 3, 3)


def test_sixteen_bits_are_instances(image, tmp_path):
    example = read_example(image, mask_of(tmp_path, [[0, 1, 300], [2, 2, 0]], np.uint16))
    assert example.holds_instances
    assert example.labels.max() == 300
    assert [c.id for c in example.categories] == [1]


def test_the_json_beside_names_categories(image, tmp_path):
    sidecar = {"pixel": "category", "nothing": 0, "categories": CATEGORIES}
    example = read_example(image, mask_of(tmp_path, [[0, 1, 1], [1, 0, 0]], sidecar=sidecar))
    assert example.categories[1] == Category(1, "cell", (1, 2, 3))


def test_what_is_nothing_in_sixteen_bits_is_ignored(image, tmp_path):
    sidecar = {"pixel": "category", "nothing": 65535, "categories": CATEGORIES}
    mask = mask_of(tmp_path, [[65535, 1, 2], [1, 1, 1]], np.uint16, sidecar)
    example = read_example(image, mask)
    assert example.labels.tolist() == [[255, 1, 2], [1, 1, 1]]
    assert not example.holds_instances


@pytest.mark.parametrize(
    ("second", "labels", "holds_instances"),
    [(1, [[0, 7, 8], [8, 0, 0]], True), (2, [[0, 1, 2], [2, 0, 0]], False)],
)
def test_segment_ids_stay_apart_where_all_are_of_one_category(
    second, labels, holds_instances, image, tmp_path
):
    segments = [{"id": 7, "category": 1}, {"id": 8, "category": second}]
    sidecar = {"pixel": "segment", "categories": CATEGORIES, "segments": segments}
    example = read_example(image, mask_of(tmp_path, [[0, 7, 8], [8, 0, 0]], sidecar=sidecar))
    assert example.labels.tolist() == labels
    assert example.holds_instances == holds_instances


def test_a_json_of_another_program_is_left_alone(image, tmp_path):
    mask = mask_of(tmp_path, [[0, 1, 1], [1, 0, 0]], sidecar={"version": "5.0", "shapes": []})
    assert read_example(image, mask).categories[1].name == "category 1"


@pytest.mark.parametrize(
    ("ids", "sidecar", "message"),
    [
        ([[0, 1]], None, r"mask\.png is 2 x 1 pixels, and its image .*photo\.png is 3 x 2"),
        ([[0, 0, 0], [255, 0, 0]], None, r"mask\.png shows nothing"),
        (
            [[9, 0, 0], [0, 0, 0]],
            {"pixel": "category", "categories": CATEGORIES},
            r"mask\.json does not fit its mask: no category has the id 9",
        ),
        (
            [[9, 0, 0], [0, 0, 0]],
            {"pixel": "segment", "categories": CATEGORIES, "segments": []},
            "no segment has the id 9",
        ),
        ([[1, 0, 0], [0, 0, 0]], {"pixel": "category"}, "it lacks 'categories'"),
    ],
)
def test_a_mask_that_does_not_fit_is_named(ids, sidecar, message, image, tmp_path):
    with pytest.raises(PromptError, match=message):
        read_example(image, mask_of(tmp_path, ids, sidecar=sidecar))


def test_an_unreadable_mask_is_named(image, tmp_path):
    (tmp_path / "mask.png").write_bytes(b"nonsense")
    with pytest.raises(SegdeskError, match=r"mask\.png"):
        read_example(image, tmp_path / "mask.png")


def test_lists_of_categories_are_merged_by_id():
    cell = Category(1, "cell", (1, 2, 3))
    assert merged([categories_of([0, 1, 2]), (cell,)])[1] == cell
    assert merged([(cell,), categories_of([1])]) == (cell,)
    with pytest.raises(PromptError, match="Category 1 has two names: cell and tree"):
        merged([(cell,), (Category(1, "tree", (0, 0, 0)),)])


def test_pixels_that_memory_cannot_hold_are_not_read(image, tmp_path):
    path = tmp_path / "mask.tif"
    side, tile = 2**20, (2**15, 2**15)
    nothing = iter([b""] * 1024)
    tifffile.imwrite(path, nothing, shape=(side, side), dtype="u1", tile=tile, compression="zlib")
    with pytest.raises(ImageError, match=r"mask\.tif: to work on 1048576 x 1048576 .* are free"):
        read_example(image, path)
