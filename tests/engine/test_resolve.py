import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segdesk.api import SegmentRequest, Window
from segdesk.core.errors import Cancelled
from segdesk.core.segmentation import (
    Category,
    CategoryScores,
    Provenance,
    RegionMask,
    Segment,
    SegmentIds,
    SegmentMasks,
)
from segdesk.engine.resolve import present_ids, resolve, segment_ids

BY = Provenance("test")
RED = (255, 0, 0)


def categories(*names, first=0):
    return tuple(Category(first + i, name, RED) for i, name in enumerate(names))


def request_of(window, image_size=None):
    rgb = np.zeros((*window.shape, 3), np.uint8)
    return SegmentRequest(rgb, rgb, window, "", image_size=image_size)


def scores_of(shape, smooth, seed=0):
    """Return noise, or hills as wide as a quarter of the array."""
    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    if not smooth:
        return noise
    coarse = torch.from_numpy(noise[:, ::8, ::8])[None]
    return torch.nn.functional.interpolate(coarse, shape[1:], mode="bicubic")[0].numpy()


def test_scores_are_never_held_at_full_size():
    scores = scores_of((150, 32, 32), smooth=False)
    tracemalloc.start()
    try:
        resolve(
            CategoryScores(scores, categories(*map(str, range(150)))),
            request_of(Window(0, 0, 1024, 1024)),
            BY,
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 150 * 1024 * 1024 * 4 / 20


def test_ids_of_categories_stay_where_nothing_else_has_id_0():
    assert segment_ids(categories("cell", "gland", first=1)).tolist() == [1, 2]
    assert segment_ids(categories("background", "cell")).tolist() == [0, 1]
    assert segment_ids(categories("_Background_", "cell")).tolist() == [0, 1]
    assert segment_ids(categories("wall", "floor")).tolist() == [1, 2]
    assert segment_ids(categories("background", first=3)).tolist() == [3]


def test_scores_become_a_segment_for_each_category_that_wins_somewhere():
    scores = np.full((4, 2, 2), -1, np.float32)
    scores[1, :, 0] = scores[3, :, 1] = 1
    answer = CategoryScores(scores, categories("wall", "floor", "sky", "tree"))
    found = resolve(answer, request_of(Window(300, 500, 4, 2), (400, 600)), BY)
    (plane,) = found.planes
    assert (plane.width, plane.height) == (400, 600)
    assert plane.read(Window(300, 500, 4, 2)).tolist() == [[2, 2, 4, 4]] * 2
    assert plane.areas() == {2: 4, 4: 4}
    assert found.segments == {
        2: Segment(2, 1, None, "proposed", BY),
        4: Segment(4, 3, None, "proposed", BY),
    }
    assert found.task == "semantic"


def test_a_uniform_result_costs_next_to_nothing():
    scores = np.zeros((2, 4, 4), np.float32)
    scores[1] = 1
    answer = CategoryScores(scores, categories("wall", "floor"))
    (plane,) = resolve(answer, request_of(Window(0, 0, 1000, 700)), BY).planes
    assert plane.nbytes == 0
    assert plane.areas() == {2: 700_000}


def test_drawing_can_be_stopped():
    def stop(fraction, message):
        if fraction > 0.3:
            raise Cancelled("Stopped.")

    answer = CategoryScores(scores_of((3, 9, 9), True), categories("a", "b", "c"))
    with pytest.raises(Cancelled):
        resolve(answer, request_of(Window(0, 0, 4096, 2048)), BY, stop)


def test_ids_are_kept_and_segments_without_pixels_are_not():
    ids = np.array([[0, 7], [7, 70_000]])
    listed = (Segment(7, 1, np.float32(0.5)), Segment(8, 1), Segment(np.int64(70_000), 1))
    answer = SegmentIds(ids, listed, categories("cell", first=1), "instance")
    found = resolve(answer, request_of(Window(1, 1, 2, 2), (4, 4)), BY)
    assert found.planes[0].read(Window(1, 1, 2, 2)).tolist() == ids.tolist()
    assert found.segments == {
        7: Segment(7, 1, 0.5, "proposed", BY),
        70_000: Segment(70_000, 1, None, "proposed", BY),
    }
    assert type(found.segments[70_000].id) is int
    assert type(found.segments[7].score) is float


boxes = st.tuples(*[st.integers(0, 8)] * 2, *[st.integers(1, 6)] * 2).map(lambda b: Window(*b))


@settings(max_examples=60, deadline=None)
@given(st.lists(boxes, max_size=8))
def test_overlapping_masks_all_survive(windows):
    masks = [np.indices(w.shape).sum(axis=0) % 3 > 0 for w in windows]
    regions = tuple(RegionMask(m, w, 1, 0.9) for m, w in zip(masks, windows, strict=True))
    answer = SegmentMasks(regions, categories("cell", first=1))
    found = resolve(answer, request_of(Window(300, 40, 20, 20), (400, 100)), BY)
    drawn = [(m, w) for m, w in zip(masks, windows, strict=True) if m.any()]
    assert list(found.segments) == list(range(1, len(drawn) + 1))
    for segment_id, (mask, window) in enumerate(drawn, 1):
        whole = np.zeros((100, 400), bool)
        whole[window.shifted(300, 40).slices] = mask
        planes = [plane.read(plane.window) == segment_id for plane in found.planes]
        assert [plane.any() for plane in planes].count(True) == 1
        np.testing.assert_array_equal(np.any(planes, axis=0), whole)


def test_masks_that_do_not_overlap_share_a_plane():
    mask = np.ones((2, 2), bool)
    places = [(0, 0), (4, 0), (1, 1), (8, 0)]
    answer = SegmentMasks(
        tuple(RegionMask(mask, Window(x, y, 2, 2), 1) for x, y in places),
        categories("cell", first=1),
        "panoptic",
    )
    found = resolve(answer, request_of(Window(0, 0, 10, 4)), BY)
    assert [sorted(plane.areas()) for plane in found.planes] == [[1, 2, 4], [3]]
    assert found.task == "panoptic"


@given(hnp.arrays(np.int32, (3, 4), elements=st.sampled_from([0, 1, 2, 300, 2**25, 2**31 - 1])))
def test_present_ids_are_what_unique_says(ids):
    assert present_ids(ids) == set(np.unique(ids).tolist()) - {0}
