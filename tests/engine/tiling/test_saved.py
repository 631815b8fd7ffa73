"""A run that another process goes on with."""

import numpy as np
import pytest

from segdesk.core.errors import Cancelled, UsageError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun
from segdesk.engine.tiling.saved import resume_run, save_run
from tests.engine.tiling.test_run import ANSWERS, BLANK, same
from tests.engine.tiling.worlds import World, spec


@pytest.fixture
def new(monkeypatch):
    def make(kind, checkpoint="", **tiling):
        job = SegmentJob("world", checkpoint)
        monkeypatch.setitem(registry().segmenters, "world", spec(World(ANSWERS[kind])))
        return TiledRun(ArrayImage(BLANK), job, Tiling(batch=1, **tiling))

    return make


def go(run, until=1.0):
    def report(fraction, message):
        if fraction > until:
            raise Cancelled("Stopped.")

    with Sessions() as sessions:
        run.go(sessions, report)
    return run.segmentation()


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_run_goes_on_in_another_process_as_if_it_had_not_stopped(new, kind, tmp_path):
    whole, path = go(new(kind)), tmp_path / "run.tiles"
    run = new(kind)
    for until in (0.5, 0.8):
        with pytest.raises(Cancelled):
            go(run, until)
        save_run(run, path, "image")
        done = len(run.drawing.done)
        run = new(kind)
        resume_run(run, path, "image")
        least = 1 if kind == "scores" else done  # scores that wait are not kept
        assert least <= len(run.drawing.done) <= done
    assert same(go(run), whole)
    assert run.segmentation().categories == whole.categories
    assert path.stat().st_size < 20_000


def test_a_run_that_has_not_begun_is_kept_too(new, tmp_path):
    save_run(new("ids"), tmp_path / "run.tiles", "image")
    run = new("ids")
    resume_run(run, tmp_path / "run.tiles", "image")
    assert same(go(run), go(new("ids")))


def test_what_is_of_something_else_or_damaged_is_refused(new, tmp_path):
    path, run = tmp_path / "run.tiles", new("masks")
    with pytest.raises(Cancelled):
        go(run, 0.5)
    save_run(run, path, "image")
    others = [
        (new("masks"), "another image"),
        (new("masks", "weights"), "image"),
        (new("masks", overlap=20), "image"),
        (new("masks", window=Window(0, 0, 100, 100)), "image"),
    ]
    for other, key in others:
        with pytest.raises(UsageError, match="of another image, segmenter or tiling"):
            resume_run(other, path, key)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(30):
        size = int(rng.integers(0, len(content)))
        path.write_bytes(content[:size])
        with pytest.raises(UsageError, match="is damaged: run without --resume"):
            resume_run(new("masks"), path, "image")
