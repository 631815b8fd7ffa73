"""The tiled label map: memory follows what is painted, not the size of the image.

A tile is TILE x TILE segment ids. One that holds a single id is kept as that number; the others
are arrays of the smallest unsigned type that fits, shared between snapshots until written to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window

TILE = 256
HIGHEST_ID = 2**31 - 1

Ids = NDArray[np.int32]
Tile = int | NDArray[Any]  # a uniform tile, or a read-only (TILE, TILE) array of uint8/16/32
TileIndex = tuple[int, int]  # (tile column, tile row)


class LabelMap:
    """Segment ids of an image of ``width`` x ``height`` pixels; 0 is nothing.

    Values are 0 to ``HIGHEST_ID``. Not thread-safe while written to; ``snapshot`` gives a copy that
    another thread may read.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._tiles: dict[TileIndex, Tile] = {}
        self._owned: set[TileIndex] = set()  # tiles no snapshot or journal shares
        self._journal: dict[TileIndex, Tile] | None = None
        self._overviews: dict[int, LabelMap] = {}
        # By level: the tiles that an overview tile still has to take over.
        self._stale: dict[int, dict[TileIndex, set[TileIndex]]] = {}

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
        if not (0 <= x < self.width and 0 <= y < self.height):
            return 0
        tile = self.tile((x // TILE, y // TILE))
        return tile if isinstance(tile, int) else int(tile[y % TILE, x % TILE])

    def write(
        self, window: Window, ids: NDArray[Any] | int, where: NDArray[np.bool_] | None = None
    ) -> None:
        """Set a window to ids, a number or an array of its shape; only where ``where`` is true.

        Pixels outside the map are left out.
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
        assert self._journal is None, "the journal of a label map is already open"
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

    def windows_of_any(self, segments: AbstractSet[int]) -> Iterator[Window]:
        """Yield the window of every tile that holds at least one of some segments."""
        for index, tile in self._tiles.items():
            window = self.tile_window(index)
            if not segments.isdisjoint(tile_areas(tile, window)):
                yield window

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
        if isinstance(new, int) and _equal(new, self.tile(index)):
            return
        highest = int(new if isinstance(new, int) else new.max())
        if mask is None and part == self.tile_window(index) and _is_uniform(new):
            self.set_tile(index, highest)
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
        tile = self.tile(index)
        if isinstance(tile, int):
            inside, uniform = self.tile_window(index), tile
            tile = np.zeros((TILE, TILE), _dtype_for(max(highest, uniform)))
            tile[: inside.height, : inside.width] = uniform
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
                self._put(index, int(inside[0, 0]))

    def _touch(self, index: TileIndex) -> None:
        for level, stale in self._stale.items():
            stale.setdefault(_above(index, level), set()).add(index)

    def _overview(self, level: int, window: Window) -> LabelMap:
        """Return the map at every 2**level-th pixel, up to date inside the window."""
        if level not in self._overviews:
            size = Window(0, 0, self.width, self.height).at_level(level)
            self._overviews[level] = LabelMap(size.width, size.height)
            self._stale[level] = {}
            for index in self._tiles:
                self._stale[level].setdefault(_above(index, level), set()).add(index)
        overview, stale = self._overviews[level], self._stale[level]
        for above in window.intersection(overview.window).tiles(TILE):
            for index in stale.pop(above, ()):
                self._take_over(overview, index, level)
        return overview

    def _take_over(self, overview: LabelMap, index: TileIndex, level: int) -> None:
        """Write every 2**level-th pixel of a tile into an overview."""
        tile, inside, step = self.tile(index), self.tile_window(index), 1 << level
        x, y = -(-inside.x >> level), -(-inside.y >> level)
        part = Window(x, y, -(-inside.right >> level) - x, -(-inside.bottom >> level) - y)
        if isinstance(tile, int):
            overview.write(part, tile)
        else:
            overview.write(part, tile[: inside.height : step, : inside.width : step])


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


def map_ids(ids: NDArray[Any], new_id: Callable[[int], int]) -> Ids:
    """Return ids, each replaced by ``new_id`` of it, which is called once an id."""
    present = np.unique(ids, return_counts=True)[0]  # with counts it sorts, which is quicker
    new_ids = np.array([new_id(segment) for segment in present.tolist()], np.int32)
    replaced: Ids = new_ids[np.searchsorted(present, ids)]
    return replaced


def _above(index: TileIndex, level: int) -> TileIndex:
    return index[0] >> level, index[1] >> level


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
