"""Operations on masks from files."""

import numpy as np
import pytest
from PIL import Image

from segdesk.core.errors import UsageError
from segdesk.core.image import ArrayImage
from segdesk.engine.export import export
from segdesk.engine.mask_edits import edit_segmentation, read_with_ignored
from segdesk.engine.operations import By, Small


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


def test_ignored_pixels_are_a_segment(ring):
    found = read_with_ignored(ring)
    assert {i: s.category for i, s in found.segments.items()} == {1: 1, 2: 2, 255: 255}
    assert (ids(found) == np.asarray(Image.open(ring))).all()


def test_instances_have_none(tmp_path):
    values = np.full((4, 4), 255, np.uint16)
    found = read_with_ignored(save(tmp_path / "many.png", values))
    assert set(found.segments) == {255}
    assert found.task == "instance"


def test_what_an_edit_has_written_keeps_them(ring, tmp_path):
    image = ArrayImage(np.zeros((20, 30, 3), np.uint8))
    file = export(read_with_ignored(ring), image, ["png"], tmp_path, "out")["png"][0]
    after = read_with_ignored(file)
    assert after.segments[255].category == 255
    assert (ids(after) == np.asarray(Image.open(ring))).all()


def test_operations_leave_ignored_pixels_alone(ring):
    before = read_with_ignored(ring)
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
        edit_segmentation(read_with_ignored(ring), [("melt", None)])
