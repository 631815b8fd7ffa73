"""What is written to a project file: each job all at once, or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from segdesk.core.geometry import Window
from segdesk.core.history import Step
from segdesk.core.image import ImageInfo, ImageSource
from segdesk.core.packed import AtRest
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Segment
from segdesk.engine.changes import Tiles, TilesChange
from segdesk.engine.document import Document
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.project.codec import pack, text_of
from segdesk.engine.project.image_link import ImageLink
from segdesk.engine.project.rows import RowWriter
from segdesk.engine.project.schema import Row, note, put, put_twice, take
from segdesk.engine.project.steps import encode

_STRIP = 2**24  # bytes of the pixels in one row of a table

IMAGE_KEY, LAYER_KEY = "image {0}", "layer {0} {1}"  # of the second copies

UNTIDY = "untidy"  # fact: something in the file is not needed any more
UNTOUCHED = "untouched"  # fact: a copy of another project that nobody has edited

Entry = tuple[Segment | None, int]  # of the segment table, and its area


class Job(Protocol):
    """Something to be written."""

    def write(self, rows: RowWriter) -> None:
        """Write it inside a transaction. Raises ``sqlite3.Error``."""
        ...


@dataclass(frozen=True)
class ImageJob:
    """An image of the project and how it is shown; ``link`` is None where its pixels are kept."""

    id: int
    position: int
    link: ImageLink | None
    info: ImageInfo
    view: dict[str, Any] = field(default_factory=dict)

    def write(self, rows: RowWriter) -> None:
        """Insert or replace it."""
        link = self.link or ImageLink("", "", "")
        about = (link.path, link.relative, link.fingerprint, text_of(self.info))
        put_twice(
            rows.db, "image", IMAGE_KEY, [(self.id, self.position, *about, json.dumps(self.view))]
        )
        rows.db.execute("DELETE FROM pixels WHERE image = ? AND ? != ''", (self.id, link.path))


@dataclass(frozen=True)
class PixelsJob:
    """The pixels of an image that is in no file."""

    image: int
    source: ImageSource

    def write(self, rows: RowWriter) -> None:
        """Insert them in strips."""
        for number, (frame, strip) in enumerate(strips(self.source.info)):
            data = pack(self.source.read(strip, 0, frame))
            put(rows.db, "pixels", [(self.image, number, data)])


@dataclass(frozen=True)
class RemoveJob:
    """An image that leaves the project with all that belongs to it."""

    image: int

    def write(self, rows: RowWriter) -> None:
        """Delete it."""
        note(rows.db, UNTIDY)
        rows.db.execute("DELETE FROM image WHERE id = ?", (self.image,))
        rows.db.execute(
            "DELETE FROM meta WHERE key = ? OR key LIKE ?",
            (IMAGE_KEY.format(self.image), LAYER_KEY.format(self.image, "%")),
        )
        for table in ("pixels", "document", "layer", "segment", "tile", "step"):
            rows.db.execute(f"DELETE FROM {table} WHERE image = ?", (self.image,))


@dataclass(frozen=True)
class ForgetJob:
    """The steps of an image that are forgotten; what they have made stays."""

    image: int

    def write(self, rows: RowWriter) -> None:
        """Delete them."""
        note(rows.db, UNTIDY)
        rows.db.execute("DELETE FROM step WHERE image = ?", (self.image,))
        query = "SELECT prompts, last_layer FROM document WHERE image = ?"
        for prompts, last_layer in rows.db.execute(query, (self.image,)).fetchall():
            put(rows.db, "document", [(self.image, prompts, last_layer, 0)])


@dataclass(frozen=True)
class StepJob:
    """A step that was done, taken back or made again.

    Attributes
    ----------
    after
        "push": the last step before it; those above are forgotten. "undo": the last one still done.
    new
        Copies of layers that the file does not know yet.
    states
        State and number of planes of the layers that it changed.
    entries
        What it changed in the segment tables, by layer.
    order
        The layers on show, from the bottom; None: as before.
    prompts
        None: as before.
    kept
        Layers that must stay in memory until it is written.
    """

    image: int
    kind: Literal["push", "undo", "redo"]
    step: Step[Document]
    after: int
    new: tuple[Layer, ...]
    states: dict[int, tuple[LayerState, int]]
    entries: dict[int, dict[int, Entry]]
    order: tuple[int, ...] | None
    prompts: tuple[Prompt, ...] | None
    last_layer: int
    kept: tuple[Layer, ...]

    def write(self, rows: RowWriter) -> None:
        """Bring the tables to the state after it."""
        take(rows.db, UNTOUCHED)
        known = {layer.id for layer in self.new}
        for layer in self.new:
            put_layer(rows, self.image, layer)
        for change in self._changes():
            if isinstance(change, TilesChange) and change.layer_id not in known:
                tiles = change.before if self.kind == "undo" else change.after
                put_tiles(rows, (self.image, change.layer_id, change.plane), tiles)
        for layer_id, entries in self.entries.items():
            put_entries(rows, self.image, layer_id, entries)
        new = {layer.id: (layer.state, len(layer.planes)) for layer in self.new}
        put_list(rows.db, self.image, new | self.states, self.order)
        if self.kind == "push":
            self._put_step(rows)
        self._put_document(rows)

    def _changes(self) -> Iterator[Any]:
        changes = self.step.changes or ()
        yield from reversed(changes) if self.kind == "undo" else changes

    def _put_step(self, rows: RowWriter) -> None:
        step, db = self.step, rows.db
        gone = "DELETE FROM step WHERE image = ? AND number > ?"
        if db.execute(gone, (self.image, self.after)).rowcount:
            note(db, UNTIDY)
        changes = encode(step.changes or (), rows)
        about = (self.after, step.name, step.key, step.nbytes, changes)
        put(db, "step", [(self.image, step.number, *about)])

    def _put_document(self, rows: RowWriter) -> None:
        done = self.after if self.kind == "undo" else self.step.number
        if self.prompts is None:
            query = "SELECT prompts FROM document WHERE image = ?"
            found = rows.db.execute(query, (self.image,)).fetchone()
            prompts = found[0] if found else "[]"
        else:
            prompts = json.dumps(rows.prompts(self.prompts))
        put(rows.db, "document", [(self.image, prompts, self.last_layer, done)])


def strips(info: ImageInfo) -> list[tuple[int, Window]]:
    """Return the frames and their windows in which the pixels of an image are kept."""
    from numpy import dtype

    row = max(1, info.width * info.bands * dtype(info.dtype).itemsize)
    rows = max(1, _STRIP // row)
    windows = [
        Window(0, y, info.width, min(rows, info.height - y)) for y in range(0, info.height, rows)
    ]
    return [(frame, window) for frame in range(info.frames) for window in windows]


def put_layer(rows: RowWriter, image: int, layer: Layer) -> None:
    """Write the pixels and segments of a layer; nothing of it may be there yet."""
    for plane, labels in enumerate(layer.planes):
        tiles = {index: labels.packed(index) for index in labels.indices()}
        put_tiles(rows, (image, layer.id, plane), tiles)
    ids = layer.segments.keys() | layer.areas.keys()
    entries = {i: (layer.segments.get(i), layer.areas.get(i, 0)) for i in ids}
    put_entries(rows, image, layer.id, entries)


def put_tiles(rows: RowWriter, plane: tuple[int, int, int], tiles: Tiles) -> None:
    """Write tiles of (image, layer, plane); those that hold nothing are deleted."""
    empty = [(*plane, frame, row, column) for (column, row, frame), t in tiles.items() if t == 0]
    rows.db.executemany(
        "DELETE FROM tile WHERE image = ? AND layer = ? AND plane = ? AND frame = ? AND row = ?"
        ' AND "column" = ?',
        empty,
    )
    put(
        rows.db, "tile", (_tile_row(rows, plane, i, tile) for i, tile in tiles.items() if tile != 0)
    )


def _tile_row(
    rows: RowWriter, plane: tuple[int, int, int], index: tuple[int, int, int], tile: AtRest
) -> Row:
    column, row, frame = index
    low, high = (tile, tile) if isinstance(tile, int) else (tile.low, tile.high)
    return (*plane, frame, row, column, rows.tile(tile), low, high)


def put_entries(rows: RowWriter, image: int, layer: int, entries: dict[int, Entry]) -> None:
    """Write entries of a segment table; those without a segment and without pixels are deleted."""
    gone = ((image, layer, i) for i, entry in entries.items() if entry == (None, 0))
    rows.db.executemany("DELETE FROM segment WHERE image = ? AND layer = ? AND id = ?", gone)
    there = ((i, entry) for i, entry in entries.items() if entry != (None, 0))
    put(rows.db, "segment", ((image, layer, i, *_entry(rows, *entry)) for i, entry in there))


def _entry(rows: RowWriter, segment: Segment | None, area: int) -> Row:
    if segment is None:
        return None, None, "", 0, area
    made = rows.provenance(segment.provenance)
    score = None if segment.score is None else float(segment.score)
    return segment.category, score, segment.state, made, area


def put_list(
    db: sqlite3.Connection,
    image: int,
    states: dict[int, tuple[LayerState, int]],
    order: Iterable[int] | None,
) -> None:
    """Write the list of layers: the states of some, and the order of all."""
    query = "SELECT id, position, planes, state FROM layer WHERE image = ?"
    there = {row[0]: row[1:] for row in db.execute(query, (image,))}
    wanted = dict(there)
    for layer, (state, planes) in states.items():
        wanted[layer] = (there.get(layer, (None,))[0], planes, text_of(state))
    if order is not None:
        position = {layer: number for number, layer in enumerate(order)}
        wanted = {i: (position.get(i), *about) for i, (_, *about) in wanted.items()}
    changed = ((image, i, *about) for i, about in wanted.items() if about != there.get(i))
    put_twice(db, "layer", LAYER_KEY, changed)
