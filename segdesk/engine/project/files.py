"""Project files as files: made, copied and moved so that a half one never has its name."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from segdesk.core.errors import DamagedError, ProjectError
from segdesk.engine.project.lock import is_free
from segdesk.engine.project.schema import check_length, connect, migrate, put

WAL = "-wal"  # what SQLite has written last, beside the file
_HEAD = b"SQLite format 3\0"


def create(path: Path, facts: dict[str, str]) -> None:
    """Make an empty project, which must not be there yet. Raises ``OSError``, ``sqlite3.Error``."""
    with in_place_of(path) as temporary, closing(sqlite3.connect(temporary)) as db:
        db.isolation_level = None
        migrate(db)
        put(db, "meta", facts.items())


def copy(db: sqlite3.Connection, path: Path) -> None:
    """Copy an open project as it is now. Raises ``OSError``, ``sqlite3.Error``."""
    with in_place_of(path) as temporary:
        with closing(sqlite3.connect(temporary)) as target:
            db.backup(target)
        with closing(sqlite3.connect(temporary, isolation_level=None)) as target:
            target.execute("PRAGMA journal_mode = DELETE")  # nothing beside it is needed any more


@contextmanager
def in_place_of(path: Path) -> Iterator[Path]:
    """Yield a temporary file; put it in the place of ``path``, safe on the disk, if all went well.

    Its own name is short: it has to fit wherever that of the project does.
    """
    check_length(path)
    temporary = path.with_name(f".{uuid4().hex[:12]}.tmp")
    try:
        yield temporary
        _sync(temporary)
        for ending in ("-journal", WAL, "-shm"):  # else SQLite would add them to the new file
            path.with_name(path.name + ending).unlink(missing_ok=True)
        temporary.replace(path)
        with suppress(OSError):  # some systems cannot: the name may then be lost, not the work
            _sync(path.parent)
    finally:
        for ending in ("", "-journal", WAL, "-shm"):
            with suppress(OSError):
                temporary.with_name(temporary.name + ending).unlink()


def remove(path: Path) -> None:
    """Delete a project with what SQLite keeps beside it. Raises ``OSError``."""
    for ending in ("-journal", WAL, "-shm", ""):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def check_is_database(path: Path) -> None:
    """Raise ``ProjectError`` when a file is absent, cannot be read, or is no database at all."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_HEAD))
    except FileNotFoundError as error:
        raise ProjectError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise ProjectError(f"{path} cannot be opened: {error.strerror}.") from error
    if not head:
        raise DamagedError(f"{path} is empty: there is nothing in it to save.")
    if head != _HEAD:
        what = "is no SegDesk project, or its beginning is damaged"
        raise DamagedError(f"{path} {what}: `segdesk project recover` saves what is whole.")


@contextmanager
def opened_to_look(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a project without changing a byte of it or of its folder.

    Raises ``ProjectError`` when it cannot be read.
    """
    check_is_database(path)
    with tempfile.TemporaryDirectory(prefix="segdesk-") as folder:
        try:
            db = _look(path, Path(folder))
            with closing(db):
                db.execute("BEGIN")  # one moment of a project that is being written to
                yield db
        except (sqlite3.Error, OSError) as error:
            raise DamagedError(damaged(path, error)) from error


def damaged(path: Path, error: Exception) -> str:
    """Return what to say of a project that cannot be read."""
    return f"{path} is damaged ({error}): `segdesk project recover` saves what is whole."


def _look(path: Path, folder: Path) -> sqlite3.Connection:
    if not is_free(path):
        return connect(path, "ro")  # its owner writes to it, and keeps it consistent
    wal = path.with_name(path.name + WAL)
    if not wal.exists() or not wal.stat().st_size:
        return connect(path, "immutable")
    return connect(copy_bytes(path, folder / "copy"))


def copy_bytes(path: Path, target: Path) -> Path:
    """Copy a project that nobody has open, with what SQLite has written beside it."""
    shutil.copyfile(path, target)
    with suppress(FileNotFoundError):
        shutil.copyfile(path.with_name(path.name + WAL), target.with_name(target.name + WAL))
    return target


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY if path.is_dir() or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
