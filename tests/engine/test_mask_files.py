"""Index masks as segmentations: what the png format writes comes back whole."""

import json

import numpy as np
import pytest
from PIL import Image

from segdesk.core.errors import PromptError
from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.engine.export import export
from segdesk.engine.mask_files import read_segmentation

CATEGORIES = (Category(0, "sand", (9, 9, 9)), Category(3, "cell", (1, 2, 3)))


def mask_of(folder, ids, dtype=np.uint8):
    Image.fromarray(np.array(ids, dtype)).save(folder / "mask.png")
    return folder / "mask.png"


def ids_of(segmentation):
    return [plane.read(plane.window).tolist() for plane in segmentation.planes]


def written(folder, task, planes, segments):
    maps = tuple(LabelMap.of_array(np.array(plane, np.int32)) for plane in planes)
    by_id = {segment.id: segment for segment in segments}
    whole = Segmentation(task, maps, by_id, CATEGORIES)
    image = ArrayImage(np.zeros(maps[0].window.shape, np.uint8))
    return whole, export(whole, image, ["png"], folder, "mask")["png"][0]


def test_eight_bits_are_categories_and_each_is_a_segment(tmp_path):
    found = read_segmentation(mask_of(tmp_path, [[0, 1, 4], [255, 4, 0]]))
    assert (found.task, ids_of(found)) == ("semantic", [[[0, 1, 4], [0, 4, 0]]])
    assert found.segments == {1: Segment(1, 1), 4: Segment(4, 4)}
    assert [c.name for c in found.categories] == ["category 1", "category 4"]


def test_sixteen_bits_are_segments(tmp_path):
    found = read_segmentation(mask_of(tmp_path, [[0, 1, 300], [255, 1, 0]], np.uint16))
    assert (found.task, ids_of(found)) == ("instance", [[[0, 1, 300], [255, 1, 0]]])
    assert found.segments == {i: Segment(i, 1) for i in (1, 255, 300)}


def test_segments_on_planes_come_back_with_score_and_state(tmp_path):
    segments = Segment(1, 3, 0.5, "proposed"), Segment(2, 3)
    planes = [[1, 1, 0]], [[0, 2, 2]]
    whole, file = written(tmp_path, "instance", planes, segments)
    found = read_segmentation(file)
    assert (ids_of(found), found.segments) == (ids_of(whole), whole.segments)
    assert found.categories == CATEGORIES


def test_categories_come_back_even_number_0(tmp_path):
    segments = Segment(7, 0), Segment(9, 3)
    whole, file = written(tmp_path, "semantic", [[[7, 9, 0], [9, 9, 0]]], segments)
    found = read_segmentation(file)
    assert (ids_of(found), found.segments) == (ids_of(whole), whole.segments)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"segments": []}, "no segment has the id 1"),
        ({"planes": ["mask.png", "../mask_plane2.png"]}, "a plane in another folder"),
        ({"segments": [{"id": 1, "category": 3, "score": "high"}]}, "a number or null"),
        ({"segments": [{"id": 1, "category": 3, "score": 1, "state": "odd"}]}, "one of proposed"),
    ],
)
def test_a_json_that_does_not_fit_is_named(tmp_path, change, words):
    _, file = written(tmp_path, "instance", [[[1, 0]], [[0, 2]]], [Segment(1, 3), Segment(2, 3)])
    sidecar = file.with_suffix(".json")
    sidecar.write_text(json.dumps(json.loads(sidecar.read_text()) | change))
    with pytest.raises(PromptError, match=rf"mask\.json does not fit its mask.*{words}"):
        read_segmentation(file)


def test_planes_of_another_size_are_refused(tmp_path):
    _, file = written(tmp_path, "instance", [[[1, 0]], [[0, 2]]], [Segment(1, 3), Segment(2, 3)])
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(tmp_path / "mask_plane2.png")
    with pytest.raises(PromptError, match="differ in size"):
        read_segmentation(file)
