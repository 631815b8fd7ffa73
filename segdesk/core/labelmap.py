"""The tiled label map: memory follows what is painted, not the size of the image.

A tile is TILE x TILE segment ids of one frame. At rest it is a number, where it holds a single id,
or packed; packed tiles are shared by snapshots, the history and the project file. Those that are
read or written are unpacked and kept so within a bound.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.ids import Ids, count_ids
from segdesk.core.overviews import Overviews
from segdesk.core.packed import AtRest, PackedTile
from segdesk.core.tile import (
    TILE,
    Delta,
    Tile,
    TileIndex,
    gained_areas,
    is_same_id,
    is_uniform,
    tile_areas,
    unpacked,
)

HIGHEST_ID = 2**31 - 1
UNPACKED = 32 * 2**20  # bytes of unpacked tiles that one label map keeps


class LabelMap:
    """Segment ids of ``frames`` planes of ``width`` x ``height`` pixels; 0 is nothing.

    Values are 0 to ``HIGHEST_ID``. For one thread; ``snapshot`` gives a copy for another. A packed
    tile that a damaged project file keeps raises ``ProjectError`` where it is read or written.

    Attributes
    ----------
    unreadable
        The tiles that ``seen`` could not read, and why.
    """

    def __init__(self, width: int, height: int, frames: int = 1) -> None:
        self.width = width
        self.height = height
        self.frames = frames
        self.unreadable: dict[TileIndex, SegdeskError] = {}
        self._rest: dict[TileIndex, AtRest] = {}  # of dirty tiles: as they were before
        self._arrays: OrderedDict[TileIndex, NDArray[Any]] = OrderedDict()
        self._dirty: set[TileIndex] = set()  # tiles whose array is newer than what is at rest
        self._owned: set[TileIndex] = set()  # dirty tiles that no snapshot or journal shares
        self._nbytes = 0  # of all arrays
        self._journal: dict[TileIndex, tuple[AtRest, Tile]] | None = None
        self._areas: dict[int, int] | None = None
        self._overviews = Overviews(self)

    @classmethod
    def of_array(cls, ids: NDArray[Any]) -> LabelMap:
        """Return a label map that holds a (rows, columns) array of ids."""
        labels = cls(ids.shape[1], ids.shape[0])
        labels.write(labels.window, ids)
        return labels

    def __getstate__(self) -> dict[str, Any]:
        for index in tuple(self._dirty):
            self._settle(index)
        names = ("width", "height", "frames", "_rest", "_areas")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        LabelMap.__init__(self, state["width"], state["height"], state["frames"])
        vars(self).update(state)

    # Reading.

    @property
    def window(self) -> Window:
        """The whole of a frame."""
        return Window(0, 0, self.width, self.height)

    @property
    def nbytes(self) -> int:
        """Bytes of all tiles that are not uniform."""
        packed = sum(tile.nbytes for tile in self._rest.values() if not isinstance(tile, int))
        return packed + sum(self._arrays[index].nbytes for index in self._dirty)

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Ids:
        """Return the (rows, columns) int32 ids of a window, in pixels of that level.

        Level n is the map at every 2**n-th pixel. What lies outside the map is 0.
        """
        if level:
            self.freshen(window, level, frame)
            return self.overview(level).read(window, 0, frame)
        return self._gathered(window, frame, self.tile)

    def look(self, window: Window, frame: int = 0) -> Ids:
        """Return what ``read`` does, for the eye: 0 on tiles that cannot be read."""
        return self._gathered(window, frame, self.seen)

    def _gathered(self, window: Window, frame: int, tile_at: Callable[[TileIndex], Tile]) -> Ids:
        ids = np.zeros(window.shape, np.int32)
        for column, row in window.intersection(self.window).tiles(TILE):
            index = column, row, frame
            tile = tile_at(index)
            if isinstance(tile, int) and tile == 0:
                continue
            part = self.tile_window(index).intersection(window)
            target = part.shifted(-window.x, -window.y).slices
            ids[target] = tile if isinstance(tile, int) else tile[_inside(part, index)]
        return ids

    def at(self, x: int, y: int, frame: int = 0) -> int:
        """Return the id of one pixel; 0 outside."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return 0
        tile = self.tile((x // TILE, y // TILE, frame))
        return tile if isinstance(tile, int) else int(tile[y % TILE, x % TILE])

    def overview(self, level: int) -> LabelMap:
        """Return the map at every 2**level-th pixel, as far as ``freshen`` has brought it."""
        return self._overviews.level(level)

    def freshen(self, window: Window, level: int, frame: int = 0, until: float = np.inf) -> bool:
        """Bring a window of a level up to date, but stop when ``perf_counter`` says ``until``.

        Returns whether all of the window, in pixels of that level, is up to date.
        """
        return self._overviews.freshen(window, level, frame, until)

    def lag(self, level: int) -> int:
        """Return how many tiles ``freshen`` would have to make for all of a level."""
        return self._overviews.lag(level)

    def begin_overviews(self) -> LabelMap:
        """Return a snapshot, to ``freshen`` in another thread for ``take_overviews``."""
        self._overviews.watch()
        return self.snapshot()

    def take_overviews(self, snapshot: LabelMap) -> None:
        """Take over what ``freshen`` has made of the snapshot that ``begin_overviews`` gave."""
        self._overviews.take(snapshot._overviews)
        self.unreadable |= snapshot.unreadable

    # Tiles.

    def tile(self, index: TileIndex) -> Tile:
        """Return one tile; never write to it."""
        array = self._arrays.get(index)
        if array is not None:
            self._arrays.move_to_end(index)
            return array
        rest = self._rest.get(index, 0)
        return rest if isinstance(rest, int) else self._keep(index, rest.unpack())

    def seen(self, index: TileIndex) -> Tile:
        """Return one tile for the eye: 0 for one that cannot be read, which is noted."""
        if index in self.unreadable:
            return 0
        try:
            return self.tile(index)
        except SegdeskError as error:
            self.unreadable[index] = error
            return 0

    def packed(self, index: TileIndex) -> AtRest:
        """Return one tile at rest."""
        if index in self._dirty:
            self._settle(index)
        return self._rest.get(index, 0)

    def fill(self, tiles: dict[TileIndex, AtRest]) -> None:
        """Take over all tiles of a map that was kept elsewhere; this one is empty and new."""
        self._rest.update(tiles)

    def put_packed(self, index: TileIndex, tile: AtRest) -> None:
        """Put a whole tile in place, as ``packed`` gave it."""
        self._remember(index)
        self._put(index, tile)

    def indices(self) -> tuple[TileIndex, ...]:
        """Return every tile that was ever written to and may hold more than zeros."""
        return tuple(self._rest)

    def indices_of(self, segments: AbstractSet[int]) -> Iterator[TileIndex]:
        """Yield every tile that holds at least one of some segments; it may then be written to."""
        in_order = sorted(segments)
        for index in self.indices():
            tile = self._arrays[index] if index in self._dirty else self._rest.get(index, 0)
            if isinstance(tile, int):
                is_there = tile in segments
            elif isinstance(tile, PackedTile):
                is_there = tile.holds_any(in_order)
            else:
                is_there = not segments.isdisjoint(count_ids(tile))
            if is_there:
                yield index

    def tiles(self) -> Iterator[tuple[TileIndex, Tile]]:
        """Yield all of ``indices`` with their tiles, which are unpacked for the moment only."""
        for index in self.indices():
            array = self._arrays.get(index)
            rest = self._rest.get(index, 0)
            yield index, array if array is not None else unpacked(rest)

    def tile_window(self, index: TileIndex) -> Window:
        """Return the part of a tile that lies in the map."""
        return Window(index[0] * TILE, index[1] * TILE, TILE, TILE).intersection(self.window)

    def areas(self) -> dict[int, int]:
        """Return the number of pixels of each id but 0, over all frames."""
        if self._areas is None:
            self._areas = {}
            for index, tile in self.tiles():
                for segment, count in tile_areas(tile, self.tile_window(index)).items():
                    self._areas[segment] = self._areas.get(segment, 0) + count
        return dict(self._areas)

    # Writing.

    def write(
        self,
        window: Window,
        ids: NDArray[Any] | int,
        where: NDArray[np.bool_] | None = None,
        frame: int = 0,
    ) -> None:
        """Set a window to ids, a number or an array of its shape; only where ``where`` is true.

        Pixels outside the map are left out. IndexError when there is no such frame.
        """
        if not 0 <= frame < self.frames:
            raise IndexError(f"frame {frame} of a label map of {self.frames}")
        for column, row in window.intersection(self.window).tiles(TILE):
            index = column, row, frame
            part = self.tile_window(index).intersection(window)
            source = part.shifted(-window.x, -window.y).slices
            mask = None if where is None else where[source]
            new = ids if isinstance(ids, int) else ids[source]
            self._write_part(index, part, new, mask)

    def snapshot(self) -> LabelMap:
        """Return a copy that shares all tiles until one of the two is written to."""
        copy = self.emptied()
        copy._rest, copy._areas = self._rest.copy(), self._areas
        copy._dirty = self._dirty.copy()
        copy._arrays.update((index, self._arrays[index]) for index in self._dirty)
        copy._nbytes = sum(array.nbytes for array in copy._arrays.values())
        self._owned.clear()
        return copy

    def emptied(self) -> LabelMap:
        """Return an empty map of the same size."""
        return LabelMap(self.width, self.height, self.frames)

    def of_frame(self, frame: int) -> LabelMap:
        """Return a copy of one frame, as a map of its own; tiles are shared."""
        copy = LabelMap(self.width, self.height)
        for column, row, _ in (index for index in self.indices() if index[2] == frame):
            copy.put_packed((column, row, 0), self.packed((column, row, frame)))
        return copy

    def as_frame(self, frame: int, frames: int) -> LabelMap:
        """Return a map of several frames that holds the first one of this as one of its own."""
        if frames == 1:
            return self
        whole = LabelMap(self.width, self.height, frames)
        for column, row, _ in (index for index in self.indices() if index[2] == 0):
            whole.put_packed((column, row, frame), self.packed((column, row, 0)))
        return whole

    def halved(self) -> LabelMap:
        """Return an empty map for every second pixel of this one."""
        return LabelMap(-(-self.width // 2), -(-self.height // 2), self.frames)

    def begin(self) -> None:
        """Start to remember the tiles as they were."""
        assert self._journal is None, "the journal of a label map is already open"
        self._journal = {}

    def commit(self) -> Delta:
        """Stop to remember; return what changed since ``begin``."""
        journal, self._journal = self._journal or {}, None
        delta = Delta()
        for index, (before, old) in journal.items():
            new = self.tile(index)
            gained = gained_areas(old, new, self.tile_window(index))
            if gained is None:
                self._put(index, before)
            else:
                delta.note(index, before, self.packed(index), gained)
        return delta

    def roll_back(self) -> set[TileIndex]:
        """Stop to remember and put everything back as it was at ``begin``."""
        journal, self._journal = self._journal or {}, None
        for index, (before, _) in journal.items():
            self._put(index, before)
        return set(journal)

    def _write_part(
        self, index: TileIndex, part: Window, new: Any, mask: NDArray[np.bool_] | None
    ) -> None:
        if mask is not None:
            if not mask.any():
                return
            mask = None if mask.all() else mask
        if isinstance(new, int) and is_same_id(new, self.tile(index)):
            return
        highest = int(new if isinstance(new, int) else new.max())
        if mask is None and part == self.tile_window(index) and is_uniform(new):
            self.put_packed(index, highest)
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
            tile = np.zeros((TILE, TILE), np.min_scalar_type(max(highest, uniform)))
            tile[: inside.height, : inside.width] = uniform
        elif highest > np.iinfo(tile.dtype).max:
            tile = tile.astype(np.min_scalar_type(highest))
        elif index not in self._owned:
            tile = tile.copy()
        self._rest.setdefault(index, 0)
        self._owned.add(index)
        self._dirty.add(index)
        self._keep(index, tile)
        return tile

    def _remember(self, index: TileIndex) -> None:
        if self._journal is not None and index not in self._journal:
            self._journal[index] = self.packed(index), self.tile(index)
            self._owned.discard(index)

    def _put(self, index: TileIndex, tile: AtRest) -> None:
        """Set what is at rest, and forget the array."""
        self._forget(index)
        self.unreadable.pop(index, None)
        if isinstance(tile, int) and tile == 0:
            self._rest.pop(index, None)
        else:
            self._rest[index] = tile
        self._touch(index)

    def _settle(self, index: TileIndex) -> None:
        """Bring a dirty tile to rest: as a number where it has become uniform, else packed."""
        array = self._arrays[index]
        inside = array[_inside(self.tile_window(index), index)]
        if is_uniform(inside):
            self._put(index, int(inside[0, 0]))
            return
        self._rest[index] = PackedTile.of(array)
        self._dirty.discard(index)
        self._owned.discard(index)

    def _keep(self, index: TileIndex, array: NDArray[Any]) -> NDArray[Any]:
        """Keep an array, and let go of those not used for the longest time beyond the bound."""
        old = self._arrays.pop(index, None)
        self._nbytes += array.nbytes - (0 if old is None else old.nbytes)
        self._arrays[index] = array
        while self._nbytes > UNPACKED and len(self._arrays) > 1:
            oldest = next(iter(self._arrays))
            if oldest in self._dirty:
                self._settle(oldest)
            self._forget(oldest)
        return array

    def _forget(self, index: TileIndex) -> None:
        """Drop the array of a tile."""
        array = self._arrays.pop(index, None)
        self._nbytes -= 0 if array is None else array.nbytes
        self._dirty.discard(index)
        self._owned.discard(index)

    def _touch(self, index: TileIndex) -> None:
        self._areas = None
        self._overviews.touch(index)


def _inside(part: Window, index: TileIndex) -> tuple[slice, slice]:
    return part.shifted(-index[0] * TILE, -index[1] * TILE).slices
