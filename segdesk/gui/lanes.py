"""Threads that run jobs one after the other, and tell the window how they end."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from segdesk.core.errors import Cancelled
from segdesk.core.progress import Report

Work = Callable[[Report], Any]

_INTERVAL = 0.03  # seconds between two reports that reach the window


class Job(QObject):
    """One piece of work on a lane; it ends in exactly one way.

    Attributes
    ----------
    title
        As shown to the user.

    Signals
    -------
    progressed
        Fraction in 0..1 and message.
    succeeded
        What the work returned.
    failed
        The exception that it raised.
    cancelled
        It was stopped; also when it got done, or failed, after that.
    finished
        After each of the three above.
    """

    progressed = Signal(float, str)
    succeeded = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    finished = Signal()

    # Emitted on the lane's thread: the slots turn them into the others on the window's.
    _reported = Signal(float, str)
    _ended = Signal(object, object)  # result, error

    def __init__(self, work: Work, title: str, parent: QObject) -> None:
        super().__init__(parent)
        self.title = title
        self._work = work
        self._is_cancelled = Event()
        self._last = ("", 0.0)  # message and time of the latest report
        self._reported.connect(self._on_reported, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._on_ended, Qt.ConnectionType.QueuedConnection)

    def cancel(self) -> None:
        """Ask the work to stop: it will, when it reports next."""
        self._is_cancelled.set()

    def run(self) -> None:
        """Do the work, on the lane's thread."""
        try:
            self._report(0.0, "")
            result, error = self._work(self._report), None
        except BaseException as raised:  # noqa: BLE001 - a job run: whatever it is, it is its end
            result, error = None, raised
        self._ended.emit(result, error)

    def _report(self, fraction: float, message: str) -> None:
        if self._is_cancelled.is_set():
            raise Cancelled(f"{self.title}: stopped.")
        now = time.monotonic()
        if message != self._last[0] or now - self._last[1] >= _INTERVAL:
            self._last = (message, now)
            self._reported.emit(fraction, message)

    @Slot(float, str)
    def _on_reported(self, fraction: float, message: str) -> None:
        if not self._is_cancelled.is_set():
            self.progressed.emit(fraction, message)

    @Slot(object, object)
    def _on_ended(self, result: object, error: BaseException | None) -> None:
        if self._is_cancelled.is_set() or isinstance(error, Cancelled):
            self.cancelled.emit()
        elif error is not None:
            self.failed.emit(error)
        else:
            self.succeeded.emit(result)
        self.finished.emit()
        self.deleteLater()


class Lane(QThread):
    """A thread for one scarce thing, such as the disk or the GPU; jobs wait in a queue."""

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._jobs: list[Job] = []  # that wait or run
        self.start()

    def submit(self, work: Work, title: str) -> Job:
        """Queue a function; it gets a ``report`` and runs on the lane's thread."""
        job = Job(work, title, self)
        self._jobs.append(job)
        job.finished.connect(self._on_job_finished)
        self._queue.put(job)
        return job

    def close(self) -> None:
        """Cancel all jobs, and wait until the thread has ended."""
        for job in self._jobs:
            job.cancel()
        self._queue.put(None)
        self.wait()

    def run(self) -> None:
        """Run job after job."""
        while (job := self._queue.get()) is not None:
            job.run()

    @Slot()
    def _on_job_finished(self) -> None:
        self._jobs.remove(self.sender())
