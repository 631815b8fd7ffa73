"""The tiled label map: memory follows what is painted, not the size of the image.

A tile is TILE x TILE segment ids. One that holds a single id is kept as that number; the others
are arrays of the smallest unsigned type that fits, shared between snapshots until written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window

TILE = 256

Ids = NDArray[np.int32]
Tile = int | NDArray[Any]  # a uniform tile, or a read-only (TILE, TILE) array of uint8/16/32
TileIndex = tuple[int, int]  # (tile column, tile row)


class LabelMap:
    """Segment ids of an image of ``width`` x ``height`` pixels; 0 is nothing.

    Values are 0 to 2**31 - 1. Not thread-safe while written to; ``snapshot`` gives a copy that
    another thread may read.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._tiles: dict[TileIndex, Tile] = {}
        self._owned: set[TileIndex] = set()  # tiles no snapshot or journal shares
        self._journal: dict[TileIndex, Tile] | None = None
        self._overviews: dict[int, LabelMap] = {}
        self._stale: dict[int, set[TileIndex]] = {}  # overview tiles to make anew

    @classmethod
    def of_array(cls, ids: NDArray[Any]) -> LabelMap:
        """Return a label map that holds a (rows, columns) array of ids."""
        labels = cls(ids.shape[1], ids.shape[0])
        labels.write(labels.window, ids)
        return labels

    @property
    def window(self) -> Window:
        """The whole map."""
        return Window(0, 0, self.width, self.height)

    @property
    def nbytes(self) -> int:
        """Bytes of all tiles that are not uniform."""
        return sum(tile.nbytes for tile in self._tiles.values() if not isinstance(tile, int))

    def tile(self, index: TileIndex) -> Tile:
        """Return one tile as it is kept; never write to it."""
        return self._tiles.get(index, 0)

    def tiles(self) -> Iterator[tuple[TileIndex, Tile]]:
        """Yield every tile that was ever written to and holds more than zeros."""
        yield from self._tiles.items()

    def tile_window(self, index: TileIndex) -> Window:
        """Return the part of a tile that lies in the map."""
        return Window(index[0] * TILE, index[1] * TILE, TILE, TILE).intersection(self.window)

    def read(self, window: Window, level: int = 0) -> Ids:
        """Return the (rows, columns) int32 ids of a window, in pixels of that level.

        Level n is the map at every 2**n-th pixel. What lies outside the map is 0.
        """
        if level:
            return self._overview(level, window).read(window)
        ids = np.zeros(window.shape, np.int32)
        for index in window.intersection(self.window).tiles(TILE):
            tile = self._tiles.get(index, 0)
            if isinstance(tile, int) and tile == 0:
                continue
            part = self.tile_window(index).intersection(window)
            target = part.shifted(-window.x, -window.y).slices
            ids[target] = tile if isinstance(tile, int) else tile[_inside(part, index)]
        return ids

    def at(self, x: int, y: int) -> int:
        """Return the id of one pixel; 0 outside."""
        tile = self._tiles.get((x // TILE, y // TILE), 0)
        return tile if isinstance(tile, int) else int(tile[y % TILE, x % TILE])

    def write(
        self, window: Window, ids: NDArray[Any] | int, where: NDArray[np.bool_] | None = None
    ) -> None:
        """Set a window to ids, a number or an array of its shape; only `where` is true.

        Pixels outside the map are left out. Tiles in which nothing changes stay shared.
        """
        for index in window.intersection(self.window).tiles(TILE):
            part = self.tile_window(index).intersection(window)
            source = part.shifted(-window.x, -window.y).slices
            mask = None if where is None else where[source]
            new = ids if isinstance(ids, int) else ids[source]
            self._write_part(index, part, new, mask)

    def set_tile(self, index: TileIndex, tile: Tile) -> None:
        """Put a whole tile in place, as ``tile`` gave it."""
        self._remember(index)
        self._put(index, tile)

    def snapshot(self) -> LabelMap:
        """Return a copy that shares all tiles until one of the two is written to."""
        copy = LabelMap(self.width, self.height)
        copy._tiles = self._tiles.copy()
        self._owned.clear()
        return copy

    def begin(self) -> None:
        """Start to remember the tiles as they were."""
        self._journal = {}

    def commit(self) -> dict[TileIndex, Tile]:
        """Stop to remember; return the old tiles of all that changed since ``begin``."""
        journal, self._journal = self._journal or {}, None
        for index in journal:
            self._settle(index)
        return {
            index: tile for index, tile in journal.items() if not _equal(tile, self.tile(index))
        }

    def roll_back(self) -> set[TileIndex]:
        """Stop to remember and put everything back as it was at ``begin``."""
        journal, self._journal = self._journal or {}, None
        for index, tile in journal.items():
            self._put(index, tile)
        return set(journal)

    def windows_of(self, segment: int) -> Iterator[Window]:
        """Yield the window of every tile that holds a segment."""
        for index, tile in self._tiles.items():
            if tile == segment if isinstance(tile, int) else bool((tile == segment).any()):
                yield self.tile_window(index)

    def areas(self, indices: Iterable[TileIndex] | None = None) -> dict[int, int]:
        """Return the number of pixels of each id but 0, in all tiles or in some."""
        areas: dict[int, int] = {}
        for index in self._tiles if indices is None else indices:
            for segment, count in tile_areas(self.tile(index), self.tile_window(index)).items():
                areas[segment] = areas.get(segment, 0) + count
        return areas

    def _write_part(
        self, index: TileIndex, part: Window, new: Any, mask: NDArray[np.bool_] | None
    ) -> None:
        if mask is not None:
            if not mask.any():
                return
            mask = None if mask.all() else mask
        highest = int(new if isinstance(new, int) else new.max())
        if mask is None and part == self.tile_window(index) and _is_uniform(new):
            self._remember(index)
            self._put(index, highest)
            return
        tile = self._writable(index, highest)
        view = tile[_inside(part, index)]
        if mask is None:
            view[...] = new
        else:
            np.copyto(view, new, where=mask, casting="unsafe")
        self._touch(index)

    def _writable(self, index: TileIndex, highest: int) -> NDArray[Any]:
        """Return the tile as an array of this map's own that can hold ``highest``."""
        self._remember(index)
        tile = self._tiles.get(index, 0)
        if isinstance(tile, int):
            tile = np.full((TILE, TILE), tile, _dtype_for(max(highest, tile)))
        elif highest > np.iinfo(tile.dtype).max:
            tile = tile.astype(_dtype_for(highest))
        elif index not in self._owned:
            tile = tile.copy()
        self._owned.add(index)
        self._tiles[index] = tile
        return tile

    def _remember(self, index: TileIndex) -> None:
        if self._journal is not None and index not in self._journal:
            self._journal[index] = self.tile(index)
            self._owned.discard(index)

    def _put(self, index: TileIndex, tile: Tile) -> None:
        self._owned.discard(index)
        if isinstance(tile, int) and tile == 0:
            self._tiles.pop(index, None)
        else:
            self._tiles[index] = tile
        self._touch(index)

    def _settle(self, index: TileIndex) -> None:
        """Keep a tile that has become uniform as a number."""
        tile = self.tile(index)
        if not isinstance(tile, int):
            inside = tile[_inside(self.tile_window(index), index)]
            if _is_uniform(inside):
                self._put(index, int(inside.flat[0]))

    def _touch(self, index: TileIndex) -> None:
        for level, stale in self._stale.items():
            stale.add((index[0] >> level, index[1] >> level))

    def _overview(self, level: int, window: Window) -> LabelMap:
        """Return the map at every 2**level-th pixel, up to date inside the window."""
        overview = self._overviews.get(level)
        if overview is None:
            overview = LabelMap(-(-self.width >> level), -(-self.height >> level))
            self._overviews[level] = overview
            self._stale[level] = {(x >> level, y >> level) for x, y in self._tiles}
        stale = self._stale[level]
        for index in [i for i in window.tiles(TILE) if i in stale]:
            stale.discard(index)
            self._make_overview_tile(overview, index, level)
        return overview

    def _make_overview_tile(self, overview: LabelMap, index: TileIndex, level: int) -> None:
        step = 1 << level
        for index0 in Window(index[0] << level, index[1] << level, step, step).tiles(1):
            tile, inside = self.tile(index0), self.tile_window(index0)
            if not inside:
                continue
            first = Window(-(-inside.x >> level), -(-inside.y >> level), 0, 0)
            part = Window(
                first.x,
                first.y,
                -(-inside.right >> level) - first.x,
                -(-inside.bottom >> level) - first.y,
            )
            if isinstance(tile, int):
                overview.write(part, tile)
            else:
                rows, columns = _inside(inside, index0)
                offset = (-inside.y) % step, (-inside.x) % step
                overview.write(
                    part,
                    tile[
                        rows.start + offset[0] : rows.stop : step,
                        columns.start + offset[1] : columns.stop : step,
                    ],
                )


def tile_areas(tile: Tile, inside: Window) -> dict[int, int]:
    """Return the number of pixels of each id but 0 in the part of a tile that is in the map."""
    if isinstance(tile, int):
        return {tile: inside.area} if tile else {}
    ids = tile[: inside.height, : inside.width]
    if tile.dtype == np.uint8:
        counts = np.bincount(ids.ravel(), minlength=1)
        return {int(i): int(counts[i]) for i in counts.nonzero()[0] if i}
    values, counts = np.unique(ids, return_counts=True)
    return {int(i): int(n) for i, n in zip(values, counts, strict=True) if i}


def _inside(part: Window, index: TileIndex) -> tuple[slice, slice]:
    return part.shifted(-index[0] * TILE, -index[1] * TILE).slices


def _is_uniform(new: Any) -> bool:
    return isinstance(new, int) or bool((new == new.flat[0]).all())


def _dtype_for(highest: int) -> Any:
    return np.min_scalar_type(max(0, highest))


def _equal(a: Tile, b: Tile) -> bool:
    if isinstance(a, int) or isinstance(b, int):
        return isinstance(a, int) and isinstance(b, int) and a == b
    return a is b or np.array_equal(a, b)
