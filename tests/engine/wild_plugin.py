"""A stranger's segmenter that breaks as its options ask for; copied into a user's folder."""

import contextlib
import ctypes
import os
import signal
import stat
import sys
import threading
import time
from dataclasses import dataclass

import numpy as np

from segdesk.api import (
    Category,
    CheckpointError,
    SegdeskError,
    Segment,
    SegmenterSpec,
    SegmentIds,
    hookimpl,
)

CATEGORIES = (Category(0, "background", (0, 0, 0)), Category(1, "bright", (255, 0, 0)))


@dataclass(frozen=True)
class Options:
    """What to do wrong."""

    fault: str = ""
    amount: float = 0.0


class Brightness:
    """Everything brighter than the middle, unless told to fail."""

    def __init__(self):
        self.seen = []  # pixels of earlier requests

    def segment(self, request, report):
        report(0.1, "Looking")
        fault = FAULTS.get(request.options.fault)
        if fault is not None:
            return fault(self, request, report)
        ids = (request.rgb.mean(axis=2) > 127).astype(np.int32)
        return SegmentIds(ids, (Segment(1, 1, 0.5),), CATEGORIES)

    def close(self):
        pass


def answer(ids):
    return SegmentIds(np.asarray(ids, np.int32), (Segment(1, 1),), CATEGORIES)


def raises(error):
    def fault(session, request, report):
        raise error

    return fault


def calls(function, *arguments):
    def fault(session, request, report):
        function(*arguments)

    return fault


def patient(session, request, report):
    for step in range(1000):
        report(step / 1000, "Working")
        time.sleep(0.01)


def patient_in_threads(session, request, report):
    threads = [threading.Thread(target=_until_stopped, args=(report,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report(0.5, "Threads are done")


def _until_stopped(report):
    try:
        while True:
            report(0.2, threading.current_thread().name)
            time.sleep(0.005)
    except SegdeskError:
        return


def same_pixels(session, request, report):
    """Answer 1 everywhere if these very pixels were there before; holds on to all of them."""
    known = any(request.rgb is pixels for pixels in session.seen)
    session.seen.append(request.rgb)
    return answer(np.full(request.window.shape, known))


def checks(session, request, report):
    """Answer 1 everywhere if all pixels together are as much as the options say."""
    total = float(request.pixels.sum() + request.rgb.sum())
    return answer(np.full(request.window.shape, total == request.options.amount))


def chatty(session, request, report):
    print("x" * 1_000_000)
    os.write(1, b"y" * 1_000_000)
    return answer(np.ones(request.window.shape))


def garbage(session, request, report):
    for file in range(3, 30):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(file).st_mode):
                os.write(file, b"\xff" * 100)
    time.sleep(600)


def modules(session, request, report):
    raise CheckpointError(" ".join(sys.modules))


def writes(session, request, report):
    request.pixels[:] = 0


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no words")


FAULTS = {
    "segfault": calls(ctypes.string_at, 0),
    "abort": calls(os.abort),
    "exit": calls(os._exit, 3),
    "kill": lambda *_: os.kill(os.getpid(), signal.SIGKILL),
    "closes files": calls(os.closerange, 0, 64),
    "sleep": calls(time.sleep, 600),
    "hang": calls(ctypes.PyDLL(None).sleep, 600),  # in C, and keeps the interpreter's lock
    "raise": raises(ValueError("first line\nsecond line")),
    "unprintable": raises(Unprintable()),
    "system exit": raises(SystemExit(4)),
    "interrupt": raises(KeyboardInterrupt()),
    "no weights": raises(CheckpointError("The weights are gone.")),
    "allocate": calls(bytearray, 2**60),
    "recursion": lambda *arguments: FAULTS["recursion"](*arguments),
    "nothing": lambda *_: None,
    "shape": lambda *_: answer(np.ones((3, 3))),
    "chatty": chatty,
    "garbage": garbage,
    "modules": modules,
    "checks": checks,
    "writes": writes,
    "patient": patient,
    "threads": patient_in_threads,
    "same pixels": same_pixels,
}


def _open(checkpoint, device, report):
    if checkpoint == "pid":
        raise CheckpointError(str(os.getpid()))
    return Brightness()


@hookimpl
def segdesk_segmenters():
    """Offer it."""
    return [SegmenterSpec("wild", "Wild", "semantic", _open, options=Options)]
