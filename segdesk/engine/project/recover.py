"""Saves what is whole of a damaged project into a new file; the damaged one stays as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from segdesk.core.errors import ProjectError
from segdesk.engine.project import files
from segdesk.engine.project.check import check
from segdesk.engine.project.mending import mend
from segdesk.engine.project.pages import Pages
from segdesk.engine.project.schema import SUFFIX, columns, connect, transaction
from segdesk.engine.project.store import facts


@dataclass(frozen=True)
class Recovery:
    """What was saved, and what was lost.

    Attributes
    ----------
    path
        The new project.
    counts
        Rows of each table in it.
    losses
        One line for each thing that could not be saved; empty when nothing was lost.
    """

    path: Path
    counts: dict[str, int]
    losses: tuple[str, ...]


def recover(path: Path | str, out: Path | str | None = None) -> Recovery:
    """Write all that is whole in a project into a new one.

    Parameters
    ----------
    path
        The project; not a byte of it is changed.
    out
        The new project, which must not be there yet; by default ``NAME-recovered.segdesk``.

    Raises
    ------
    ProjectError
        The project cannot be read, nothing in it is whole, or the new one cannot be written.
    """
    path = Path(path)
    target = Path(out) if out else _free_name(path)
    if target.exists():
        raise ProjectError(f"{target} is there already; choose another name.")
    try:
        pages = Pages(path)
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        return _recover(path, pages, target)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProjectError(f"{target} cannot be written: {reason}.") from error


def _recover(path: Path, pages: Pages, target: Path) -> Recovery:
    with files.in_place_of(target) as temporary:
        files.create(temporary, facts())
        with closing(connect(temporary)) as db, transaction(db):
            saved = _insert(db, pages)
            if not saved:
                raise ProjectError(f"Nothing in {path} can be read any more.")
            losses = [*_page_losses(pages), *mend(db)]
        report = check(temporary)
    return Recovery(target, report.counts, (*losses, *report.findings))


def _insert(db: sqlite3.Connection, pages: Pages) -> int:
    """Insert all rows that are whole; return how many there are besides facts on the file."""
    saved = 0
    for table, row in pages.rows():
        marks = ", ".join("?" * len(columns()[table]))
        db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)
        saved += table != "meta"
    return saved


def _page_losses(pages: Pages) -> Iterator[str]:
    if pages.count < pages.expected:
        gone = pages.expected - pages.count
        yield f"the file is cut off: {gone} of {pages.expected} pages are gone"
    if pages.unreadable:
        yield f"{pages.unreadable} pages hold nothing that can be read"
    if pages.damaged_rows:
        yield f"{pages.damaged_rows} rows are damaged"


def _free_name(path: Path) -> Path:
    stem = path.stem
    names = (f"{stem}-recovered{n}{SUFFIX}" for n in ("", *(f"-{i}" for i in range(2, 10_000))))
    return next(found for name in names if not (found := path.with_name(name)).exists())
