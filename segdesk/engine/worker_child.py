"""What runs in a worker process: opens segmenters and answers requests until told to end."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

from segdesk.api import SegmentRequest
from segdesk.core import errors
from segdesk.core.errors import in_words
from segdesk.core.progress import Report
from segdesk.engine.memory import Usage, device_memory
from segdesk.engine.offline import keep_private
from segdesk.engine.registry import registry
from segdesk.engine.sessions import Sessions
from segdesk.engine.shared_pixels import Array, Parcel, unpack

_INTERVAL = 0.02  # seconds between two looks at the pipe
_MEMORY_INTERVAL = 1.0  # and between two at the memory of the device


def serve(connection: Connection) -> None:
    """Answer the messages of ``worker_process`` one after the other, until told to end."""
    _be_quiet()
    _go_first()
    keep_private()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    registry()  # so that the options of its plugins can be unpickled
    try:
        _converse(connection)
    except (EOFError, OSError):  # the parent is gone
        os._exit(1)
    os._exit(0)  # foreign libraries may hang or crash on a tidy way out


def _converse(connection: Connection) -> None:
    connection.send(("ready",))
    sessions, image = Sessions(limit=1), _Image()
    while True:
        message = connection.recv_bytes()
        if message == b"close":
            sessions.close()
            return
        if message != b"stop":  # else what it was meant for has just ended
            connection.send(_answer(message, sessions, image, _Reporter(connection)))


class _Image:
    """The pixels of the latest images: sent once, used by many requests."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []
        self._memories: list[SharedMemory] = []  # the latest, and older ones still in use

    def take(self, image: Parcel | list[Array]) -> None:
        """Use new images from now on."""
        self._arrays = []
        self._memories = [memory for memory in self._memories if not _is_closed(memory)]
        if isinstance(image, Parcel):
            self._arrays, memory = unpack(image)
            self._memories.append(memory)
        else:
            self._arrays = image

    def put_into(self, requests: list[SegmentRequest]) -> list[SegmentRequest]:
        """Return the requests with their pixels."""
        pairs = zip(self._arrays[::2], self._arrays[1::2], strict=True)
        return [
            replace(request, pixels=pixels, rgb=rgb if rgb.size else pixels)
            for request, (pixels, rgb) in zip(requests, pairs, strict=True)
        ]


class _Reporter:
    """The ``report`` of a session; sessions may call it from threads of their own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._is_stopped = False
        self._last = ("", 0.0)  # message and time
        self._looked = 0.0
        self._usage: Usage | None = None

    def __call__(self, fraction: float, message: str) -> None:
        """Tell the parent, and raise ``Cancelled`` once it has asked to stop."""
        with self._lock:
            now = time.monotonic()
            if self._is_stopped or self._is_asked_to_stop():
                raise errors.Cancelled("Stopped.")
            if message == self._last[0] and now - self._last[1] < _INTERVAL:
                return
            self._last = (message, now)
            done = min(max(float(fraction), 0.0), 1.0)
            self._connection.send(("progress", done, str(message), self._memory(now)))

    def _memory(self, now: float) -> Usage | None:
        """Return what is in use on the device, looked up once in a while."""
        if now - self._looked > _MEMORY_INTERVAL:
            self._looked, self._usage = now, device_memory()
        return self._usage

    def _is_asked_to_stop(self) -> bool:
        if self._connection.poll():
            self._is_stopped = self._connection.recv_bytes() == b"stop"
        return self._is_stopped


def _answer(message: bytes, sessions: Sessions, image: _Image, report: Report) -> tuple[Any, ...]:
    try:
        content = pickle.loads(message)
        if isinstance(content, tuple):
            job, bare, resolve = content
            requests = image.put_into(bare)
            if resolve:
                return "done", sessions.segment(job, requests[0], report)
            return "done", sessions.answers(job, requests, report)
        image.take(content)
    except errors.SegdeskError as error:
        return "failed", _kind(error), str(error), traceback.format_exc()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a job run: the parent hears all
        return "failed", "WorkerError", in_words(error), traceback.format_exc()
    return ("taken",)


def _kind(error: errors.SegdeskError) -> str:
    """Return the name of the nearest error that the parent knows too."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)


def _is_closed(memory: SharedMemory) -> bool:
    """Close shared memory, unless a session still holds arrays in it."""
    try:
        memory.close()
    except BufferError:
        return False
    return True


def _be_quiet() -> None:
    """Let nothing reach the program's standard output, nor Ctrl+C this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _go_first() -> None:
    """When memory runs out, let Linux end this process and not the window."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _die_with_parent() -> None:
    """End this process when its parent is gone, however busy it is."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
