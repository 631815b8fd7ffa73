"""Processes that run segmenters, so that no model can freeze, crash or outlive the program."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from segdesk.api import SegmentRequest
from segdesk.core.errors import OutOfMemory
from segdesk.core.progress import Report, silent
from segdesk.core.segmentation import Answer, Segmentation
from segdesk.engine.job import Key, SegmentJob
from segdesk.engine.memory import Usage

if TYPE_CHECKING:
    from segdesk.engine.worker_process import WorkerProcess

Result = TypeVar("Result")

GRACE = 2.0  # seconds between the request to stop and the end of the process


class Worker:
    """One process with its open segmenters; started when needed, and again after it has died.

    ``run`` blocks, and is for one thread at a time.

    Parameters
    ----------
    grace
        Seconds that a job may take to stop by itself before its process is killed.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self._grace = grace
        self._process: WorkerProcess | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process while there is one."""
        return self._process.pid if self._process else None

    @property
    def device_memory(self) -> Usage | None:
        """What the process has told of the memory of its device."""
        return self._process.device_memory if self._process else None

    def run(
        self, job: SegmentJob, request: SegmentRequest, report: Report = silent
    ) -> Segmentation:
        """Answer a request of ``make_request``.

        Raises
        ------
        SegdeskError
            What the segmenter raised; ``PluginError`` when it failed in another way.
        WorkerError
            When the process died; the next run starts a fresh one.
        Cancelled
            When ``report`` raised it; at the latest ``grace`` seconds later.
        """
        return self._talk(job, report, lambda process: process.segment(job, request, report))

    def answers(
        self, job: SegmentJob, requests: Sequence[SegmentRequest], report: Report = silent
    ) -> list[Answer]:
        """Return what the segmenter says of some windows; raises what ``run`` does."""
        return self._talk(job, report, lambda process: process.answers(job, requests, report))

    def _talk(
        self, job: SegmentJob, report: Report, question: Callable[[WorkerProcess], Result]
    ) -> Result:
        from segdesk.engine.worker_process import Died, WorkerProcess

        report(0.0, "Starting")
        process = self._process
        if process is None or not process.is_alive:  # never started, or killed while idle
            process = self._process = WorkerProcess()
        try:
            return question(process)
        except Died:
            raise process.obituary(job.segmenter) from None
        except BaseException:
            process.stop(self._grace)
            raise
        finally:
            if not process.is_alive:
                self._process = None

    def close(self) -> None:
        """End the process; its memory, the device's too, is free afterwards."""
        process, self._process = self._process, None
        if process:
            process.close(self._grace)


class Workers:
    """A worker for each segmenter, checkpoint and device; the least recently used one is closed.

    For one thread.

    Parameters
    ----------
    limit
        How many processes to keep.
    """

    def __init__(self, limit: int = 2, grace: float = GRACE) -> None:
        self._workers: OrderedDict[Key, Worker] = OrderedDict()
        self._limit = limit
        self._grace = grace

    def run(
        self, job: SegmentJob, request: SegmentRequest, report: Report = silent
    ) -> Segmentation:
        """Answer a request in the process that is kept for jobs like this; see ``Worker.run``."""
        return self._worker(job).run(job, request, report)

    def answers(
        self, job: SegmentJob, requests: Sequence[SegmentRequest], report: Report = silent
    ) -> list[Answer]:
        """Return what is said of some windows in that process; see ``Worker.answers``.

        When memory runs out the other processes are closed, and it is tried once more.
        """
        try:
            return self._worker(job).answers(job, requests, report)
        except OutOfMemory:
            if len(self._workers) < 2:
                raise
        for key in self._workers.keys() - {job.key}:
            self._workers.pop(key).close()
        return self._worker(job).answers(job, requests, report)

    @property
    def pids(self) -> list[int]:
        """Ids of all processes that run."""
        return [worker.pid for worker in tuple(self._workers.values()) if worker.pid]

    @property
    def device_memory(self) -> Usage | None:
        """What the latest process has told of the memory of its device."""
        worker = next(reversed(tuple(self._workers.values())), None)
        return worker.device_memory if worker else None

    def _worker(self, job: SegmentJob) -> Worker:
        worker = self._workers.pop(job.key, None) or Worker(self._grace)
        while len(self._workers) >= self._limit:
            self._workers.popitem(last=False)[1].close()
        self._workers[job.key] = worker
        return worker

    def close(self) -> None:
        """End all processes."""
        while self._workers:
            self._workers.popitem()[1].close()
