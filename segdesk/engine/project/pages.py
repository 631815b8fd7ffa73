"""Rows from the pages of a damaged database, each page by itself.

No table, index or list of free pages is followed: every page that looks like one with rows is read,
and the checksum in each row says whether it is whole, and of which table. Only the pages on which a
long row goes on are looked up. See https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from segdesk.engine.project.files import WAL
from segdesk.engine.project.schema import checksum, columns

_TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER, _TABLE_INNER = 0x0D, 0x0A, 0x02, 0x05
_FRAME_HEAD, _WAL_HEAD = 24, 32
_LONGEST = 2**30  # bytes of a row
_WIDTHS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes of whole numbers by their serial type

Row = tuple[Any, ...]


class Pages:
    """The pages of a database file, the newest committed version of each.

    Attributes
    ----------
    expected
        How many pages the file had; 0 where its first page does not say.
    unreadable
        Pages that hold nothing that can be understood, once all rows were read.
    damaged_rows
        Rows that are not whole, once all rows were read.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            is_empty = not file.read(1)
            self._data = b"" if is_empty else mmap(file.fileno(), 0, access=ACCESS_READ)
        self._size = _page_size(self._data)
        self._newer = self._from_wal(path.with_name(path.name + WAL))
        first = self.page(1)
        is_head = first.startswith(b"SQLite format 3\0")
        self.expected = int.from_bytes(first[28:32], "big") if is_head else 0
        self._free = int.from_bytes(first[36:40], "big") if is_head else 0
        self._continued: set[int] = set()
        self.unreadable = self.damaged_rows = 0

    @property
    def count(self) -> int:
        """How many pages there are."""
        return max(-(-len(self._data) // self._size), *self._newer, 0)

    def page(self, number: int) -> bytes:
        """Return a page; it may be cut off."""
        start = (number - 1) * self._size
        return self._newer.get(number) or self._data[start : start + self._size]

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Yield (table, row) for every row that is whole, in any order; its checksum comes last."""
        by_width: dict[int, list[str]] = {}
        for table, names in columns().items():
            by_width.setdefault(len(names), []).append(table)
        odd: set[int] = set()
        for number in range(1, self.count + 1):
            is_known = False
            for row in self._rows_of(number):
                is_known = True
                table = _table_of(row, by_width.get(len(row), []))
                if table:
                    yield table, row
                elif len(row) in by_width and row[0] not in ("table", "index"):  # the schema
                    self.damaged_rows += 1
            if not is_known and not self._is_inner(number):
                odd.add(number)
        self.unreadable = max(0, len(odd - self._continued) - self._free)

    def _is_inner(self, number: int) -> bool:
        """Say whether a page only leads to others, or is an empty table."""
        page = self.page(number)[100 if number == 1 else 0 :]
        kinds = (_TABLE_INNER, _TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER)
        return page[:1] == bytes([_TABLE_INNER]) or (
            page[:1] in [bytes([kind]) for kind in kinds] and page[3:5] == b"\0\0"
        )

    def _rows_of(self, number: int) -> Iterator[Row]:
        page, head = self.page(number), 100 if number == 1 else 0
        kind = page[head] if len(page) > head + 8 else 0
        if kind not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER):
            return
        start = head + (12 if kind == _INDEX_INNER else 8)
        cells = int.from_bytes(page[head + 3 : head + 5], "big")
        for at in range(start, min(start + 2 * cells, len(page) - 1), 2):
            try:
                yield self._row(page, int.from_bytes(page[at : at + 2], "big"), kind)
            except (IndexError, ValueError, struct.error):
                self.damaged_rows += 1

    def _row(self, page: bytes, at: int, kind: int) -> Row:
        at += 4 if kind == _INDEX_INNER else 0
        length, at = _varint(page, at)
        rowid: int | None = None
        if kind == _TABLE_LEAF:
            rowid, at = _varint(page, at)
        values = _values(self._payload(page, at, length, kind == _TABLE_LEAF))
        if rowid is not None and values and values[0] is None:
            values[0] = rowid  # a whole number that is the key is kept only there
        return tuple(values)

    def _payload(self, page: bytes, at: int, length: int, is_table: bool) -> bytes:
        usable = self._size
        most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
        if length > _LONGEST:
            raise ValueError("too long")
        if length <= most:
            return _cut(page, at, length)
        least = (usable - 12) * 32 // 255 - 23
        local = least + (length - least) % (usable - 4)
        local = local if local <= most else least
        parts, left = [_cut(page, at, local)], length - local
        following = int.from_bytes(_cut(page, at + local, 4), "big")
        while left > 0:
            if not 0 < following <= self.count:
                raise ValueError("the rest is missing")
            self._continued.add(following)
            rest = self.page(following)
            parts.append(_cut(rest, 4, min(left, usable - 4)))
            left -= usable - 4
            following = int.from_bytes(rest[:4], "big")
        return b"".join(parts)

    def _from_wal(self, path: Path) -> dict[int, bytes]:
        """Return the pages that were committed, and not yet moved into the file itself."""
        pages: dict[int, bytes] = {}
        with suppress(OSError):
            wal = path.read_bytes()
            salt, waiting = wal[16:24], dict[int, bytes]()
            step = _FRAME_HEAD + self._size
            for at in range(_WAL_HEAD, len(wal) - step + 1, step):
                number, commit = struct.unpack_from(">II", wal, at)
                if wal[at + 8 : at + 16] != salt:
                    break  # left from an earlier round
                waiting[number] = wal[at + _FRAME_HEAD : at + step]
                if commit:
                    pages |= waiting
                    waiting.clear()
        return pages


def _page_size(data: bytes | mmap) -> int:
    size = int.from_bytes(data[16:18], "big")
    size = 65536 if size == 1 else size
    return size if size in [2**n for n in range(9, 17)] else 4096


def _table_of(row: Row, tables: list[str]) -> str:
    """Return the table that a whole row belongs to; empty when it is not whole."""
    return next((table for table in tables if checksum(table, row[:-1]) == row[-1]), "")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for n in range(9):
        byte = data[at + n]
        if n == 8:
            value = value << 8 | byte
            break
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return value - 2**64 if value >= 2**63 else value, at + n + 1


def _values(payload: bytes) -> list[Any]:
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (0, 8, 9):
        return (None if kind == 0 else kind - 8), at
    if kind == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    if kind in _WIDTHS:
        data = _cut(payload, at, _WIDTHS[kind])
        return int.from_bytes(data, "big", signed=True), at + len(data)
    if kind < 12:
        raise ValueError("an unknown kind of value")
    data = _cut(payload, at, (kind - 12) // 2)
    return (data.decode() if kind % 2 else data), at + len(data)


def _cut(data: bytes, at: int, length: int) -> bytes:
    part = data[at : at + length]
    if length < 0 or len(part) < length:
        raise ValueError("cut off")
    return part
