"""Decodes the strips or tiles of a TIFF page that a window touches, and no others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.api import ImageError, Pixels, Window

_KEPT = 128 * 2**20  # bytes of decoded segments
_LARGEST = 900 * 2**20  # bytes of one decoded segment
_AT_ONCE = 16 * 2**20  # bytes read from the file at once


@dataclass(frozen=True)
class Grid:
    """How a page is cut into segments: tiles, or strips as wide as the page."""

    width: int  # of the page
    height: int
    across: int  # pixels of a segment
    down: int
    separate: int  # planes of samples stored one after the other
    together: int  # samples stored pixel by pixel

    @classmethod
    def of(cls, page: Any) -> Grid:
        """Read it off a keyframe."""
        separate, _, height, width, together = page.shaped
        down = page.tilelength if page.is_tiled else min(page.rowsperstrip, height)
        across = page.tilewidth if page.is_tiled else width
        return cls(width, height, across, down, separate, together)

    @property
    def count(self) -> int:
        """Number of segments of the page."""
        return self.separate * -(-self.width // self.across) * -(-self.height // self.down)

    def touched(self, window: Window) -> Iterator[tuple[int, int, int, int]]:
        """Yield (index, plane, x, y) of each segment that a window touches."""
        columns, rows = -(-self.width // self.across), -(-self.height // self.down)
        for plane in range(self.separate):
            for row in range(window.y // self.down, -(-window.bottom // self.down)):
                for column in range(window.x // self.across, -(-window.right // self.across)):
                    index = (plane * rows + row) * columns + column
                    yield index, plane, column * self.across, row * self.down


class SegmentReader:
    """Reads windows of pages; may be called from any thread.

    Parameters
    ----------
    path
        The file, for messages.
    file
        tifffile's handle of it.
    """

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file
        self._size = file.size
        self.lock = Lock()  # hold it to use the file otherwise
        self._cache_lock = Lock()
        self._cache: OrderedDict[tuple[int, int], Pixels] = OrderedDict()
        self._cached = 0

    def check(self, page: Any) -> None:
        """Raise ``ImageError`` when a page points outside the file or has too few segments."""
        if _is_plain(page):
            self._check_range(int(page.dataoffsets[0]), page.keyframe.nbytes)
            return
        grid = Grid.of(page.keyframe)
        if len(page.dataoffsets) < grid.count or len(page.databytecounts) < grid.count:
            raise self._cut_short()
        ends = np.add(page.dataoffsets, page.databytecounts, dtype=np.float64)
        if float(ends.max()) > self._size:
            raise self._cut_short()

    def read(self, page: Any, window: Window, out: Pixels, shift: int = 0) -> None:
        """Fill ``out`` (rows, columns, samples) with a window; what is not stored stays as it is.

        Parameters
        ----------
        page
            tifffile's page.
        window
            Pixels of the page, as stored.
        out
            Where they go.
        shift
            Bytes from the page's own pixels to those of a further plane that follows it.
        """
        grid = Grid.of(page.keyframe)
        if _is_plain(page):
            self._read_plain(page, grid, window, out, shift)
            return
        for index, plane, x, y in grid.touched(window):
            segment = self._segment(page, grid, index)
            if segment is None:
                continue
            stored = Window(x, y, segment.shape[1], segment.shape[0])
            part = stored.intersection(window)
            samples = slice(plane * grid.together, (plane + 1) * grid.together)
            target = (*part.shifted(-window.x, -window.y).slices, samples)
            out[target] = segment[part.shifted(-x, -y).slices]

    def _read_plain(self, page: Any, grid: Grid, window: Window, out: Pixels, shift: int) -> None:
        """Read pixels that lie in the file row by row as they are."""
        key = page.keyframe
        dtype = np.dtype(key.dtype).newbyteorder(key.parent.byteorder)
        pixel = grid.together * dtype.itemsize
        is_narrow = 4 * window.width < grid.width  # then rows are read one by one, in part
        x, columns = (window.x, window.width) if is_narrow else (0, grid.width)
        step = 1 if is_narrow else max(1, _AT_ONCE // (columns * pixel))
        for plane in range(grid.separate):
            samples = slice(plane * grid.together, (plane + 1) * grid.together)
            for y in range(window.y, window.bottom, step):
                rows = min(step, window.bottom - y)
                first = ((plane * grid.height + y) * grid.width + x) * pixel
                offset = int(page.dataoffsets[0]) + shift + first
                data = self._bytes(offset, rows * columns * pixel)
                block = np.frombuffer(data, dtype).reshape(rows, columns, grid.together)
                inside = block[:, window.x - x : window.right - x]
                out[y - window.y : y - window.y + rows, :, samples] = inside

    def _segment(self, page: Any, grid: Grid, index: int) -> Pixels | None:
        """Return a decoded segment (rows, columns, samples); None where nothing is stored."""
        if index >= len(page.dataoffsets) or index >= len(page.databytecounts):
            raise self._cut_short()
        count = int(page.databytecounts[index])
        if count == 0:
            return None
        name = (int(page.dataoffsets[index]), index)
        with self._cache_lock:
            if name in self._cache:
                self._cache.move_to_end(name)
                return self._cache[name]
        self._check_segment(grid, page.keyframe.dtype)
        data = self._bytes(name[0], count)
        tables = {"jpegtables": page.jpegtables, "jpegheader": page.keyframe.jpegheader}
        segment: Pixels = page.keyframe.decode(data, index, **tables)[0][0]
        self._keep(name, segment)
        return segment

    def _keep(self, name: tuple[int, int], segment: NDArray[Any]) -> None:
        with self._cache_lock:
            if name not in self._cache:
                self._cache[name] = segment
                self._cached += segment.nbytes
            while self._cached > _KEPT and len(self._cache) > 1:
                self._cached -= self._cache.popitem(last=False)[1].nbytes

    def _check_segment(self, grid: Grid, dtype: Any) -> None:
        needed = grid.across * grid.down * grid.together * np.dtype(dtype).itemsize
        if needed > _LARGEST:
            raise ImageError(
                f"{self._path}: it is stored in pieces of {needed / 2**30:.1f} GiB; "
                f"the limit is {_LARGEST / 2**30:.1f} GiB. Convert it to a tiled TIFF."
            )

    def _bytes(self, offset: int, count: int) -> bytes:
        self._check_range(offset, count)
        with self.lock:
            self._file.seek(offset)
            data: bytes = self._file.read(count)
        if len(data) < count:
            raise self._cut_short()
        return data

    def _check_range(self, offset: int, count: int) -> None:
        if offset + count > self._size:
            raise self._cut_short()

    def _cut_short(self) -> ImageError:
        return ImageError(f"{self._path}: the file is cut short; its pixels are not all there.")


def _is_plain(page: Any) -> bool:
    """Tell whether pixels lie in the file row by row, not compressed, ready to be copied."""
    key = page.keyframe
    if not key.is_final or not page.databytecounts or page.databytecounts[0] == 0:
        return False
    if len(page.dataoffsets) == 1:
        return True
    # tifffile looks at the first page of a series only
    ends = np.add(page.dataoffsets, page.databytecounts)
    return sum(page.databytecounts) == key.nbytes and bool(
        (ends[:-1] == np.asarray(page.dataoffsets)[1:]).all()
    )
