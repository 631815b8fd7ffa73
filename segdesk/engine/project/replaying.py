"""Rows that were lost, from the steps of the history that put them there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from segdesk.core.errors import ProjectError
from segdesk.engine.project.codec import unpack
from segdesk.engine.project.schema import put
from segdesk.engine.project.steps import STATES

TO_COUNT = -1  # area of a segment that was put back

Found = dict[tuple[Any, ...], Any]


def replay(db: sqlite3.Connection, image: int) -> None:
    """Put back tiles and segments of an image that a whole step around the present one tells of.

    Backward from the last step that is done, what a step has put is what is there now, unless a
    later one has put something else; forward, what it would replace.
    """
    query = "SELECT number, previous, changes FROM step WHERE image = ?"
    steps = {number: (before, data) for number, before, data in db.execute(query, (image,))}
    found = db.execute("SELECT done FROM document WHERE image = ?", (image,)).fetchone()
    if found is None:
        return
    tiles: Found = {}
    segments: Found = {}
    for side, records in _records(steps, found[0]):
        for record in reversed(records) if side == "after" else records:
            if record["kind"] == "tiles":
                _note_tiles(tiles, record, side)
            elif record["kind"] == "segments":
                _note_segments(segments, record, side)
    _put_tiles(db, image, tiles)
    _put_segments(db, image, segments)


def _records(
    steps: dict[int, tuple[int, bytes]], done: int
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the changes of the steps next to the present one first, each with its side."""
    following = {before: number for number, (before, _) in steps.items()}
    for side, start in (("after", done), ("before", following.get(done, 0))):
        number = start
        while number in steps:
            try:
                yield side, unpack(steps[number][1])
            except ProjectError:
                break  # what lies beyond it may be out of date
            number = steps[number][0] if side == "after" else following.get(number, 0)


def _note_tiles(found: Found, record: dict[str, Any], side: str) -> None:
    for (column, row, frame), value in zip(
        record["at"].tolist(), record[side].tolist(), strict=True
    ):
        key = (record["layer"], record["plane"], frame, row, column)
        found.setdefault(key, value)


def _note_segments(found: Found, record: dict[str, Any], side: str) -> None:
    names = ("is_there", "category", "is_scored", "score", "state", "provenance")
    values = zip(*(record[side][name].tolist() for name in names), strict=True)
    for i, (is_there, category, scored, score, state, made) in zip(
        record["ids"].tolist(), values, strict=True
    ):
        about = (category, score if scored else None, STATES[state], made)
        found.setdefault((record["layer"], i), about if is_there else None)


def _put_tiles(db: sqlite3.Connection, image: int, tiles: Found) -> None:
    query = 'SELECT layer, plane, frame, row, "column" FROM tile WHERE image = ?'
    there = set(db.execute(query, (image,)))
    for key, value in tiles.items():
        if key in there or value == 0:
            continue
        ids = db.execute("SELECT low, high FROM ids WHERE id = ?", (-value,)).fetchone()
        bounds = (value, value) if value > 0 else ids
        if bounds:
            put(db, "tile", [(image, *key, value, *bounds)])


def _put_segments(db: sqlite3.Connection, image: int, segments: Found) -> None:
    there = set(db.execute("SELECT layer, id FROM segment WHERE image = ?", (image,)))
    lost = [(key, about) for key, about in segments.items() if about and key not in there]
    put(db, "segment", ((image, *key, *about, TO_COUNT) for key, about in lost))
