"""The parent's end of a worker process: the conversation with it, and its life.

To the child go pickled images (a ``Parcel`` or arrays: two for each request) and ``(job, requests
without pixels, whether to resolve)``, and ``b"stop"`` and ``b"close"``. From it come
``("ready",)``, ``("progress", fraction, message, memory of the device)``, for the images
``("taken",)``, for each job ``("done", segmentation)``, or ``("done", answers)`` where they are not
to be resolved, or for either ``("failed", kind, words, traceback)``.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np

from segdesk.api import SegmentRequest
from segdesk.core import errors
from segdesk.core.errors import OutOfMemory, PluginError, SegdeskError, WorkerError, in_words
from segdesk.core.progress import Report
from segdesk.core.segmentation import Answer as SessionAnswer
from segdesk.core.segmentation import Segmentation
from segdesk.engine.job import SegmentJob
from segdesk.engine.memory import Usage
from segdesk.engine.shared_pixels import Array, Parcel, pack
from segdesk.engine.worker_child import serve

_SIGKILL = 9
_LAST_BREATH = 0.5  # seconds between the end of the pipe and that of the process
_TICK = 0.05  # seconds between two looks at the stop button
_NOTHING = np.empty((0, 0, 0), np.uint8)
_SPAWN = multiprocessing.get_context("spawn")

Answer = tuple[Any, ...]


class Died(Exception):
    """The process has ended, or its pipe is broken."""


class WorkerProcess:
    """One process; it answers every message once, and may report progress before.

    Methods that take a ``report`` call it at every tick, so that it can raise ``Cancelled``. They
    raise ``Died`` when the process has ended.
    """

    def __init__(self) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._is_ready = False
        self._owes_answer = True  # that it is ready
        self._image_key = ""  # of the pixels that it has
        self.device_memory: Usage | None = None  # as it has told last

    @property
    def pid(self) -> int | None:
        """Its id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.is_alive()

    def segment(self, job: SegmentJob, request: SegmentRequest, report: Report) -> Segmentation:
        """Return its segmentation, or raise what the segmenter raised there."""
        segmentation: Segmentation = self._ask(job, [request], True, report)
        return segmentation

    def answers(
        self, job: SegmentJob, requests: Sequence[SegmentRequest], report: Report
    ) -> list[SessionAnswer]:
        """Return its answers for some windows, or raise what the segmenter raised there."""
        answers: list[SessionAnswer] = self._ask(job, requests, False, report)
        return answers

    def stop(self, grace: float) -> None:
        """Ask it to stop what it does; kill it when it takes longer than ``grace`` seconds."""
        deadline = time.monotonic() + grace

        def until_deadline(fraction: float, message: str) -> None:
            if time.monotonic() > deadline:
                raise Died

        try:
            if self._owes_answer:
                self._pipe.send_bytes(b"stop")
                self._answer(until_deadline)
        except (OSError, Died):
            self.kill()

    def close(self, grace: float) -> None:
        """Let it close its segmenters and end; kill it when it takes longer than ``grace``."""
        with suppress(OSError):
            self._pipe.send_bytes(b"close")
        self._wait_for_end(grace)
        self.kill()

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def obituary(self, segmenter: str) -> WorkerError:
        """Return how it died, for the user."""
        self._wait_for_end(_LAST_BREATH)
        code = self._process.exitcode
        self.kill()
        kind = OutOfMemory if code == -_SIGKILL else WorkerError
        return kind(
            f"The process of the segmenter {segmenter!r} {_cause_of_death(code)}; the next run"
            " starts a fresh one."
        )

    def _wait_for_end(self, patience: float) -> None:
        """Wait some seconds; ``join`` could wait for ever if foreign code wrote to its pipes."""
        deadline = time.monotonic() + patience
        while self._process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _ask(
        self, job: SegmentJob, requests: Sequence[SegmentRequest], resolve: bool, report: Report
    ) -> Any:
        question = _pickled(job, requests, resolve)
        if not self._is_ready:
            self._answer(report)
        key = " ".join(request.image_key for request in requests)
        if key != self._image_key:
            self._send_images(requests, report)
            self._image_key = key
        return _opened(self._exchange(question, report))

    def _send_images(self, requests: Sequence[SegmentRequest], report: Report) -> None:
        arrays = [array for r in requests for array in _distinct(r.pixels, r.rgb)]
        packed = pack(arrays)
        if packed is None:
            _opened(self._exchange(pickle.dumps(arrays, 5), report))
        else:
            self._share(*packed, report)

    def _share(self, parcel: Parcel, memory: SharedMemory, report: Report) -> None:
        """Hand shared memory over; from then on only the child holds it."""
        try:
            _opened(self._exchange(pickle.dumps(parcel), report))
        except BaseException:
            self.kill()  # first: it may be just about to open the memory
            raise
        finally:
            memory.close()
            memory.unlink()

    def _exchange(self, message: bytes, report: Report) -> Answer:
        """Return the answer to a message."""
        self._owes_answer = True
        try:
            self._pipe.send_bytes(message)
        except OSError:
            raise Died from None
        return self._answer(report)

    def _answer(self, report: Report) -> Answer:
        """Wait for the answer and pass progress on; ``report`` is called at every tick."""
        fraction, words = 0.0, "Starting"
        while True:
            message = self._hear()
            if message is not None and message[0] != "progress":
                self._owes_answer, self._is_ready = False, True
                return message
            if message is not None:
                _, fraction, words, self.device_memory = message
            report(fraction, words)

    def _hear(self) -> Answer | None:
        """Return the next message, None if there is none within a tick; raises ``Died``."""
        try:
            wait([self._pipe, self._process.sentinel], _TICK)
            if self._pipe.poll():
                message: Answer = self._pipe.recv()
                return message
        except Exception as error:  # the end of the pipe, or nonsense in it
            raise Died from error
        if not self._process.is_alive():
            raise Died
        return None


def _opened(answer: Answer) -> Any:
    """Return what a successful answer holds; raise what a failed one tells of."""
    if answer[0] != "failed":
        return answer[-1]
    _, kind, words, trace = answer
    error: SegdeskError = getattr(errors, kind)(words)
    error.add_note(f"In the worker process:\n{trace}")
    raise error


def _pickled(job: SegmentJob, requests: Sequence[SegmentRequest], resolve: bool) -> bytes:
    """Return a job and its requests, without the pixels, as a message."""
    bare = [replace(request, pixels=_NOTHING, rgb=_NOTHING) for request in requests]
    try:
        return pickle.dumps((job, bare, resolve), 5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        message = f"The options of {job.segmenter!r} cannot be sent to its process"
        raise PluginError(f"{message}: {in_words(error)}") from error


def _distinct(pixels: Array, rgb: Array) -> list[Array]:
    """Return both arrays; nothing in place of the second where they are the same memory."""
    keys = ("data", "shape", "strides", "typestr")
    ours, theirs = pixels.__array_interface__, rgb.__array_interface__
    return [pixels, _NOTHING if all(ours[key] == theirs[key] for key in keys) else rgb]


def _cause_of_death(exit_code: int | None) -> str:
    if exit_code is None:
        return "stopped answering"
    if exit_code >= 0:
        return f"ended by itself with exit code {exit_code}"
    number = -exit_code
    if number == _SIGKILL:
        return "was killed, probably because memory ran out"
    return f"crashed ({signal.strsignal(number) or 'unknown'}, signal {number})"
