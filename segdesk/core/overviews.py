"""Every 2**n-th pixel of a label map: what is shown of it from afar."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from segdesk.core.geometry import Window
from segdesk.core.tile import TILE, Tile, TileIndex, is_same_id

if TYPE_CHECKING:
    from segdesk.core.labelmap import LabelMap


class Overviews:
    """Levels of half, quarter, ... size; each is made from the one below, tile by tile."""

    def __init__(self, labels: LabelMap) -> None:
        self._levels = [labels]
        self._stale: list[set[TileIndex]] = [set()]  # tiles of each level that have to be made anew
        self._since: set[TileIndex] | None = None  # tiles of the map that changed since ``watch``

    def touch(self, index: TileIndex) -> None:
        """Note that a tile of the map itself has changed."""
        if self._since is not None:
            self._since.add(index)
        for level in range(1, len(self._levels)):
            self._stale[level].add(_above(index, level))

    def level(self, number: int) -> LabelMap:
        """Return a level as it is."""
        while len(self._levels) <= number:
            level = len(self._levels)
            self._levels.append(self._levels[-1].halved())
            self._stale.append({_above(index, level) for index in self._levels[0].indices()})
        return self._levels[number]

    def lag(self, level: int) -> int:
        """Return how many tiles of all levels up to one have to be made anew."""
        self.level(level)
        return sum(map(len, self._stale[1 : level + 1]))

    def watch(self) -> None:
        """Note from now on what changes, for ``take``."""
        self._since = set()

    def take(self, other: Overviews) -> None:
        """Take over the levels of a map that was equal to this one at ``watch``."""
        since, self._since = self._since or set(), None
        self._levels[1:] = other._levels[1:]
        self._stale = [
            stale | {_above(index, level) for index in since if level}
            for level, stale in enumerate(other._stale)
        ]

    def freshen(self, window: Window, level: int, frame: int, until: float) -> bool:
        """Make the tiles of a window anew that are stale; say whether there was time for all."""
        labels, stale = self.level(level), self._stale[level]
        for column, row in window.intersection(labels.window).tiles(TILE) if stale else ():
            if (column, row, frame) in stale and not self._make(level, (column, row, frame), until):
                return False
        return True

    def _make(self, level: int, index: TileIndex, until: float) -> bool:
        """Make one tile from the up to four below it; say whether there was time for it.

        Those below that were made by then stay.
        """
        if perf_counter() > until:
            return False
        below, half = self._levels[level - 1], TILE // 2
        column, row, frame = index
        parts: dict[tuple[int, int], Tile] = {}
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            child = 2 * column + dx, 2 * row + dy, frame
            if not below.tile_window(child):
                continue
            if child in self._stale[level - 1] and not self._make(level - 1, child, until):
                return False
            parts[dx, dy] = below.seen(child)
        self._stale[level].discard(index)
        first = parts[0, 0]
        if isinstance(first, int) and all(is_same_id(part, first) for part in parts.values()):
            self._levels[level].put_packed(index, first)
            return True
        whole = np.zeros((TILE, TILE), np.result_type(*map(_type_of, parts.values())))
        for (dx, dy), part in parts.items():
            place = whole[dy * half : (dy + 1) * half, dx * half : (dx + 1) * half]
            place[...] = part if isinstance(part, int) else part[::2, ::2]
        self._levels[level].write(self._levels[level].tile_window(index), whole, None, frame)
        return True


def _above(index: TileIndex, level: int) -> TileIndex:
    return index[0] >> level, index[1] >> level, index[2]


def _type_of(tile: Tile) -> Any:
    return np.min_scalar_type(tile) if isinstance(tile, int) else tile.dtype
