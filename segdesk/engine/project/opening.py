"""Opens projects: as they are, or as a private copy where they must not be written to."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from segdesk.core.errors import ProjectError
from segdesk.engine.project import files
from segdesk.engine.project.jobs import UNTOUCHED
from segdesk.engine.project.journal import new_unsaved
from segdesk.engine.project.lock import Lock, Locked
from segdesk.engine.project.project import Project
from segdesk.engine.project.rows import RowWriter
from segdesk.engine.project.schema import (
    check_header,
    columns,
    connect_writer,
    migrate,
    note,
)
from segdesk.engine.project.store import Store, facts


def open_project(path: Path | str) -> Project:
    """Open a project file; its documents, tiles and histories are read when they are needed.

    Where the file is open elsewhere or cannot be written to, a private copy without a name is
    opened instead: ``Project.read_only_origin`` says why. The original is then never written to.

    Raises
    ------
    ProjectError
        The file is missing, damaged, no project, or made by a newer SegDesk; the message says
        what to do.
    """
    origin = Path(os.path.realpath(path))
    files.check_is_database(origin)
    try:
        lock = _lock(origin)
    except Locked as why:
        return _open_copy(origin, str(why))
    except OSError as error:
        return _open_copy(origin, f"its folder cannot be written to ({error.strerror})")
    try:
        return Project(_checked(origin, lock), origin)
    except OSError as error:
        lock.release()
        raise ProjectError(f"{origin} cannot be opened: {error.strerror}.") from error
    except sqlite3.Error as error:
        lock.release()
        raise ProjectError(files.damaged(origin, error)) from error
    except BaseException:
        lock.release()
        raise


def _lock(path: Path) -> Lock:
    """Lock a project that can be written to. Raises ``Locked`` or ``OSError``."""
    if not os.access(path, os.W_OK):
        raise Locked("the file is read-only")
    if not os.access(path.parent, os.W_OK):
        raise Locked("its folder is read-only")
    return Lock(path)


def _checked(path: Path, lock: Lock) -> Store:
    """Return the store of a project of this version, or one that was brought to it."""
    with closing(connect_writer(path)) as db:
        check_header(db, path)
        migrate(db)
        _check_tables(db, path)
    return Store(path, lock)


def _check_tables(db: sqlite3.Connection, path: Path) -> None:
    """Refuse triggers, views and whatever else a stranger may have put into the file."""
    query = "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
    found = set(db.execute(query))
    if found != {("table", name) for name in columns()}:
        raise ProjectError(f"{path} is no SegDesk project: it has other tables.")
    side = db.execute("SELECT value FROM meta WHERE key = 'tile'").fetchone()
    if side and side[0] != facts()["tile"]:
        raise ProjectError(f"{path} has tiles of another size, {side[0]:.20}.")


class _Untouched:
    """The job that notes that a copy is nobody's work yet."""

    def write(self, rows: RowWriter) -> None:
        """Write it."""
        note(rows.db, UNTOUCHED)


def _open_copy(origin: Path, why: str) -> Project:
    """Open a private copy. Raises ``ProjectError``."""
    path = new_unsaved()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = Lock(path)
    except (OSError, Locked) as error:
        raise ProjectError(f"{origin}: {why}, and no copy can be made ({error}).") from error
    try:
        with files.opened_to_look(origin) as db:
            check_header(db, origin)
            files.copy(db, path)
        store = _checked(path, lock)
        store.write([_Untouched()])
        return Project(store, origin, why)
    except (OSError, sqlite3.Error, ProjectError) as error:
        lock.release()
        files.remove(path)
        if isinstance(error, ProjectError):
            raise
        raise ProjectError(f"{origin}: {why}, and no copy can be made ({error}).") from error
