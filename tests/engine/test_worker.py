import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from segdesk.api import SegmentRequest, Window
from segdesk.core.errors import (
    Cancelled,
    CheckpointError,
    OutOfMemory,
    PluginError,
    WorkerError,
)
from segdesk.core.progress import silent
from segdesk.engine import shared_pixels
from segdesk.engine.job import SegmentJob
from segdesk.engine.worker import Worker, Workers

JOB = SegmentJob("wild")
SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def worker():
    worker = Worker(grace=0.2)
    yield worker
    worker.close()


def request_of(options, key="image", pixels=None):
    rgb = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    pixels = rgb if pixels is None else pixels
    return SegmentRequest(pixels, rgb, Window(0, 0, 40, 30), key, options=options)


def stop(fraction, message):
    if message == "Looking":
        raise Cancelled("Stopped.")


def known(segmentation):
    """Whether the "same pixels" fault has seen the very array before."""
    return bool(segmentation.segments)


def blocks():
    return set(SHARED_MEMORY.iterdir()) if SHARED_MEMORY.is_dir() else set()


def test_pixels_are_sent_once_for_a_key(worker, wild):
    options = wild("same pixels")
    assert not known(worker.run(JOB, request_of(options, "a")))
    assert known(worker.run(JOB, request_of(options, "a")))
    assert not known(worker.run(JOB, request_of(options, "b")))


@pytest.mark.parametrize("is_full", [False, True])
def test_pixels_arrive_as_they_were_also_when_shared_memory_is_full(
    worker, wild, is_full, monkeypatch
):
    if is_full:
        monkeypatch.setattr(shared_pixels, "_has_room", lambda size: False)
    deep = np.random.default_rng(1).normal(size=(30, 40, 5))[..., ::2]  # not contiguous
    request = request_of(wild("checks"), pixels=deep)
    request = replace(request, options=wild("checks", float(deep.sum() + request.rgb.sum())))
    assert worker.run(JOB, request).segments


def test_what_runs_in_the_worker_cannot_write_the_pixels(worker, wild):
    with pytest.raises(PluginError, match="read-only"):
        worker.run(JOB, request_of(wild("writes")))


def test_the_same_process_goes_on_after_an_error_and_after_a_stop(worker, wild):
    worker.run(JOB, request_of(wild()))
    pid = worker.pid
    with pytest.raises(PluginError):
        worker.run(JOB, request_of(wild("raise")))
    with pytest.raises(Cancelled):
        worker.run(JOB, request_of(wild("patient")), stop)
    worker.run(JOB, request_of(wild()))
    assert worker.pid == pid


def test_a_process_that_was_killed_while_idle_costs_no_job(worker, wild):
    worker.run(JOB, request_of(wild()))
    os.kill(worker.pid, signal.SIGKILL)
    while worker._process.is_alive:  # its last thread may take a moment longer than the others
        time.sleep(0.01)
    assert worker.run(JOB, request_of(wild())).segments


def test_stopping_ends_even_what_holds_the_interpreter(worker, wild):
    with pytest.raises(Cancelled):
        worker.run(JOB, request_of(wild("hang")), stop)
    assert worker.pid is None
    assert worker.run(JOB, request_of(wild())).segments


def test_the_error_keeps_what_happened_in_the_worker_for_the_log(worker, wild):
    with pytest.raises(PluginError) as caught:
        worker.run(JOB, request_of(wild("raise")))
    assert "wild.py" in caught.value.__notes__[0]
    assert "second line" in caught.value.__notes__[0]


def test_a_broken_report_leaves_the_worker_usable(worker, wild):
    def broken(fraction, message):
        if message == "Working":
            raise RuntimeError("the window is gone")

    with pytest.raises(RuntimeError, match="the window is gone"):
        worker.run(JOB, request_of(wild("patient")), broken)
    assert worker.run(JOB, request_of(wild())).segments


def test_options_that_cannot_be_sent_are_named(worker, wild):
    @dataclass(frozen=True)
    class Local:
        fault: str = ""

    with pytest.raises(PluginError, match="options of 'wild' cannot be sent"):
        worker.run(JOB, request_of(Local()))
    assert worker.run(JOB, request_of(wild())).segments


@pytest.mark.parametrize("fault", ["", "kill", "hang", "same pixels", "closes files"])
def test_no_shared_memory_and_no_process_is_left(wild, fault):
    before, children = blocks(), {p.pid for p in psutil.Process().children()}
    worker = Worker(grace=0.1)
    for key in ("a", "b"):
        with suppress(WorkerError, Cancelled):
            worker.run(JOB, request_of(wild(fault), key), stop if fault == "hang" else silent)
    worker.close()
    assert blocks() <= before
    left = {p.pid for p in psutil.Process().children() if "resource_tracker" not in _words(p)}
    assert left <= children


def _words(process):
    return " ".join(process.cmdline())


def test_workers_are_kept_for_the_latest_jobs(wild):
    workers = Workers(limit=2)
    pids = {}
    try:
        for device in ("cpu", "auto", "cpu", "cuda"):
            job = replace(JOB, device=device, checkpoint="")
            workers.run(job, request_of(wild()))
            now = workers._workers[job.key].pid
            assert pids.setdefault(device, now) == now
        assert [psutil.pid_exists(pids[d]) for d in ("cpu", "auto", "cuda")] == [True, False, True]
    finally:
        workers.close()
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


SCRIPT = """
import sys
import numpy as np
from segdesk.api import SegmentRequest, Window
from segdesk.engine.registry import registry
from segdesk.engine.job import SegmentJob
from segdesk.engine.worker import Worker

def report(fraction, message):
    if message == "Looking":
        print(worker.pid, flush=True)

if __name__ == "__main__":
    rgb = np.zeros((4, 4, 3), np.uint8)
    options = registry().segmenter("wild").options(sys.argv[1])
    worker = Worker()
    request = SegmentRequest(rgb, rgb, Window(0, 0, 4, 4), "a", options=options)
    worker.run(SegmentJob("wild"), request, report)
    print("done", flush=True)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return lambda fault: subprocess.Popen(
        [sys.executable, str(path), fault],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("fault", ["sleep", "patient"])
def test_the_worker_dies_with_its_parent_however_busy_it_is(wild, script, fault):
    parent = script(fault)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive


def test_a_program_that_forgets_its_worker_ends_in_peace_and_says_only_its_own_words(wild, script):
    out, err = script("chatty").communicate(timeout=30)
    pid, last = out.split()
    assert last == "done"
    assert err == ""
    assert not psutil.pid_exists(int(pid))


def test_a_worker_starts_without_what_only_models_need(worker, wild):
    with pytest.raises(CheckpointError) as caught:
        worker.run(JOB, request_of(wild("modules")))
    assert set(str(caught.value).split()) & {"numpy", "torch", "cv2", "PySide6"} == {"numpy"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets processes choose")
def test_the_worker_and_not_the_window_goes_when_memory_runs_out(worker, wild):
    worker.run(JOB, request_of(wild()))
    assert Path(f"/proc/{worker.pid}/oom_score_adj").read_text() == "1000\n"


def test_answers_for_several_windows_come_from_one_conversation(worker, wild):
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 255, (30, 40, 3), np.uint8) for _ in range(3)]
    grey = arrays[1].astype(np.uint16)
    requests = [
        SegmentRequest(pixels, rgb, Window(0, 0, 40, 30), f"tile {n}", options=wild())
        for n, (pixels, rgb) in enumerate(zip((arrays[0], grey, arrays[2]), arrays, strict=True))
    ]
    answers = worker.answers(JOB, requests)
    for answer, rgb in zip(answers, arrays, strict=True):
        np.testing.assert_array_equal(answer.ids, rgb.mean(axis=2) > 127)
    assert worker.answers(JOB, requests[:1])[0].ids.any()


def test_lack_of_memory_closes_the_other_processes_and_tries_once_more(wild):
    workers = Workers(grace=0.2)
    try:
        workers.answers(SegmentJob("wild", "other"), [request_of(wild())])
        (other,) = workers.pids
        with pytest.raises(OutOfMemory, match="needs more memory than there is"):
            workers.answers(JOB, [request_of(wild("allocate"))])
        assert len(workers.pids) == 1
        assert not psutil.pid_exists(other)
        assert workers.answers(JOB, [request_of(wild())])[0].ids.any()
        assert workers.device_memory is None, "there is no device on this machine, or no PyTorch"
    finally:
        workers.close()
