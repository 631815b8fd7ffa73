"""The thread that writes: an edit is in the file moments after it was made."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, RLock, Thread

from segdesk.core.errors import ProjectError, in_words
from segdesk.engine.project.jobs import Job
from segdesk.engine.project.lock import Locked
from segdesk.engine.project.store import Store

_FULL = sqlite3.SQLITE_FULL

Notify = Callable[[str], None]


class Writer:
    """Writes jobs in the order in which they come; what cannot be written stays in memory.

    Parameters
    ----------
    store
        Where to write.
    on_problem
        Called with one line when a write has failed, once until one succeeds again, and with
        what else the user has to know; in the writer's thread.
    on_kept
        Called with the number of the last job that is safe on the disk; in the writer's thread.
    """

    def __init__(self, store: Store, on_problem: Notify, on_kept: Callable[[int], None]) -> None:
        self._store = store
        self._on_problem, self._on_kept = on_problem, on_kept
        self._jobs: deque[Job] = deque()
        self._changed = Condition()
        self._writing = RLock()
        self._wanted = False  # something has happened since the last attempt
        self._ends = False
        self._begun = self._tried = 0  # attempts
        self._last = 0
        self.kept = 0
        self.problem = ""
        self._thread: Thread | None = None

    @property
    def last(self) -> int:
        """The number of the newest job."""
        return self._last

    def put(self, job: Job, wake: bool = True) -> int:
        """Add a job and return its number; unless ``wake`` it waits for the next one."""
        with self._changed:
            self._jobs.append(job)
            self._last += 1
            if wake:
                self._start()
            return self._last

    def retry(self) -> None:
        """Try again to write what could not be written."""
        with self._changed:
            self._start()

    def flush(self, timeout: float | None = None) -> bool:
        """Write all that waits, and say whether it is safe on the disk now."""
        with self._changed:
            wanted, before = self._last, self._begun
            if self.kept < wanted:
                self._start()
            self._changed.wait_for(lambda: self.kept >= wanted or self._tried > before, timeout)
            return self.kept >= wanted

    def close(self) -> None:
        """End the thread once it has tried to write what waits."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Write nothing meanwhile."""
        with self._writing:
            yield

    def _start(self) -> None:
        self._wanted = True
        if self._thread is None:
            self._thread = Thread(target=self._run, name="project writer", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            while self._is_wanted():
                self._attempt()
        except BaseException:
            self._thread = None  # a mistake in the program: the next edit starts another one
            raise

    def _is_wanted(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._ends)
            return self._wanted

    def _attempt(self) -> None:
        with self._writing:
            with self._changed:
                self._wanted = False
                self._begun += 1
                jobs = tuple(self._jobs)
            remark = None
            try:
                remark = self._write(jobs)
            finally:
                self._finish(0 if remark is None else len(jobs))
        if remark is not None:
            self._on_kept(self.kept)
        if remark:
            self._on_problem(remark)

    def _finish(self, written: int) -> None:
        with self._changed:
            for _ in range(written):
                self._jobs.popleft()
            self.kept += written
            self._tried = self._begun
            self._changed.notify_all()

    def _write(self, jobs: tuple[Job, ...]) -> str | None:
        """Write jobs; return a remark for the user, or None when it failed."""
        try:
            remark = self._store.write(jobs)
        except (OSError, sqlite3.Error, ProjectError, Locked, MemoryError) as error:
            self._store.reopen()
            self._fail(_words(self._store.path, error))
            return None
        except BaseException as error:
            self._store.reopen()
            self._fail(in_words(error))
            raise
        self.problem = ""
        return remark

    def _fail(self, message: str) -> None:
        is_new = not self.problem
        self.problem = message
        if is_new:
            self._on_problem(message)


def _words(path: Path, error: Exception) -> str:
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) == _FULL:
        reason = "the disk is full"
    elif isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        reason = str(error)
    return (
        f"The last edits could not be written to {path} ({reason}). They are kept in memory and"
        " tried again with the next edit."
    )
