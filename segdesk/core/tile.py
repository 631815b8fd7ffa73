"""One tile of segment ids, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.ids import count_ids
from segdesk.core.packed import AtRest

TILE = 256

Tile = int | NDArray[Any]
"""A uniform tile as its id, or a (TILE, TILE) array of uint8/16/32: never write to it."""

TileIndex = tuple[int, int, int]
"""(tile column, tile row, frame)"""


@dataclass
class Delta:
    """What changed in a label map: tiles at rest before and after, and pixels gained by segment."""

    before: dict[TileIndex, AtRest] = field(default_factory=dict)
    after: dict[TileIndex, AtRest] = field(default_factory=dict)
    areas: dict[int, int] = field(default_factory=dict)  # lost pixels are negative; no zeros

    def note(self, index: TileIndex, before: AtRest, after: AtRest, gained: dict[int, int]) -> None:
        """Note one tile."""
        self.before[index], self.after[index] = before, after
        for segment, count in gained.items():
            total = self.areas.pop(segment, 0) + count
            if total:
                self.areas[segment] = total


def tile_areas(tile: Tile, inside: Window) -> dict[int, int]:
    """Return the number of pixels of each id but 0 in the part of a tile that is in the map."""
    if isinstance(tile, int):
        return {tile: inside.area} if tile else {}
    return count_ids(tile[: inside.height, : inside.width])


def gained_areas(old: Tile, new: Tile, inside: Window) -> dict[int, int] | None:
    """Return the pixels that each id but 0 has gained or lost; None where nothing differs."""
    if isinstance(old, int) and isinstance(new, int):
        if old == new:
            return None
        lost, won = {old: inside.area}, {new: inside.area}
    else:
        part = slice(0, inside.height), slice(0, inside.width)
        old, new = (tile if isinstance(tile, int) else tile[part] for tile in (old, new))
        differs = np.not_equal(old, new)
        if not differs.any():
            return None
        lost, won = _counts_where(old, differs), _counts_where(new, differs)
    gained = {i: won.get(i, 0) - lost.get(i, 0) for i in (won.keys() | lost.keys()) - {0}}
    return {segment: count for segment, count in gained.items() if count}


def is_same_id(a: Tile, b: Tile) -> bool:
    """Say whether two tiles are uniform and of the same id."""
    return isinstance(a, int) and isinstance(b, int) and a == b


def _counts_where(tile: Tile, where: NDArray[np.bool_]) -> dict[int, int]:
    if isinstance(tile, int):
        return {tile: int(np.count_nonzero(where))}
    return count_ids(tile[where])


def unpacked(tile: AtRest) -> Tile:
    """Return a tile at rest as a number or an array."""
    return tile if isinstance(tile, int) else tile.unpack()


def is_uniform(ids: Any) -> bool:
    """Say whether ids, a number or an array, are all the same."""
    return isinstance(ids, int) or bool((ids == ids.flat[0]).all())
