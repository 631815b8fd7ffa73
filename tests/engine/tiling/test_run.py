"""Tiles are asked for, drawn, stopped and gone on with."""

from dataclasses import replace

import numpy as np
import pytest

from segdesk.core.errors import Cancelled, ImageError, PluginError, UsageError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage, ImageInfo
from segdesk.core.labelmap import LabelMap
from segdesk.core.prompts import Box
from segdesk.core.segmentation import Category, CategoryScores, SegmentIds
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.engine.segment import segment
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun
from tests.engine.tiling.worlds import CELL, ROAD, Batched, World, ids_of, inside, masks_of, spec

SHAPE = (200, 230)
IDS = np.zeros(SHAPE, np.int32)
IDS[20:180, 30:100], IDS[40:60, 90:220], IDS[120:190, 120:210] = 1, 2, 3
BLANK = np.zeros((*SHAPE, 3), np.uint8)
ANSWERS = {
    "masks": masks_of([(n == IDS, 1) for n in (1, 2, 3)]),
    "ids": ids_of(IDS, {1: 1, 2: 1, 3: 2}),
    "scores": None,
}


NOTHING = Category(0, "background", (0, 0, 0))


def scores(request):
    seen = inside(IDS, request.window)
    stack = np.stack([seen == 0, seen == 1, seen > 1]).astype(np.float32)
    return CategoryScores(stack, (NOTHING, CELL, ROAD))


ANSWERS["scores"] = scores


def same(a, b):
    """Say whether two segmentations show the same, whatever their ids are."""
    pixels = []
    for found in (a, b):
        kinds = {}
        for plane in found.planes:
            ids = plane.read(plane.window)
            for segment_id in np.unique(ids[ids > 0]).tolist():
                kinds.setdefault(segment_id, np.zeros(ids.shape, bool))[ids == segment_id] = True
        segments = [(found.segments[i].category, mask.tobytes()) for i, mask in kinds.items()]
        pixels.append(sorted(segments))
    return pixels[0] == pixels[1]


@pytest.fixture
def run_of(monkeypatch):
    def make(world, image=BLANK, tile=64, job=None, **tiling):
        monkeypatch.setitem(registry().segmenters, "world", spec(world, tile))
        source = image if hasattr(image, "info") else ArrayImage(image)
        return TiledRun(source, job or SegmentJob("world", device="gpu"), Tiling(**tiling))

    return make


def go(run, **arguments):
    with Sessions() as sessions:
        return run.go(sessions, **arguments)


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("focus", [None, (20, 190)])
def test_stop_keeps_what_is_done_and_going_on_gives_the_same_as_no_stop(run_of, kind, focus):
    whole = go(run_of(World(ANSWERS[kind])))
    run, stops = run_of(World(ANSWERS[kind]), focus=focus, batch=1), 0
    parts = []

    def impatient(fraction, message):
        if fraction > 0.2 * (stops + 1):
            raise Cancelled("Stopped.")

    while not run.is_finished:
        try:
            go(run, report=impatient)
        except Cancelled:
            stops += 1
            parts.append(sum(sum(p.areas().values()) for p in run.segmentation().planes))
    assert stops == 4
    assert parts == sorted(parts)
    assert 0 < parts[0] < parts[-1]
    asked = [request.window for request in registry().segmenters["world"].open("", "", None).asked]
    assert len(asked) == len(set(asked)) == len(run.plan), "no tile is asked for twice"
    assert same(run.segmentation(), whole)


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_is_told_of_its_growth_adds_up_to_the_whole(run_of, kind):
    run = run_of(Batched(ANSWERS[kind]), batch=2)
    planes, segments, told = [], {}, []

    def on_growth(growth):
        told.append(growth.done)
        while len(planes) < len(growth.tiles):
            planes.append(LabelMap(SHAPE[1], SHAPE[0]))
        for plane, tiles in zip(planes, growth.tiles, strict=True):
            for index, tile in tiles.items():
                plane.put_packed(index, tile)
        segments.update(growth.segments)

    found = go(run, on_growth=on_growth)
    assert told == sorted(told)
    assert told[-1] == len(run.plan)
    assert len(told) > 5
    for plane, other in zip(found.planes, planes, strict=True):
        np.testing.assert_array_equal(plane.read(plane.window), other.read(other.window))
    assert {i: s for i, s in segments.items() if s} == found.segments


def test_tiles_near_the_focus_come_first_and_else_row_by_row(run_of):
    world = World(ANSWERS["ids"])
    go(run_of(world))
    corners = [(r.window.y, r.window.x) for r in world.asked]
    assert corners == sorted(corners)
    world = World(ANSWERS["ids"])
    run = run_of(world, focus=(229, 199))
    go(run)
    first, last = world.asked[0].window, world.asked[-1].window
    assert (first.right >= 229, first.bottom >= 199) == (True, True)
    assert last.x == 0


def test_a_request_is_a_tile_of_the_image_and_mirrored_beyond_it(run_of):
    image = np.random.default_rng(0).integers(0, 65535, (100, 70, 2), np.uint16)
    world = World(ids_of(np.zeros((100, 70), np.int32), {}))
    go(run_of(world, image))
    padded = np.pad(image, ((0, 64), (0, 64), (0, 0)), mode="symmetric")
    for request in world.asked:
        assert request.window.shape == (64, 64)
        np.testing.assert_array_equal(request.pixels, padded[request.window.slices])
        assert (request.rgb.shape, request.rgb.dtype) == ((64, 64, 3), np.uint8)
        assert request.image_size == (70, 100)
        assert not request.pixels.flags.writeable
    assert len({request.image_key for request in world.asked}) == len(world.asked)


def test_tiles_without_data_are_not_asked_for(run_of):
    class Sparse(ArrayImage):
        def __init__(self, pixels):
            super().__init__(pixels)
            self.info = replace(self.info, nodata=0)

    pixels = np.zeros((*SHAPE, 1), np.uint8)
    pixels[130:, 150:] = 9
    for kind in ANSWERS:
        world = World(ANSWERS[kind])
        run = run_of(world, Sparse(pixels))
        found = go(run)
        assert run.is_finished
        assert 0 < len(world.asked) < len(run.plan) / 2
        ids = found.planes[0].read(found.planes[0].window)
        assert ((ids > 0) == (IDS > 0))[130:, 150:].all()


def test_a_session_that_takes_several_gets_several(run_of):
    world = Batched(ANSWERS["ids"])
    run = run_of(world, batch=3)
    found = go(run)
    assert set(world.together[:-1]) == {3}
    assert len(world.asked) == len(run.plan)
    assert same(found, go(run_of(World(ANSWERS["ids"]))))


def test_answers_that_do_not_go_together_are_refused(run_of):
    answers = iter([scores, ANSWERS["ids"]])
    with pytest.raises(PluginError, match="in the same way for all tiles"):
        go(run_of(World(lambda request: next(answers)(request)), batch=1))


def test_what_does_not_work_in_tiles_is_refused(run_of):
    with pytest.raises(UsageError, match="'prompted' does not work in tiles"):
        registry().segmenters["prompted"] = replace(spec(World(), None, "prompted"), id="prompted")
        try:
            TiledRun(ArrayImage(BLANK), SegmentJob("prompted"), Tiling())
        finally:
            del registry().segmenters["prompted"]
    with pytest.raises(ImageError, match="lies outside the image"):
        run_of(World(), window=Window(500, 0, 9, 9))
    with pytest.raises(UsageError, match="64 pixels along its side or more, not 63"):
        run_of(World(), size=63)
    with pytest.raises(UsageError, match="can share 0 to 32, not 33"):
        run_of(World(), overlap=33)


def test_prompts_reach_every_tile_of_a_segmenter_that_wants_them(run_of, monkeypatch):
    world = World(ANSWERS["ids"])
    prompted = replace(spec(world), task="prompted", prompts=frozenset({Box}))
    monkeypatch.setitem(registry().segmenters, "world", prompted)
    job = SegmentJob("world", prompts=(Box(1, 1, 9, 9),))
    go(TiledRun(ArrayImage(BLANK), job, Tiling()))
    assert all(request.prompts == job.prompts for request in world.asked)
    with pytest.raises(UsageError, match="another resolution"):
        TiledRun(ArrayImage(BLANK), job, Tiling(pixel_size="0.5x"))


class Endless:
    """A slide of 10 terapixels, of which nothing but small windows is ever read."""

    info = ImageInfo("slide.tif", 10_000_000, 1_000_000, 3, "uint8")

    def read(self, window, level=0, frame=0):
        assert window.area < 5_000_000
        return np.full((*window.shape, 3), 7, np.uint8)

    def close(self):
        pass


def test_an_image_that_memory_cannot_hold_is_cut_into_tiles_by_itself(run_of, monkeypatch):
    world = World(lambda request: SegmentIds(np.zeros(request.window.shape, np.int32), (), (CELL,)))
    monkeypatch.setitem(registry().segmenters, "world", spec(world, 512))

    def soon(fraction, message):
        if len(world.asked) > 5:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        segment(Endless(), SegmentJob("world"), soon)
    assert {request.window.shape for request in world.asked} == {(512, 512)}


def test_a_part_of_a_huge_image_is_segmented_alone(run_of):
    world = World(lambda request: SegmentIds(np.zeros(request.window.shape, np.int32), (), (CELL,)))
    run = run_of(world, Endless(), window=Window(9_000_000, 900_000, 100, 100))
    go(run)
    windows = [request.window for request in world.asked]
    assert len(windows) == len(run.plan) == 4
    assert all(abs(w.x - 9_000_000) < 200 and abs(w.y - 900_000) < 200 for w in windows)
