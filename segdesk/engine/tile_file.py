"""A file of compressed tiles: written once from front to back, then only read.

It begins with ``MAGIC``; the tiles follow, each a zstd frame with a checksum; then the index, a row
of five int64 for each tile (level, column, row, offset, bytes); then the length and CRC-32 of the
index and ``MAGIC`` again. Whatever is cut short or damaged is noticed.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from zlib import crc32

import numpy as np

from segdesk.core.image import Pixels

MAGIC = b"SegDesk tiles 1\n"
_END = struct.Struct("<qI16s")  # bytes of the index, its CRC-32, MAGIC
_ENTRY = 5  # int64 of the index for each tile

Place = tuple[int, int, int]  # level, column, row


class DamagedTiles(Exception):
    """A file of tiles that does not hold what was written to it."""


class TileFile:
    """Tiles by level, column and row; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        """Open a finished file. Raises ``DamagedTiles`` and ``OSError``."""
        self.path = path
        self._lock = Lock()
        self._file: BinaryIO = path.open("rb")
        try:
            self._index = self._read_index()
        except BaseException:
            self._file.close()
            raise

    @classmethod
    def create(cls, path: Path) -> TileFile:
        """Begin a new file, which ``finish`` completes. Raises ``OSError``."""
        made = cls.__new__(cls)
        made.path, made._lock, made._index = path, Lock(), {}
        made._file = path.open("x+b")
        made._file.write(MAGIC)
        return made

    def __contains__(self, place: Place) -> bool:
        return place in self._index

    @property
    def nbytes(self) -> int:
        """Bytes of all tiles written or found."""
        return sum(count for _, count in self._index.values())

    def put(self, place: Place, pixels: Pixels) -> int:
        """Append a tile; return its bytes in the file. Raises ``OSError``."""
        import zstandard

        compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
        data = compressor.compress(np.ascontiguousarray(pixels).data)
        with self._lock:
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(data)
            self._index[place] = offset, len(data)
        return len(data)

    def get(self, place: Place, dtype: str) -> Pixels:
        """Return a tile's values in one row. Raises ``DamagedTiles``."""
        import zstandard

        offset, count = self._index[place]
        try:
            with self._lock:
                self._file.seek(offset)
                data = self._file.read(count)
            values = zstandard.ZstdDecompressor().decompress(data)
            return np.frombuffer(values, dtype)
        except (OSError, ValueError, MemoryError, zstandard.ZstdError) as error:
            raise DamagedTiles(f"{self.path}: {error}") from error

    def finish(self, path: Path) -> None:
        """Write the index and move the file to where it belongs. Raises ``OSError``."""
        rows = [(*place, *where) for place, where in self._index.items()]
        index = np.array(rows, "<i8").reshape(-1, _ENTRY).tobytes()
        with self._lock:
            self._file.seek(0, os.SEEK_END)
            self._file.write(index + _END.pack(len(index), crc32(index), MAGIC))
            self._file.close()
            self.path.replace(path)
            self.path, self._file = path, path.open("rb")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    def discard(self) -> None:
        """Let go of the file and delete it."""
        with suppress(OSError):  # what a full disk has not taken yet
            self.close()
        with suppress(OSError):
            self.path.unlink()

    def _read_index(self) -> dict[Place, tuple[int, int]]:
        size = self._file.seek(0, os.SEEK_END)
        if size < len(MAGIC) + _END.size:
            raise DamagedTiles(f"{self.path}: too short")
        self._file.seek(size - _END.size)
        count, checksum, magic = _END.unpack(self._file.read(_END.size))
        if magic != MAGIC or not 0 <= count <= size - _END.size or count % (8 * _ENTRY):
            raise DamagedTiles(f"{self.path}: no index")
        self._file.seek(size - _END.size - count)
        index = self._file.read(count)
        if crc32(index) != checksum:
            raise DamagedTiles(f"{self.path}: the index is damaged")
        rows = np.frombuffer(index, "<i8").reshape(-1, _ENTRY).tolist()
        return {(level, column, row): (at, n) for level, column, row, at, n in rows}
