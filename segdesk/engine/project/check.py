"""Says what is wrong with a project file, without changing it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from segdesk.core.errors import ProjectError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo
from segdesk.core.segmentation import Provenance
from segdesk.core.tile import tile_areas
from segdesk.engine.layer import LayerState
from segdesk.engine.project import store
from segdesk.engine.project.codec import record_of
from segdesk.engine.project.files import opened_to_look
from segdesk.engine.project.rows import RowReader, digest_of, prompt_of
from segdesk.engine.project.schema import check_header, checksum, columns, version_of
from segdesk.engine.project.steps import decode, references

_MOST = 1000  # findings that are listed


@dataclass(frozen=True)
class Report:
    """What a project file holds, and what is wrong with it.

    Attributes
    ----------
    counts
        Rows of each table.
    findings
        One line for each thing that is damaged or missing; empty when all is well.
    """

    path: Path
    version: int
    counts: dict[str, int]
    findings: tuple[str, ...]


def check(path: Path | str) -> Report:
    """Check a whole project: its pages, rows, references, tiles and steps.

    Raises ``ProjectError`` when it cannot be read at all.
    """
    path = Path(path)
    with opened_to_look(path) as db:
        check_header(db, path)
        findings: list[str] = []
        for finding in _findings(db):
            findings.append(finding)
            if len(findings) == _MOST:
                findings.append("and more")
                break
        return Report(path, version_of(db), _counts(db), tuple(findings))


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    counts = {}
    for table in columns():
        try:
            counts[table] = int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        except sqlite3.Error:
            counts[table] = 0
    return counts


def _findings(db: sqlite3.Connection) -> Iterator[str]:
    found = [row[0] for row in db.execute("PRAGMA integrity_check")]
    yield from (finding for finding in found if finding != "ok")
    is_readable = True
    for table in columns():
        try:
            yield from _row_findings(db, table)
        except sqlite3.Error as error:
            is_readable = False
            yield f"the table {table} cannot be read ({error})"
    if is_readable:
        yield from missing(db)
        yield from _wrong_areas(db)
        yield from _undecodable(db)


def _row_findings(db: sqlite3.Connection, table: str) -> Iterator[str]:
    """Look at each row of a table by itself."""
    names = columns()[table]
    look = _LOOKS.get(table)
    for row in db.execute(f"SELECT * FROM {table}"):
        if row[-1] != checksum(table, row[:-1]):
            yield f"{_named(table, names, row)} is damaged"
        elif look:
            try:
                look(dict(zip(names, row, strict=True)))
            except (ProjectError, ValueError, TypeError, KeyError) as error:
                yield f"{_named(table, names, row)} is damaged ({error})"


def _named(table: str, names: tuple[str, ...], row: tuple[Any, ...]) -> str:
    keys = [name for name in names if name in _KEYS]
    values = dict(zip(names, row, strict=True))
    return f"{table} " + ", ".join(f"{key} {values[key]!r:.40}" for key in keys)


_KEYS = ("key", "image", "layer", "plane", "frame", "row", "column", "id", "number")


def check_ids(values: tuple[Any, ...]) -> None:
    """Raise ``ProjectError`` or ``ValueError`` when a row of ``ids`` is not whole."""
    import zstandard

    row = dict(zip(columns()["ids"], values, strict=True))
    if digest_of(row["data"]) != row["digest"]:
        raise ProjectError("its bytes have changed")
    size = row["side"] ** 2 * np.dtype(row["dtype"]).itemsize
    try:
        if zstandard.frame_content_size(row["data"]) != size:
            raise ProjectError("its size is wrong")
        ids = np.frombuffer(zstandard.decompress(row["data"]), row["dtype"])
    except zstandard.ZstdError as error:
        raise ProjectError(str(error)) from error
    if (ids.min(), ids.max()) != (row["low"], row["high"]):
        raise ProjectError("its ids are not those that were noted")


def _look_at_prompt(row: dict[str, Any]) -> None:
    if digest_of(row["data"]) != row["digest"]:
        raise ProjectError("its bytes have changed")
    prompt_of(row["data"])


_LOOKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "image": lambda row: (record_of(ImageInfo, row["info"]), json.loads(row["view"])),
    "layer": lambda row: record_of(LayerState, row["state"]),
    "provenance": lambda row: record_of(Provenance, row["data"]),
    "document": lambda row: [int(prompt) for prompt in json.loads(row["prompts"])],
    "ids": lambda row: check_ids(tuple(row.values())),
    "prompt": _look_at_prompt,
    "step": lambda row: references(row["changes"]),
}

_MISSING = {
    "tile": 'SELECT image, layer, plane, frame, row, "column" FROM tile WHERE value < 0'
    " AND -value NOT IN (SELECT id FROM ids)",
    "tile of no layer": "SELECT DISTINCT image, layer FROM tile"
    " WHERE (image, layer) NOT IN (SELECT image, id FROM layer)",
    "segment of no layer": "SELECT DISTINCT image, layer FROM segment"
    " WHERE (image, layer) NOT IN (SELECT image, id FROM layer)",
    "segment of no provenance": "SELECT image, layer, id FROM segment WHERE category NOT NULL"
    " AND provenance NOT IN (SELECT id FROM provenance)",
    "layer of no image": "SELECT image, id FROM layer WHERE image NOT IN (SELECT id FROM image)",
    "step of no image": "SELECT image, number FROM step WHERE image NOT IN (SELECT id FROM image)",
    "document of no image": "SELECT image FROM document WHERE image NOT IN (SELECT id FROM image)",
    "layers of no document": "SELECT DISTINCT image FROM layer"
    " WHERE image NOT IN (SELECT image FROM document)",
    "step without the one before it": "SELECT image, number FROM step AS s WHERE previous !="
    " (SELECT ifnull(max(number), 0) FROM step WHERE image = s.image AND number < s.number)",
    "document whose last step is not there": "SELECT image, done FROM document AS d WHERE done != 0"
    " AND NOT EXISTS (SELECT 1 FROM step WHERE image = d.image AND number = d.done)",
}


def missing(db: sqlite3.Connection) -> Iterator[str]:
    """Yield every reference to a row that is not there."""
    for what, query in _MISSING.items():
        for key in db.execute(query):
            yield f"{what}: {', '.join(map(str, key))}" + (
                ": its ids are missing" if what == "tile" else ""
            )
    for image, prompts in db.execute("SELECT image, prompts FROM document").fetchall():
        for row in json.loads(prompts):
            if not db.execute("SELECT 1 FROM prompt WHERE id = ?", (row,)).fetchone():
                yield f"prompt {row} of image {image} is missing"


def _wrong_areas(db: sqlite3.Connection) -> Iterator[str]:
    """Compare the areas of all segments with the pixels."""
    rows = RowReader(db, store.TILE)
    query = "SELECT image, id FROM layer"
    for image, layer in db.execute(query).fetchall():
        noted = dict(
            db.execute(
                "SELECT id, area FROM segment WHERE image = ? AND layer = ? AND area != 0",
                (image, layer),
            )
        )
        try:
            counted = count_areas(db, rows, image, layer)
        except ProjectError:
            continue  # listed already
        wrong = [i for i in noted.keys() | counted.keys() if noted.get(i) != counted.get(i)]
        if wrong:
            yield f"layer {layer} of image {image}: {len(wrong)} segments have another area"


def count_areas(db: sqlite3.Connection, rows: RowReader, image: int, layer: int) -> dict[int, int]:
    """Return the pixels of each segment of a layer. Raises ``ProjectError``."""
    about = db.execute("SELECT info FROM image WHERE id = ?", (image,)).fetchone()
    if about is None:
        raise ProjectError(f"image {image} is missing.")
    whole = record_of(ImageInfo, about[0]).window
    areas: dict[int, int] = {}
    query = 'SELECT row, "column", value, low, high FROM tile WHERE image = ? AND layer = ?'
    for row, column, *reference in db.execute(query, (image, layer)).fetchall():
        stored = rows.stored(*reference)
        tile = stored if isinstance(stored, int) else stored.unpack()
        inside = Window(column * rows.side, row * rows.side, rows.side, rows.side)
        for segment, count in tile_areas(tile, inside.intersection(whole)).items():
            areas[segment] = areas.get(segment, 0) + count
    return areas


def _undecodable(db: sqlite3.Connection) -> Iterator[str]:
    """Find steps that cannot be undone or redone."""
    rows = RowReader(db, store.TILE)
    for image, number in db.execute("SELECT image, number FROM step").fetchall():
        reason = why_undecodable(db, rows, image, number)
        if reason:
            yield f"step {number} of image {image} cannot be read ({reason})"


def why_undecodable(db: sqlite3.Connection, rows: RowReader, image: int, number: int) -> str:
    """Return why a step cannot be undone or redone; empty when it can."""
    query = "SELECT changes FROM step WHERE image = ? AND number = ?"
    (changes,) = db.execute(query, (image, number)).fetchone()
    layers = {i for (i,) in db.execute("SELECT id FROM layer WHERE image = ?", (image,))}
    try:
        needed = references(changes).layers - layers
        if needed:
            return f"layer {min(needed)} is missing"
        decode(changes, rows, lambda layer: None)  # type: ignore[arg-type, return-value]
    except ProjectError as error:
        return str(error)
    return ""
