import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdesk.core import flood as flooding
from segdesk.core.errors import SegdeskError
from segdesk.core.flood import flood
from segdesk.core.labelmap import LabelMap

SHAPE = 300, 530  # rows and columns: over seams, with tiles that are cut off


def filled(planes, x, y, frame=0):
    """Return where a flood goes; no pixel comes twice."""
    mask = np.zeros((planes[0].height, planes[0].width), bool)
    for window, part in flood(planes, x, y, frame):
        assert not mask[window.slices][part].any()
        mask[window.slices] |= part
    return mask


def expected(ids, x, y):
    same = (ids == ids[y, x]).astype(np.uint8)
    cv2.floodFill(same, None, (x, y), 2, flags=4)
    return same == 2


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 4, 30]), st.integers(1, 3))
def test_a_flood_goes_where_that_of_the_whole_array_goes(seed, grain, count):
    rng = np.random.default_rng(seed)
    small = tuple(-(-side // grain) for side in SHAPE)
    planes = []
    for number in range(count):
        ids = rng.integers(0, 3 + number, small) * (rng.random(small) < 1 / (1 + number))
        planes.append(ids.repeat(grain, 0).repeat(grain, 1)[: SHAPE[0], : SHAPE[1]])
    top = planes[0].copy()
    for plane in planes[1:]:
        top[plane > 0] = plane[plane > 0]
    x, y = int(rng.integers(SHAPE[1])), int(rng.integers(SHAPE[0]))
    found = filled([LabelMap.of_array(plane) for plane in planes], x, y)
    np.testing.assert_array_equal(found, expected(top, x, y))


def test_pixels_that_touch_by_a_corner_do_not_hang_together():
    ids = np.zeros(SHAPE, int)
    ids[:256, :256] = ids[256:, 256:] = 1
    assert filled([LabelMap.of_array(ids)], 0, 0).sum() == 256 * 256


def test_a_flood_stays_on_its_frame():
    labels = LabelMap(*SHAPE[::-1], 3)
    labels.write(labels.window, 7, None, 1)
    assert filled([labels], 3, 3, 1).all()
    labels.write(labels.window, 1, np.eye(*SHAPE, dtype=bool), 2)
    np.testing.assert_array_equal(filled([labels], 0, 9, 2), expected(np.eye(*SHAPE), 0, 9))


def test_a_wall_across_a_large_map_is_looked_at_and_not_what_lies_behind(monkeypatch):
    labels = LabelMap(100_000, 100_000)
    labels.write(labels.window.__class__(0, 0, 700, 600), 5)
    monkeypatch.setattr(flooding, "MOST_TILES", 30)
    parts = list(flood([labels], 10, 10))
    assert sum(int(mask.sum()) for _, mask in parts) == 700 * 600
    with pytest.raises(SegdeskError, match="too large"):
        list(flood([labels], 5000, 5000))
