"""The tables of a project file, and how a connection to one is opened.

Every row ends in ``crc``: a checksum of its table's name and all its other values. A row that was
damaged is so found out, and one that is whole is recognised even where the rest of the file is not.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

from segdesk.core.errors import ProjectError

APPLICATION_ID = 0x53474453  # "SGDS"
SUFFIX = ".segdesk"
_LONGEST = 500  # bytes of a path: SQLite takes 512, with an ending
_LONGEST_NAME = 247  # of a file: most systems take 255
PATIENCE = 10.0  # seconds that a connection waits for another one

Row = tuple[Any, ...]

MIGRATIONS: tuple[str, ...] = (
    """
    -- meta: facts, and second copies of the rows of `image` and `layer`, on another page
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT, crc INTEGER) WITHOUT ROWID;
    CREATE TABLE image (  -- path: absolute, relative: to the project's folder; "" = in `pixels`
        id INTEGER PRIMARY KEY, position INTEGER, path TEXT, relative TEXT, fingerprint TEXT,
        info TEXT, view TEXT, crc INTEGER);
    CREATE TABLE pixels (image INTEGER, number INTEGER, data BLOB, crc INTEGER,
        PRIMARY KEY (image, number)) WITHOUT ROWID;
    CREATE TABLE document (  -- prompts: ids of rows; done: number of the last step that is done
        image INTEGER PRIMARY KEY, prompts TEXT, last_layer INTEGER, done INTEGER, crc INTEGER);
    CREATE TABLE layer (  -- position: from the bottom, NULL = needed by a step, not on show
        image INTEGER, id INTEGER, position INTEGER, planes INTEGER, state TEXT, crc INTEGER,
        PRIMARY KEY (image, id)) WITHOUT ROWID;
    CREATE TABLE segment (  -- category NULL: pixels have this id, and there is no such segment
        image INTEGER, layer INTEGER, id INTEGER, category INTEGER, score REAL, state TEXT,
        provenance INTEGER, area INTEGER, crc INTEGER,
        PRIMARY KEY (image, layer, id)) WITHOUT ROWID;
    CREATE TABLE provenance (id INTEGER PRIMARY KEY, data TEXT, crc INTEGER);
    CREATE TABLE ids (  -- the segment ids of a tile, packed; never changed
        id INTEGER PRIMARY KEY, digest BLOB UNIQUE, side INTEGER, dtype TEXT, low INTEGER,
        high INTEGER, data BLOB, crc INTEGER);
    CREATE TABLE tile (  -- value: the one segment id of all its pixels, or minus the id of a row
        image INTEGER, layer INTEGER, plane INTEGER, frame INTEGER, row INTEGER, "column" INTEGER,
        value INTEGER, low INTEGER, high INTEGER, crc INTEGER,
        PRIMARY KEY (image, layer, plane, frame, row, "column")) WITHOUT ROWID;
    CREATE TABLE prompt (id INTEGER PRIMARY KEY, digest BLOB UNIQUE, data BLOB, crc INTEGER);
    CREATE TABLE step (  -- previous: number of the step before it, 0 = none
        image INTEGER, number INTEGER, previous INTEGER, name TEXT, key TEXT, nbytes INTEGER,
        changes BLOB, crc INTEGER, PRIMARY KEY (image, number)) WITHOUT ROWID;
    """,
)
"""What makes a file of version n + 1 from one of version n; version 0 is empty."""


def connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    """Open a connection for any one thread at a time. Raises ``sqlite3.Error``, ``OSError``.

    Parameters
    ----------
    mode
        "rw", "ro", or "immutable": the file only, as if nobody else knew it; nothing is written
        beside it.
    """
    check_length(path)
    query = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?{query}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        db.execute("PRAGMA trusted_schema = OFF")  # a stranger's file may hold any
        db.execute("PRAGMA cell_size_check = ON")
        db.execute("PRAGMA schema_version")  # opens all files: they may be deleted later
    except BaseException:
        db.close()
        raise
    return db


def check_length(path: Path) -> None:
    """Raise ``OSError`` when a path is too long for SQLite."""
    name, whole = (len(os.fsencode(part)) for part in (path.name, path.absolute()))
    if name > _LONGEST_NAME or whole > _LONGEST:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(path))


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open a connection whose commits survive the loss of power. Raises ``sqlite3.Error``."""
    db = connect(path)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")
        db.execute("PRAGMA secure_delete = ON")  # what was deleted is never found by `recover`
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what is written inside; after an error nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def newest() -> int:
    """Return the version of files that this program writes."""
    return len(MIGRATIONS)


def version_of(db: sqlite3.Connection) -> int:
    """Return the version of a project. Raises ``sqlite3.Error`` when it cannot be read."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def application_of(db: sqlite3.Connection) -> int:
    """Return the number that says which program a database belongs to."""
    return int(db.execute("PRAGMA application_id").fetchone()[0])


def check_header(db: sqlite3.Connection, path: Path) -> None:
    """Refuse what is no project, and a project of a newer program. Raises ``ProjectError``."""
    if application_of(db) != APPLICATION_ID:
        raise ProjectError(f"{path} is no SegDesk project.")
    version = version_of(db)
    if version > newest():
        raise ProjectError(
            f"{path} was made by a newer SegDesk (its format is {version}, this program knows up to"
            f" {newest()}): update SegDesk to open it."
        )


def migrate(db: sqlite3.Connection) -> None:
    """Bring a database to the newest version: all at once, or not at all."""
    if application_of(db) == APPLICATION_ID and version_of(db) == newest():
        return
    with transaction(db):
        for script in MIGRATIONS[version_of(db) :]:
            for statement in _statements(script):
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {newest()}")


def checksum(table: str, values: Iterable[Any]) -> int:
    """Return the checksum of a row: of all its values but the last column."""
    crc = crc32(table.encode())
    for value in values:
        crc = crc32(value if isinstance(value, bytes) else repr(value).encode(), crc)
    return crc


def put(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows, or replace those of the same key; their checksums are added here."""
    marks = ", ".join("?" * len(columns()[table]))
    sealed = ((*row, checksum(table, row)) for row in rows)
    db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", sealed)


def put_twice(db: sqlite3.Connection, table: str, key: str, rows: Iterable[Row]) -> None:
    """Insert or replace rows with a second copy of each in ``meta``, in case a page is damaged."""
    listed = list(rows)
    put(db, table, listed)
    put(db, "meta", ((key.format(*row), json.dumps(row)) for row in listed))


def note(db: sqlite3.Connection, fact: str) -> None:
    """Note a fact on the file, until it is ``take``n back."""
    put(db, "meta", [(fact, "")])


def take(db: sqlite3.Connection, fact: str) -> bool:
    """Forget a fact, and say whether it was noted."""
    return db.execute("DELETE FROM meta WHERE key = ?", (fact,)).rowcount > 0


@lru_cache(maxsize=4)
def _columns(version: int) -> dict[str, tuple[str, ...]]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(db)
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {
            name: tuple(row[1] for row in db.execute(f"PRAGMA table_info({name})"))
            for (name,) in tables
        }
    finally:
        db.close()


def columns() -> dict[str, tuple[str, ...]]:
    """Return the columns of each table."""
    return _columns(newest())


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script: ``executescript`` would commit in between."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
