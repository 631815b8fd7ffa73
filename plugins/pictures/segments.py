"""Decodes the strips or tiles of a TIFF page that a window touches, and no others."""

from __future__ import annotations

import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from segdesk_plugins.pictures.stored_page import Segment, StoredPage

from segdesk.api import ImageError, Pixels, Window

_KEPT = 64 * 2**20  # bytes of decoded segments
_LARGEST = 900 * 2**20  # bytes of one decoded segment
_AT_ONCE = 16 * 2**20  # bytes read from the file at once
_PAYS = 16  # segments to decode, from which on it is worth to start threads
_THREADS = min(4, os.cpu_count() or 1)


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
        self.lock = Lock()  # hold it to use the file or tifffile's pages
        self._cache_lock = Lock()
        self._cache: OrderedDict[tuple[int, int], Pixels] = OrderedDict()
        self._cached = 0

    def check(self, page: StoredPage) -> None:
        """Raise ``ImageError`` when a page points outside the file or has too few segments."""
        if page.is_plain:
            self._check_range(int(page.offsets[0]), page.nbytes)
            return
        if min(len(page.offsets), len(page.counts)) < page.grid.count:
            raise self._cut_short()
        last = int((page.offsets + page.counts).argmax())
        self._check_range(int(page.offsets[last]), int(page.counts[last]))

    def read(self, page: StoredPage, window: Window, out: Pixels) -> None:
        """Fill ``out`` (rows, columns, samples) with a window; what is not stored stays as it is.

        Parameters
        ----------
        page
            Where the pixels are.
        window
            Pixels of the page, as stored.
        out
            Where they go.
        """
        if page.is_plain:
            self._read_plain(page, window, out)
            return
        touched = list(page.grid.touched(window))
        new = [segment for segment in touched if _name(page, segment) not in self._cache]
        place = partial(self._place, page, window, out)
        if len(new) < _PAYS:
            for segment in touched:
                place(segment)
            return
        with ThreadPoolExecutor(_THREADS) as pool:  # decoders let other threads run
            for _ in pool.map(place, touched):
                pass

    def _read_plain(self, page: StoredPage, window: Window, out: Pixels) -> None:
        grid = page.grid
        pixel = grid.together * page.dtype.itemsize
        is_narrow = 16 * window.width < grid.width  # then rows are read one by one, in part
        x, columns = (window.x, window.width) if is_narrow else (0, grid.width)
        step = 1 if is_narrow else max(1, _AT_ONCE // (columns * pixel))
        for plane in range(grid.separate):
            for y in range(window.y, window.bottom, step):
                rows = min(step, window.bottom - y)
                first = ((plane * grid.height + y) * grid.width + x) * pixel
                data = self._bytes(int(page.offsets[0]) + first, rows * columns * pixel)
                block = np.frombuffer(data, page.dtype).reshape(rows, columns, grid.together)
                inside = block[:, window.x - x : window.right - x]
                out[y - window.y : y - window.y + rows, :, grid.samples(plane)] = inside

    def _place(self, page: StoredPage, window: Window, out: Pixels, segment: Segment) -> None:
        """Copy the part of a segment that lies in a window."""
        pixels = self._decoded(page, segment)
        if pixels is None:
            return
        part = Window(segment.x, segment.y, pixels.shape[1], pixels.shape[0]).intersection(window)
        target = part.shifted(-window.x, -window.y).slices
        source = part.shifted(-segment.x, -segment.y).slices
        out[(*target, page.grid.samples(segment.plane))] = pixels[source]

    def _decoded(self, page: StoredPage, segment: Segment) -> Pixels | None:
        """Return a segment (rows, columns, samples); None where nothing is stored."""
        count = int(page.counts[segment.index])
        if count == 0:
            return None
        name = _name(page, segment)
        with self._cache_lock:
            if name in self._cache:
                self._cache.move_to_end(name)
                return self._cache[name]
        self._check_segment(page)
        data = self._bytes(name[0], count)
        pixels: Pixels = page.decode(data, segment.index, **page.tables)[0][0]
        self._keep(name, pixels)
        return pixels

    def _keep(self, name: tuple[int, int], pixels: Pixels) -> None:
        with self._cache_lock:
            if name not in self._cache:
                self._cache[name] = pixels
                self._cached += pixels.nbytes
            while self._cached > _KEPT and len(self._cache) > 1:
                self._cached -= self._cache.popitem(last=False)[1].nbytes

    def _check_segment(self, page: StoredPage) -> None:
        grid = page.grid
        needed = grid.across * grid.down * grid.together * page.dtype.itemsize
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


def _name(page: StoredPage, segment: Segment) -> tuple[int, int]:
    return int(page.offsets[segment.index]), segment.index
