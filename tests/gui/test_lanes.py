import time
from collections import Counter

import numpy as np
import pytest
from PySide6.QtCore import QThread, QTimer

from segdesk.api import CheckpointError, SegmentRequest, Window
from segdesk.core.errors import Cancelled, OutOfMemory, PluginError, WorkerError
from segdesk.engine.job import SegmentJob
from segdesk.engine.worker import Workers
from segdesk.gui.lanes import Lane


@pytest.fixture
def lane(qtbot):
    lane = Lane("test")
    yield lane
    lane.close()


def outcomes_of(job):
    """Return a list that fills with (signal, value) in the order in which they come."""
    seen = []
    job.succeeded.connect(lambda value: seen.append(("succeeded", value)))
    job.failed.connect(lambda error: seen.append(("failed", error)))
    job.cancelled.connect(lambda: seen.append(("cancelled", None)))
    job.finished.connect(lambda: seen.append(("finished", None)))
    return seen


def run(qtbot, lane, work):
    job = lane.submit(work, "Work")
    seen = outcomes_of(job)
    qtbot.waitUntil(lambda: ("finished", None) in seen, timeout=20_000)
    return seen


def fail(report):
    raise ValueError("no")


def leave(report):
    raise SystemExit(1)


def test_a_job_succeeds_with_what_its_work_returns(qtbot, lane):
    assert run(qtbot, lane, lambda report: {"a": 1}) == [
        ("succeeded", {"a": 1}),
        ("finished", None),
    ]


@pytest.mark.parametrize("work", [fail, leave])
def test_a_job_fails_with_what_its_work_raises_and_the_lane_goes_on(qtbot, lane, work):
    (kind, error), finished = run(qtbot, lane, work)
    assert (kind, type(error)) in [("failed", ValueError), ("failed", SystemExit)]
    assert finished == ("finished", None)
    assert run(qtbot, lane, lambda report: 2)[0] == ("succeeded", 2)


def test_who_connects_after_the_work_is_done_misses_nothing(qtbot, lane):
    job = lane.submit(lambda report: 1, "Quick")
    lane.submit(lambda report: 2, "Later")
    time.sleep(0.2)  # long done, but this thread has not looked yet
    seen = outcomes_of(job)
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen == [("succeeded", 1), ("finished", None)]


def test_work_runs_on_the_lane_and_slots_on_the_thread_of_the_window(qtbot, lane):
    threads = {}

    def work(report):
        threads["work"] = QThread.currentThread()
        report(0.5, "half")

    job = lane.submit(work, "Where")
    job.progressed.connect(lambda *_: threads.update(progressed=QThread.currentThread()))
    job.finished.connect(lambda: threads.update(finished=QThread.currentThread()))
    qtbot.waitUntil(lambda: "finished" in threads)
    assert threads["work"] is lane
    assert threads["progressed"] is threads["finished"] is not lane


def test_progress_arrives_in_order(qtbot, lane):
    def work(report):
        for step in range(5):
            report(step / 4, f"Step {step}")

    job = lane.submit(work, "Steps")
    seen = []
    job.progressed.connect(lambda fraction, message: seen.append((fraction, message)))
    with qtbot.waitSignal(job.finished):
        pass
    assert seen == [(0.0, ""), *((step / 4, f"Step {step}") for step in range(5))]


def test_a_job_that_still_waits_is_cancelled_without_being_run(qtbot, lane):
    ran = []
    lane.submit(lambda report: time.sleep(0.1), "First")
    job = lane.submit(lambda report: ran.append(1), "Second")
    seen = outcomes_of(job)
    job.cancel()
    qtbot.waitUntil(lambda: bool(seen))
    assert (seen, ran) == ([("cancelled", None), ("finished", None)], [])


@pytest.mark.parametrize("ending", [lambda: None, lambda: 1 / 0])
def test_a_cancelled_job_is_cancelled_however_its_work_ends(qtbot, lane, ending):
    started = []

    def work(report):
        started.append(1)
        time.sleep(0.1)
        ending()

    job = lane.submit(work, "Stubborn")
    seen = outcomes_of(job)
    qtbot.waitUntil(lambda: bool(started))
    job.cancel()
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [("cancelled", None), ("finished", None)]


def test_closing_cancels_what_runs_and_what_waits(qtbot):
    lane = Lane("closing")

    def endless(report):
        while True:
            report(0.5, "on and on")
            time.sleep(0.01)

    seen = [outcomes_of(lane.submit(endless, "Endless")) for _ in range(3)]
    lane.close()
    assert lane.isFinished()
    qtbot.waitUntil(lambda: all(seen))
    assert seen == [[("cancelled", None), ("finished", None)]] * 3


# What a worker may do to the window: nothing. (fault, how the job ends, word of the message)
FAULTS = [
    ("segfault", WorkerError, "Segmentation fault"),
    ("abort", WorkerError, "Abort"),
    ("exit", WorkerError, "exit code 3"),
    ("kill", OutOfMemory, "memory ran out"),
    ("closes files", WorkerError, "exit code"),
    ("sleep", Cancelled, ""),
    ("hang", Cancelled, ""),
    ("patient", Cancelled, ""),
    ("threads", Cancelled, ""),
    ("raise", PluginError, "failed: ValueError: first line"),
    ("unprintable", PluginError, "Unprintable"),
    ("system exit", PluginError, "SystemExit"),
    ("interrupt", WorkerError, "KeyboardInterrupt"),
    ("no weights", CheckpointError, "The weights are gone."),
    ("allocate", OutOfMemory, "more memory than there is"),
    ("recursion", PluginError, "RecursionError"),
    ("nothing", PluginError, "not NoneType"),
    ("shape", PluginError, "(3, 3)"),
    ("garbage", WorkerError, "stopped answering"),
    ("writes", PluginError, "read-only"),
]
ROUNDS = 5


def test_a_hundred_faults_leave_the_window_alive_and_the_next_job_works(qtbot, lane, wild):
    workers, faults = Workers(grace=0.1), Counter()
    beats = []
    heart = QTimer(interval=5)
    heart.timeout.connect(lambda: beats.append(time.monotonic()))
    heart.start()
    try:
        for fault, kind, words in FAULTS * ROUNDS:
            error = run_fault(qtbot, lane, workers, wild(fault))
            assert type(error) is kind, (fault, error)
            assert words in str(error)
            assert "\n" not in str(error)
            answer = run(qtbot, lane, work_of(workers, wild()))[0]
            assert answer[0] == "succeeded", (fault, answer)
            assert answer[1].planes[0].areas() == {1: 16}
            faults[kind.__name__] += 1
    finally:
        lane.close()
        workers.close()
    assert faults.total() == 100
    pause = max(np.diff(beats)) * 1000
    print(f"\n{faults.total()} faults: {dict(faults)}; longest pause of the window {pause:.0f} ms")


def run_fault(qtbot, lane, workers, options):
    """Run one faulty job, and stop it when it does not end by itself; return its error."""
    job = lane.submit(work_of(workers, options), "Fault")
    seen = outcomes_of(job)
    if options.fault in ("sleep", "hang", "patient", "threads"):
        job.progressed.connect(
            lambda _, message: message and message != "Starting" and job.cancel()
        )
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=20_000)
    (kind, error), finished = seen
    assert kind != "succeeded"
    assert finished == ("finished", None)
    return error if kind == "failed" else Cancelled()


def work_of(workers, options):
    job = SegmentJob("wild", options=options)
    rgb = np.zeros((4, 8, 3), np.uint8)
    rgb[:, 4:] = 255
    rgb.flags.writeable = False
    request = SegmentRequest(rgb, rgb, Window(0, 0, 8, 4), "image", options=options)
    return lambda report: workers.run(job, request, report)
