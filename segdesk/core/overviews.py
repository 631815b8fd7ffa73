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

    def touch(self, index: TileIndex) -> None:
        """Note that a tile of the map itself has changed."""
        for level in range(1, len(self._levels)):
            self._stale[level].add(_above(index, level))

    def level(self, number: int) -> LabelMap:
        """Return a level as it is."""
        while len(self._levels) <= number:
            level = len(self._levels)
            self._levels.append(self._levels[-1].halved())
            self._stale.append({_above(index, level) for index in self._levels[0].indices()})
        return self._levels[number]

    def freshen(self, window: Window, level: int, frame: int, until: float) -> bool:
        """Make the tiles of a window anew that are stale; say whether there was time for all."""
        labels, stale = self.level(level), self._stale[level]
        for column, row in window.intersection(labels.window).tiles(TILE) if stale else ():
            if (column, row, frame) in stale:
                if perf_counter() > until:
                    return False
                self._make(level, (column, row, frame))
        return True

    def _make(self, level: int, index: TileIndex) -> None:
        """Make one tile from the up to four below it."""
        below, half = self._levels[level - 1], TILE // 2
        column, row, frame = index
        parts: dict[tuple[int, int], Tile] = {}
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            child = 2 * column + dx, 2 * row + dy, frame
            if not below.tile_window(child):
                continue
            if child in self._stale[level - 1]:
                self._make(level - 1, child)
            parts[dx, dy] = below.seen(child)
        self._stale[level].discard(index)
        first = parts[0, 0]
        if isinstance(first, int) and all(is_same_id(part, first) for part in parts.values()):
            self._levels[level].put_packed(index, first)
            return
        whole = np.zeros((TILE, TILE), np.result_type(*map(_type_of, parts.values())))
        for (dx, dy), part in parts.items():
            place = whole[dy * half : (dy + 1) * half, dx * half : (dx + 1) * half]
            place[...] = part if isinstance(part, int) else part[::2, ::2]
        self._levels[level].write(self._levels[level].tile_window(index), whole, None, frame)


def _above(index: TileIndex, level: int) -> TileIndex:
    return index[0] >> level, index[1] >> level, index[2]


def _type_of(tile: Tile) -> Any:
    return np.min_scalar_type(tile) if isinstance(tile, int) else tile.dtype
