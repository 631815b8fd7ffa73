"""The open project file: one connection that writes, one that reads, and where the file is."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import segdesk
from segdesk.core.tile import TILE as TILE
from segdesk.engine.project import files
from segdesk.engine.project.jobs import Job
from segdesk.engine.project.journal import new_unsaved
from segdesk.engine.project.lock import Lock, Locked
from segdesk.engine.project.rows import RowReader, RowWriter
from segdesk.engine.project.schema import connect, connect_writer, transaction


class Store:
    """A project file with its lock; made when something is written to it for the first time.

    Attributes
    ----------
    path
        The file, links resolved.
    reader
        Reads rows; None until there is a file.
    """

    def __init__(self, path: Path, lock: Lock | None = None) -> None:
        self.path = path
        self.reader: RowReader | None = None
        self._lock = lock
        self._rows: RowWriter | None = None
        self._state: os.stat_result | None = None
        if lock:
            self.reader = RowReader(connect(path), TILE)

    @property
    def exists(self) -> bool:
        """Whether there is a file by now."""
        return self.reader is not None

    def write(self, jobs: Sequence[Job]) -> str:
        """Write all of some jobs, or nothing; return a remark for the user, mostly empty.

        Raises ``OSError``, ``sqlite3.Error``, ``Locked`` or ``ProjectError``.
        """
        remark = self._make_sure()
        rows = self._rows
        assert rows is not None
        try:
            with transaction(rows.db):
                for job in jobs:
                    job.write(rows)
        except BaseException:
            rows.forget()
            raise
        return remark

    def shrink(self) -> None:
        """Give space back to the disk where most of the file is free. Raises ``sqlite3.Error``."""
        db = self._rows.db if self._rows else None
        if db:
            free, pages = (
                db.execute(f"PRAGMA {which}").fetchone()[0]
                for which in ("freelist_count", "page_count")
            )
            if free > pages / 2:
                db.execute("VACUUM")

    def reopen(self) -> None:
        """Close the connection that writes: the next write opens it anew, after an error."""
        if self._rows:
            with suppress(sqlite3.Error):
                self._rows.db.close()
        self._rows = None

    def move(self, path: Path) -> None:
        """Go on in a copy at another place. Raises ``OSError``, ``sqlite3.Error``, ``Locked``."""
        if not self.exists:
            self._make_sure()
        assert self.reader is not None
        lock = self._lock if path == self.path else Lock(path)
        try:
            self._copy_to(path)
            writer = connect_writer(path)  # first: the reader has to find the files beside it
            reader = connect(path)
        except BaseException:
            if lock and lock is not self._lock:
                lock.release()
            raise
        self.reopen()
        self.reader.replace(reader)
        self._rows = RowWriter(writer, self.reader)
        if self._lock and lock is not self._lock:
            self._lock.release()
        self.path, self._lock, self._state = path, lock, path.stat()

    def close(self) -> None:
        """Close the file and let go of its lock."""
        if self.reader:
            self.reader.close()
        self.reopen()
        if self._lock:
            self._lock.release()
        self._lock, self.reader = None, None

    def _copy_to(self, path: Path) -> None:
        if self._is_in_place():  # by a connection of its own: the others go on reading
            with closing(connect(self.path)) as db:
                files.copy(db, path)
        elif self.reader:
            self.reader.copy_to(path)

    def _make_sure(self) -> str:
        """See to it that the file is there and open; return what the user has to know."""
        if not self.exists:
            self._create()
        remark = self._rescue() if self._state and not self._is_in_place() else ""
        if self._rows is None:
            assert self.reader is not None
            self._rows = RowWriter(connect_writer(self.path), self.reader)
            self._state = self.path.stat()
        return remark

    def _create(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = self._lock or Lock(self.path)
        try:
            if not self.path.exists():
                files.create(self.path, facts())
            writer = connect_writer(self.path)
            self.reader = RowReader(connect(self.path), TILE)
        except BaseException:
            lock.release()
            raise
        self._lock, self._rows, self._state = lock, RowWriter(writer, self.reader), self.path.stat()

    def _is_in_place(self) -> bool:
        with suppress(OSError):
            return self._state is not None and os.path.samestat(self._state, self.path.stat())
        return False

    def _rescue(self) -> str:
        """Write everything anew after the file was deleted or replaced while it was open."""
        lost, elsewhere = self.path, new_unsaved()
        elsewhere.parent.mkdir(parents=True, exist_ok=True)
        self.move(elsewhere)
        if not lost.exists():
            try:
                files.remove(lost)  # what SQLite has kept beside it
                self.move(lost)
                files.remove(elsewhere)
            except (OSError, sqlite3.Error, Locked):
                pass  # its folder has gone too, or cannot be written to
            else:
                return f"{lost} was deleted while it was open; it has been written anew."
        return f"{lost} was deleted or replaced while it was open: save the project again."


def facts() -> dict[str, str]:
    """Return what a new file says about itself."""
    return {"program": segdesk.__version__, "tile": str(TILE)}
