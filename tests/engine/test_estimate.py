"""What is not going to fit is not tried: fewer tiles are taken, smaller ones, or it is said."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load_file

from segdesk.core.errors import OutOfMemory, WouldNotFit
from segdesk.core.image import ArrayImage
from segdesk.core.remembered import Remembered
from segdesk.engine import memory
from segdesk.engine.estimate import weight_bytes
from segdesk.engine.job import SegmentJob, make_request
from segdesk.engine.registry import registry
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun
from tests.engine.tiling.test_run import ANSWERS
from tests.engine.tiling.worlds import Batched, spec
from tests.plugins.tiny_models import job_of, save, segformer

BLANK = ArrayImage(np.zeros((600, 700, 3), np.uint8))
MIB = 2**20


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return save(segformer(), tmp_path_factory.mktemp("models") / "segformer")


@pytest.fixture
def free(monkeypatch):
    """Return a function that says how much memory is free from now on."""

    def let(count):
        monkeypatch.setattr(memory, "free_memory", lambda on_device: count)

    return let


class Hungry(Batched):
    """Takes as much memory for an answer as `need` says of its pixels."""

    need = staticmethod(lambda pixels: 0)
    peak = 0

    def segment_many(self, requests, report):
        report(0.5, "Looking")
        self.together.append(len(requests))
        Hungry.peak = self.need(sum(request.window.area for request in requests))
        return [self.answer(request) for request in requests]

    def segment(self, request, report):
        return self.segment_many([request], report)[0]

    @staticmethod
    def use_and_peak(on_device, anew=False):
        return 100, 100 if anew else 100 + Hungry.peak


def run_with(checkpoint, monkeypatch, need):
    world = Hungry(ANSWERS["ids"])
    world.need = need
    monkeypatch.setattr(memory, "use_and_peak", Hungry.use_and_peak)
    offer = replace(spec(world, 256), needs_checkpoint=True)
    monkeypatch.setitem(registry().segmenters, "world", offer)
    told = []
    run = TiledRun(BLANK, SegmentJob("world", str(checkpoint), "cpu"), Tiling())
    with Sessions() as sessions:
        run.go(sessions, lambda _, message: told.append(message))
    return run, world.together, told


def test_weights_are_counted_in_single_precision(checkpoint, tmp_path):
    count = sum(tensor.numel() for tensor in load_file(checkpoint / "model.safetensors").values())
    assert weight_bytes(str(checkpoint)) == 4 * count
    assert weight_bytes(str(tmp_path)) == 0


@pytest.mark.parametrize(
    ("room", "batch"), [(2000 * MIB, 4), (600 * MIB, 2), (300 * MIB, 1), (MIB, 1)]
)
def test_a_guess_makes_fewer_tiles_be_taken_and_refuses_none(
    room, batch, free, checkpoint, monkeypatch
):
    free(room)
    run, together, told = run_with(checkpoint, monkeypatch, lambda pixels: 0)
    assert run.rung.batch == max(together) == batch
    assert run.is_finished
    assert any("to fit into memory" in message for message in told) == (batch < 4)


def test_what_was_measured_decides_the_next_time(free, checkpoint, monkeypatch):
    def need(pixels):
        return 1000 * pixels

    tile = need(256**2)
    free(100 * tile + 3000 * MIB)
    _, together, _ = run_with(checkpoint, monkeypatch, need)
    assert max(together) == 4
    free(4 * tile - 1)
    run, together, _ = run_with(checkpoint, monkeypatch, need)
    assert max(together) == 2, "four were measured, two scaled from them"
    free(3 * tile)
    Remembered("memory.json").note("other", 1)
    run, together, _ = run_with(checkpoint, monkeypatch, lambda pixels: 0)
    assert (max(together), run.rung.size) == (2, 256)


def test_a_tile_that_is_known_not_to_fit_is_made_smaller(free, checkpoint, monkeypatch):
    key = " ".join(map(str, ("answers of", "world", checkpoint, "cpu", False)))
    Remembered("memory.json").note(key, {str(256**2): 512 * MIB})
    free(200 * MIB)
    run, together, told = run_with(checkpoint, monkeypatch, lambda pixels: 0)
    assert run.rung.size == 128
    assert max(together) == 1
    assert any("to fit into memory: tiles of 128 pixels" in message for message in told)
    free(10_000 * MIB)
    again, together, _ = run_with(checkpoint, monkeypatch, lambda pixels: 0)
    assert (again.rung.size, max(together)) == (256, 4), "it was a lack of this moment only"


def test_weights_that_do_not_fit_are_never_read(free, checkpoint, monkeypatch):
    free(1000)
    image = ArrayImage(np.zeros((64, 64, 3), np.uint8))
    job = job_of(checkpoint)
    opened = []
    offer = replace(registry().segmenter("semantic"), open=lambda *_: opened.append(1))
    monkeypatch.setitem(registry().segmenters, "semantic", offer)
    words = r"'semantic' is going to need 0\.0 GB of memory, and 0\.0 GB are free"
    with Sessions() as sessions, pytest.raises(WouldNotFit, match=words):
        sessions.segment(job, make_request(image, job))
    with Sessions() as sessions, pytest.raises(OutOfMemory, match="smaller checkpoint"):
        TiledRun(BLANK, job, Tiling()).go(sessions)
    assert not opened


def test_a_real_answer_is_measured(checkpoint):
    image = ArrayImage(np.zeros((64, 64, 3), np.uint8))
    job = job_of(checkpoint)
    used, peak = memory.use_and_peak(on_device=False)
    assert 0 < used <= peak
    held = np.ones(64 * MIB, np.uint8)
    assert memory.use_and_peak(on_device=False)[1] >= used + held.nbytes / 2
    assert memory.free_memory(on_device=False) > 0
    with Sessions() as sessions:
        assert sessions.segment(job, make_request(image, job)).segments
