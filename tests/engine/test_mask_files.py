"""Masks from files and back, and operations on them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdesk.core.errors import PromptError, UsageError
from segdesk.core.image import ArrayImage
from segdesk.core.segmentation import Segment
from segdesk.engine.export import export
from segdesk.engine.mask_files import edit_segmentation, read_segmentation
from segdesk.engine.operations import By, Small
from tests.engine.frozen import CATEGORIES, result


def save(path, values):
    Image.fromarray(values).save(path)
    return path


@pytest.fixture
def ring(tmp_path):
    """A mask of 8 bits with a ring of category 1, a dot of category 2, and ignored pixels."""
    values = np.zeros((20, 30), np.uint8)
    values[2:10, 2:10], values[4:8, 4:8] = 1, 0
    values[15, 15], values[2:10, 11:14] = 2, 255
    return save(tmp_path / "ring.png", values)


def ids(segmentation, plane=0):
    return segmentation.planes[plane].read(segmentation.planes[plane].window)


def test_a_mask_of_8_bits_holds_categories(ring):
    found = read_segmentation(ring)
    assert found.task == "semantic"
    assert {i: s.category for i, s in found.segments.items()} == {1: 1, 2: 2, 255: 255}
    assert (ids(found) == np.asarray(Image.open(ring))).all()


def test_a_mask_of_16_bits_holds_instances(tmp_path):
    values = np.arange(600, dtype=np.uint16).reshape(20, 30)
    found = read_segmentation(save(tmp_path / "many.png", values))
    assert found.task == "instance"
    assert len(found.segments) == 599
    assert (ids(found) == values).all()


@pytest.mark.parametrize("task", ["semantic", "instance"])
def test_what_was_exported_reads_back(tmp_path, task):
    low, high = np.zeros((2, 12, 14), np.int32)
    low[2:6, 2:6], high[4:9, 4:9] = 1, 2
    before = result([low, high], {1: 1, 2: 2}, task)
    image = ArrayImage(np.zeros((12, 14, 3), np.uint8))
    file = export(before, image, ["png"], tmp_path, "cells")["png"][0]
    after = read_segmentation(file)
    assert (after.task, after.categories) == (task, CATEGORIES)
    assert {i: s.category for i, s in after.segments.items()} == {1: 1, 2: 2}
    for plane in (0, 1):
        assert (ids(after, plane) == ids(before, plane)).all()


def test_a_category_0_that_is_no_background_reads_back(tmp_path):
    wall = result([np.pad([[1]], 2)], {1: 0}, "semantic", ())
    image = ArrayImage(np.zeros((5, 5, 3), np.uint8))
    wall = type(wall)(wall.task, wall.planes, wall.segments, (CATEGORIES[0],))
    file = export(wall, image, ["png"], tmp_path, "wall")["png"][0]
    after = read_segmentation(file)
    assert after.segments == {1: Segment(1, 0)}
    assert (ids(after) == ids(wall)).all()


def test_operations_leave_ignored_pixels_alone(ring):
    before = read_segmentation(ring)
    steps = [("fill_holes", None), ("remove_small", Small(5)), ("grow", By(3))]
    after = edit_segmentation(before, steps)
    was, now = ids(before), ids(after)
    assert ((now == 255) == (was == 255)).all()
    assert (now[4:8, 4:8] == 1).all()
    assert 2 not in after.segments
    assert now[2, 0] == 1
    assert not now[2:10, 14:].any()
    assert (was == np.asarray(Image.open(ring))).all()


def test_an_unknown_operation_is_named(ring):
    with pytest.raises(UsageError, match="no operation 'melt'"):
        edit_segmentation(read_segmentation(ring), [("melt", None)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"categories": []}, "no category has the id 1"),
        ({"planes": ["ring.png", "../other.png"]}, "not names of files beside it"),
        ({"planes": ["ring.png", "small.png"]}, "differ in size"),
        ({"pixel": "segment", "segments": []}, "no segment"),
        ({"pixel": "segment", "segments": [{"id": 9, "category": 1}]}, "no segment has the id 1"),
    ],
)
def test_a_mask_that_does_not_fit_its_json_is_refused(ring, change, message):
    save(ring.parent / "small.png", np.zeros((3, 3), np.uint8))
    categories = [{"id": i, "name": str(i)} for i in (1, 2, 255)]
    sidecar = {"pixel": "category", "nothing": 0, "categories": categories} | change
    Path(ring).with_suffix(".json").write_text(json.dumps(sidecar))
    with pytest.raises(PromptError, match=r"ring\.json does not fit its mask"):
        try:
            read_segmentation(ring)
        except PromptError as error:
            assert message in str(error)
            raise
