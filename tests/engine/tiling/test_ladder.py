"""Memory that runs out is answered with less at a time, and remembered."""

from dataclasses import replace

import numpy as np
import pytest

from segdesk.core.errors import OutOfMemory
from segdesk.core.image import ArrayImage
from segdesk.engine.folders import cache_folder
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun
from tests.engine.tiling.test_run import ANSWERS, same
from tests.engine.tiling.worlds import Batched, World, spec

BLANK = np.zeros((600, 700, 3), np.uint8)


class OutOfMemoryError(RuntimeError):
    """As PyTorch calls it."""


class Tight(Batched):
    """Cannot allocate more than `room` pixels at once; half as much in half precision."""

    room = 0
    error = OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    def segment_many(self, requests, report):
        self.together.append(len(requests))
        self.allocate(sum(request.window.area for request in requests))
        return [self.answer(request) for request in requests]

    def segment(self, request, report):
        self.together.append(1)
        self.allocate(request.window.area)
        return self.answer(request)

    def allocate(self, pixels):
        if self.device != "cpu" and pixels / (1 + self.half) > self.room:
            raise self.error


def run_in(world, room, monkeypatch, told=None, **changes):
    world.room = room
    offer = replace(spec(world, 256), half=True, **changes)
    monkeypatch.setitem(registry().segmenters, "world", offer)
    run = TiledRun(ArrayImage(BLANK), SegmentJob("world", "weights", "gpu"), Tiling())
    with Sessions() as sessions:
        run.go(sessions, (lambda _, message: told.append(message)) if told is not None else print)
    return run


@pytest.mark.parametrize(
    ("room", "batch", "half", "size", "device"),
    [
        (4 * 256**2, 4, False, 256, "gpu"),
        (2 * 256**2, 2, False, 256, "gpu"),
        (256**2, 1, False, 256, "gpu"),
        (256**2 // 2, 1, True, 256, "gpu"),
        (128**2 // 2, 1, True, 128, "gpu"),
        (0, 1, True, 128, "cpu"),
    ],
)
def test_less_is_asked_for_until_it_fits(room, batch, half, size, device, monkeypatch):
    told = []
    wanted = run_in(Tight(ANSWERS["ids"]), 10**9, monkeypatch)
    (cache_folder() / "memory.json").unlink(missing_ok=True)
    world = Tight(ANSWERS["ids"])
    run = run_in(world, room, monkeypatch, told)
    assert (run.rung.batch, run.rung.half, run.rung.size) == (batch, half, size)
    assert (run.rung.device, world.device, world.half) == (device, device, half)
    assert run.is_finished
    assert same(run.segmentation(), wanted.segmentation())
    assert any("memory ran out" in message for message in told) == (batch < 4)
    failures = len(world.together)
    again = run_in(Tight(ANSWERS["ids"]), room, monkeypatch)
    assert again.rung == run.rung, "the next run begins where this one fitted"
    assert len(registry().segmenters["world"].open("", "", None).together) < failures or batch == 4


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("MPS backend out of memory (MPS allocated: 18 GB)"),
    ],
)
def test_every_way_to_say_it_counts(error, monkeypatch):
    world = Tight(ANSWERS["ids"])
    world.error = error
    assert run_in(world, 256**2, monkeypatch).rung.batch == 1


def test_at_the_bottom_it_is_said(monkeypatch):
    class Hopeless(World):
        def segment(self, request, report):
            raise MemoryError

    monkeypatch.setitem(registry().segmenters, "world", spec(Hopeless(), 256))
    run = TiledRun(ArrayImage(BLANK), SegmentJob("world", "", "cpu"), Tiling())
    with (
        Sessions() as sessions,
        pytest.raises(OutOfMemory, match="needs more memory than there is"),
    ):
        run.go(sessions)
    assert run.rung.size == 128
    assert not run.rung.half, "it does not offer half precision"


@pytest.mark.parametrize("text", ["", "[1]", '{"world weights gpu 256 4": {"batch": 99}}', "{"])
def test_a_damaged_memory_is_no_memory(text, monkeypatch):
    cache_folder().mkdir(parents=True, exist_ok=True)
    (cache_folder() / "memory.json").write_text(text)
    assert run_in(Tight(ANSWERS["ids"]), 10**9, monkeypatch).rung.batch == 4


def test_a_larger_tile_begins_anew_and_leaves_nothing_of_what_was_drawn(monkeypatch):
    """Memory may run out in the middle: what is drawn then comes from tiles of one size."""
    world = Tight(ANSWERS["scores"])
    calls = []

    def allocate(pixels):
        calls.append(pixels)
        if len(calls) > 3 and pixels > 128**2:
            raise MemoryError

    world.allocate = allocate
    growths = []
    monkeypatch.setitem(registry().segmenters, "world", spec(world, 256))
    run = TiledRun(ArrayImage(BLANK), SegmentJob("world", "", "cpu"), Tiling(batch=1))
    with Sessions() as sessions:
        run.go(sessions, on_growth=growths.append)
    assert run.rung.size == 128
    whole = run_in(Tight(ANSWERS["scores"]), 10**9, monkeypatch)
    assert same(run.segmentation(), whole.segmentation())
    assert [g.done for g in growths] != sorted(g.done for g in growths)
