"""Tiles and prompts as rows: each is written once, and all who need it refer to the row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import ProjectError
from segdesk.core.packed import AtRest, PackedTile
from segdesk.core.prompts import Box, Example, Mask, Points, Prompt, Scribble, Text
from segdesk.core.segmentation import Provenance
from segdesk.engine.project.codec import pack, record_of, text_of, typed, unpack
from segdesk.engine.project.files import copy
from segdesk.engine.project.schema import put

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Points, Box, Scribble, Mask, Text, Example)
}


class StoredTile(PackedTile):
    """A tile whose bytes stay in the project file until they are needed."""

    __slots__ = ("file", "row")

    def __init__(self, row: int, low: int, high: int, file: RowReader) -> None:
        dtype = "uint8" if high < 2**8 else "uint16" if high < 2**16 else "uint32"
        super().__init__(b"", dtype, file.side, low, high)
        self.row = row
        self.file = file

    @property
    def data(self) -> bytes:
        """The compressed ids. Raises ``ProjectError`` when they are damaged."""
        import zstandard

        digest, data = self.file.packed(self.row)
        size = self.side * self.side * np.dtype(self.dtype).itemsize
        if digest_of(data) != digest or zstandard.frame_content_size(data) != size:
            raise ProjectError("A part of the project is damaged: `segdesk project recover` helps.")
        return data

    def __reduce__(self) -> Any:
        """Go to another process with the bytes."""
        return PackedTile, (self.data, self.dtype, self.side, self.low, self.high)

    @property
    def nbytes(self) -> int:
        """Memory that it takes: its bytes are elsewhere."""
        return 160


def digest_of(data: bytes) -> bytes:
    """Return what stands for some bytes."""
    return blake2b(data, digest_size=16).digest()


class RowWriter:
    """Writes tiles and prompts that are not there yet; gives the numbers by which to refer to them.

    A tile is referred to by the id of all its pixels, or by minus the id of its row.
    """

    def __init__(self, db: sqlite3.Connection, file: RowReader) -> None:
        self.db = db
        self._file = file
        self._tiles: WeakKeyDictionary[PackedTile, int] = WeakKeyDictionary()
        self._prompts: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._provenance: dict[Provenance, int] = {}

    def forget(self) -> None:
        """Forget what was written since the last commit: it was rolled back."""
        self._tiles.clear()
        self._prompts.clear()
        self._provenance.clear()

    def tile(self, tile: AtRest) -> int:
        """Return the reference to a tile."""
        if isinstance(tile, int):
            return tile
        if isinstance(tile, StoredTile) and tile.file is self._file:
            return -tile.row
        row = self._tiles.get(tile)
        if row is None:
            data = tile.data
            about = (tile.side, tile.dtype, tile.low, tile.high, data)
            row = self._tiles[tile] = self._row("ids", digest_of(data), about)
        return -row

    def tiles(self, tiles: Iterable[AtRest]) -> NDArray[np.int64]:
        """Return the references to some tiles."""
        return np.array([self.tile(tile) for tile in tiles], np.int64)

    def prompts(self, prompts: Iterable[Prompt]) -> list[int]:
        """Return the rows of some prompts."""
        return [self._prompt(prompt) for prompt in prompts]

    def provenance(self, provenance: Provenance) -> int:
        """Return the row of a provenance."""
        row = self._provenance.get(provenance)
        if row is None:
            text = text_of(provenance)
            found = self.db.execute("SELECT id FROM provenance WHERE data = ?", (text,)).fetchone()
            row = self._provenance[provenance] = found[0] if found else self._next("provenance")
            if not found:
                put(self.db, "provenance", [(row, text)])
        return row

    def _prompt(self, prompt: Prompt) -> int:
        row = self._prompts.get(prompt)
        if row is None:
            data = pack([type(prompt).__name__, prompt])
            row = self._prompts[prompt] = self._row("prompt", digest_of(data), (data,))
        return row

    def _row(self, table: str, digest: bytes, about: tuple[Any, ...]) -> int:
        found = self.db.execute(f"SELECT id FROM {table} WHERE digest = ?", (digest,)).fetchone()
        if found:
            return int(found[0])
        row = self._next(table)
        put(self.db, table, [(row, digest, *about)])
        return row

    def _next(self, table: str) -> int:
        return int(self.db.execute(f"SELECT ifnull(max(id), 0) + 1 FROM {table}").fetchone()[0])


class RowReader:
    """Reads tiles and prompts when they are needed; any thread may ask."""

    def __init__(self, db: sqlite3.Connection, side: int) -> None:
        self._db = db
        self._lock = Lock()
        self._prompts: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._provenance: dict[int, Provenance] = {}
        self.side = side

    def replace(self, db: sqlite3.Connection) -> None:
        """Go on with another file that has the same rows."""
        with self._lock:
            old, self._db = self._db, db
        old.close()

    def copy_to(self, path: Path) -> None:
        """Copy the file as it is now. Raises ``OSError``, ``sqlite3.Error``."""
        with self._lock:
            copy(self._db, path)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._db.close()

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Raises ``ProjectError``."""
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise ProjectError(f"The project cannot be read ({error}).") from error

    def stored(self, reference: int, low: int, high: int) -> AtRest:
        """Return the tile that a reference stands for."""
        if reference >= 0:
            return reference
        return StoredTile(-reference, low, high, self)

    def tiles(self, references: NDArray[Any]) -> list[AtRest]:
        """Return the tiles that some references stand for. Raises ``ProjectError``."""
        return [self.tile(int(reference)) for reference in references]

    def tile(self, reference: int) -> AtRest:
        """Return the tile that one reference stands for. Raises ``ProjectError``."""
        if reference >= 0:
            return reference
        found = self.rows("SELECT low, high FROM ids WHERE id = ?", (-reference,))
        if not found:
            raise ProjectError("A tile of the project is missing.")
        return self.stored(reference, *found[0])

    def prompt(self, row: int) -> Prompt:
        """Return a prompt, the same object each time. Raises ``ProjectError``."""
        prompt: Prompt | None = self._prompts.get(row)
        if prompt is None:
            found = self.rows("SELECT data FROM prompt WHERE id = ?", (row,))
            if not found:
                raise ProjectError("A prompt of the project is missing.")
            prompt = self._prompts[row] = prompt_of(found[0][0])
        return prompt

    def provenance(self, row: int) -> Provenance:
        """Return a provenance. Raises ``ProjectError``."""
        if row not in self._provenance:
            found = self.rows("SELECT data FROM provenance WHERE id = ?", (row,))
            if not found:
                raise ProjectError("A provenance of the project is missing.")
            self._provenance[row] = record_of(Provenance, found[0][0])
        return self._provenance[row]

    def packed(self, row: int) -> tuple[bytes, bytes]:
        """Return the digest and the compressed ids of a tile. Raises ``ProjectError``."""
        found = self.rows("SELECT digest, data FROM ids WHERE id = ?", (row,))
        if not found:
            raise ProjectError("A tile of the project is missing.")
        return found[0][0], found[0][1]


def prompt_of(data: bytes) -> Prompt:
    """Return the prompt that some bytes hold. Raises ``ProjectError``."""
    match unpack(data):
        case [str(kind), dict(values)] if kind in _KINDS:
            prompt: Prompt = typed(_KINDS[kind], values)
            return prompt
    raise ProjectError("a prompt is damaged (it is of no known kind).")
