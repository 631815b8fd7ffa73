"""Objects that seams cut become one again, whatever they look like."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun
from tests.engine.tiling.worlds import World, ids_of, masks_of, spec

SHAPE = (160, 224)


def box(top, left, bottom, right, shape=SHAPE):
    mask = np.zeros(shape, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def drawn(run):
    """Return the mask of each segment, over all planes, as (category, mask)."""
    found = run.segmentation()
    masks = {}
    for plane in found.planes:
        ids = plane.read(plane.window)
        for segment in np.unique(ids[ids > 0]).tolist():
            mask = masks.setdefault(segment, np.zeros(ids.shape, np.bool_))
            assert not (mask & (ids == segment)).any(), "a pixel of a segment is on one plane only"
            mask |= ids == segment
    assert masks.keys() == found.segments.keys()
    return [(found.segments[i].category, mask) for i, mask in masks.items()]


def assert_same(found, wanted):
    keys = [
        sorted((category, mask.tobytes()) for category, mask in side) for side in (found, wanted)
    ]
    assert len(found) == len(wanted)
    assert keys[0] == keys[1]


ONE = {
    "inside one tile": box(10, 10, 30, 30),
    "across two tiles": box(10, 30, 30, 90),
    "across two, upright": box(30, 10, 100, 30),
    "across three": box(10, 10, 30, 150),
    "across four": box(40, 40, 70, 70),
    "across all": box(2, 2, 158, 222),
    "within an overlap": box(10, 50, 20, 62),
    "a corner of four overlaps": box(50, 50, 62, 62),
    "one pixel": box(55, 55, 56, 56),
    "a frame around everything": box(0, 0, 160, 224) & ~box(5, 5, 155, 219),
    "a comb whose teeth hang together far away": (
        box(5, 5, 150, 15) | box(5, 5, 15, 200) | box(140, 5, 150, 200) | box(70, 5, 80, 200)
    ),
}


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("kind", ["masks", "ids", "pieces"])
def test_an_object_is_one_segment_however_many_tiles_it_crosses(tiled, name, kind):
    mask = ONE[name]
    answer = {
        "masks": masks_of([(mask, 1)]),
        "ids": ids_of(mask.astype(np.int32), {1: 1}, "instance"),
        "pieces": ids_of(mask.astype(np.int32), {1: 1}, "instance", pieces=True),
    }[kind]
    run = tiled(World(answer), np.zeros((*SHAPE, 3), np.uint8), task="instance")
    assert len(run.plan) > 6
    assert_same(drawn(run), [(1, mask)])
    assert run.drawing.nbytes == 0, "nothing waits once all tiles are done"


def test_many_separate_objects_are_as_many_segments(tiled):
    ids = np.zeros((300, 300), np.int32)
    for number in range(225):
        row, column = divmod(number, 15)
        ids[row * 20 + 2 : row * 20 + 17, column * 20 + 2 : column * 20 + 17] = number + 1
    answer = ids_of(ids, dict.fromkeys(range(1, 226), 1), "instance")
    run = tiled(World(answer), np.zeros((300, 300, 3), np.uint8), task="instance")
    assert_same(drawn(run), [(1, ids == number) for number in range(1, 226)])


def test_objects_that_overlap_stay_whole_on_planes(tiled):
    objects = [(box(20, 20, 90, 120), 1), (box(60, 60, 150, 200), 1), (box(70, 70, 80, 110), 1)]
    run = tiled(World(masks_of(objects)), np.zeros((*SHAPE, 3), np.uint8), task="instance")
    assert len(run.segmentation().planes) == 3
    assert_same(drawn(run), [(category, mask) for mask, category in objects])
    assert sorted(s.score for s in run.segmentation().segments.values()) == [0.98, 0.99, 1.0]


def test_stuff_is_one_segment_a_category_and_things_are_many(tiled):
    ids = np.where(box(0, 0, 80, 224), 1, 2).astype(np.int32)
    ids[20:140, 30:100], ids[100:120, 150:220] = 3, 4
    answer = ids_of(ids, {1: 2, 2: 2, 3: 1, 4: 1})
    run = tiled(World(answer), np.zeros((*SHAPE, 3), np.uint8), task="panoptic")
    assert len(run.segmentation().planes) == 1
    assert_same(drawn(run), [(2, ids < 3), (1, ids == 3), (1, ids == 4)])


rectangles = st.tuples(
    st.integers(0, 150), st.integers(0, 210), st.integers(3, 90), st.integers(3, 120)
)


def run_of(answer, **tiling):
    image = ArrayImage(np.zeros((*SHAPE, 3), np.uint8))
    with pytest.MonkeyPatch.context() as patch, Sessions() as sessions:
        patch.setitem(registry().segmenters, "world", spec(World(answer), 64, "instance"))
        run = TiledRun(image, SegmentJob("world"), Tiling(**tiling))
        run.go(sessions)
    return run


@settings(max_examples=25, deadline=None)
@given(st.lists(rectangles, max_size=7), st.integers(0, 32), st.sampled_from([None, (150, 20)]))
def test_any_rectangles_come_out_as_they_are(shapes, overlap, focus):
    objects = [(box(y, x, y + h, x + w), 1) for y, x, h, w in shapes]
    run = run_of(masks_of(objects), overlap=overlap, focus=focus)
    assert_same(drawn(run), [(category, mask) for mask, category in objects])


@settings(max_examples=25, deadline=None)
@given(st.lists(rectangles, max_size=9), st.integers(0, 32))
def test_any_label_map_of_connected_objects_comes_out_as_it_is(shapes, overlap):
    drawn_over = np.zeros(SHAPE, np.int32)
    for number, (y, x, h, w) in enumerate(shapes):
        drawn_over[y : y + h, x : x + w] = number + 1
    ids, count = np.zeros(SHAPE, np.int32), 0
    for number in range(1, len(shapes) + 1):
        pieces, found = ndimage.label(drawn_over == number)
        ids[pieces > 0] = pieces[pieces > 0] + count
        count += found
    kinds = dict.fromkeys(range(1, count + 1), 1)
    run = run_of(ids_of(ids, kinds, "instance"), overlap=overlap)
    assert_same(drawn(run), [(1, ids == number) for number in range(1, count + 1)])


def test_only_the_region_of_interest_is_drawn(tiled):
    mask = box(20, 20, 150, 200)
    window = Window(70, 30, 100, 101)
    world = World(masks_of([(mask, 1)]))
    run = tiled(world, np.zeros((*SHAPE, 3), np.uint8), task="instance", window=window)
    assert_same(drawn(run), [(1, mask & box(30, 70, 131, 170))])
    assert all(request.window.intersection(window) for request in world.asked)


def test_at_half_the_resolution_masks_come_back_at_that_of_the_image(tiled):
    small = box(20, 20, 90, 120)
    big = small.repeat(2, 0).repeat(2, 1)
    run = tiled(
        World(masks_of([(small, 1)])), np.zeros((*big.shape, 3), np.uint8), pixel_size="0.5x"
    )
    assert_same(drawn(run), [(1, big)])
