"""Connected components of a label map, tile by tile: exact across tiles and frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdesk.core.chosen import Chosen
from segdesk.core.geometry import Window
from segdesk.core.ids import Ids
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, each, part, silent
from segdesk.core.raster import Mask
from segdesk.core.tile import TileIndex

Neighbours = Literal[4, 8, 6, 26]
"""4 or 8 on each frame by itself, 6 or 26 over all frames."""

_SHIFTS: dict[int, tuple[tuple[int, int], ...]] = {
    6: ((0, 0),),
    26: tuple((x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)),
}


@dataclass(frozen=True)
class Components:
    """Parts of segments that hang together, numbered from 1 in the order of their first tiles.

    Attributes
    ----------
    segments
        (count + 1,) int32: the segment that each component is a part of; 0 for number 0.
    areas
        (count + 1,) int64: pixels.
    """

    segments: Ids
    areas: NDArray[np.int64]
    _pieces: LabelMap  # components of each tile by itself
    _joined: Ids  # number of the component of each piece

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.segments) - 1

    def indices(self) -> tuple[TileIndex, ...]:
        """Return the tiles that hold any."""
        return tuple(self._pieces.indices())

    def window(self, index: TileIndex) -> Window:
        """Return the pixels of a tile."""
        return self._pieces.tile_window(index)

    def on_tile(self, index: TileIndex) -> int | Ids:
        """Return the numbers on a tile: one where it holds a single piece."""
        tile = self._pieces.tile(index)
        if isinstance(tile, int):
            return int(self._joined[tile])
        return self.read(self.window(index), index[2])

    def read(self, window: Window, frame: int = 0) -> Ids:
        """Return the (rows, columns) numbers of a window; 0 where there is no component."""
        numbers: Ids = self._joined[self._pieces.read(window, 0, frame)]
        return numbers


def find_components(
    labels: LabelMap,
    chosen: Chosen = Chosen(),  # noqa: B008 - it is frozen
    neighbours: Neighbours = 8,
    report: Report = silent,
) -> Components:
    """Return the connected components of segments; pixels of two segments never hang together.

    Memory follows the tiles that hold the segments, packed as a label map's.
    """
    pieces = LabelMap(labels.width, labels.height, labels.frames)
    first, second = part(report, 0, 0.6), part(report, 0.6, 1)
    segments, areas = _find_pieces(labels, chosen, pieces, neighbours, first)
    pairs = list(_touching(pieces, segments, neighbours, second))
    joined = _join(pairs, len(segments))
    count = int(joined.max(initial=0))
    whole_segments = np.zeros(count + 1, np.int32)
    whole_segments[joined] = segments
    whole_areas = np.bincount(joined, areas, count + 1).astype(np.int64)
    return Components(whole_segments, whole_areas, pieces, joined)


def repainted(
    labels: LabelMap, components: Components, new_ids: Ids, report: Report = silent
) -> LabelMap:
    """Return a label map in which each component has the new id of its number.

    Parameters
    ----------
    new_ids
        (count + 1,) by number; that of 0 is never used.
    """
    result = labels.snapshot()
    changes = new_ids != components.segments
    changes[0] = False
    for index in each(components.indices(), report, "Painting") if changes.any() else ():
        window, frame = labels.tile_window(index), index[2]
        numbers = components.on_tile(index)
        if not np.any(changes[numbers]):
            continue
        if isinstance(numbers, int):
            result.write(window, int(new_ids[numbers]), None, frame)
        else:
            result.write(window, new_ids[numbers], changes[numbers], frame)
    return result


def are_largest(groups: Ids, areas: NDArray[np.int64]) -> Mask:
    """Return (N,) bool: whether a component is the first of the largest ones of its group."""
    order = np.lexsort((-areas, groups))
    in_order = groups[order]
    result = np.zeros(len(order), np.bool_)
    result[order] = np.concatenate([[True], in_order[1:] != in_order[:-1]])
    return result


def _find_pieces(
    labels: LabelMap, chosen: Chosen, pieces: LabelMap, neighbours: Neighbours, report: Report
) -> tuple[Ids, NDArray[np.int64]]:
    """Write the components of each tile by itself; return segment and area of each."""
    segments, areas = [np.zeros(1, np.int32)], [np.zeros(1, np.int64)]
    connectivity = 4 if neighbours in (4, 6) else 8
    count = 0
    for index in each(chosen.indices(labels), report, "Finding parts"):
        window, tile = labels.tile_window(index), labels.tile(index)
        if isinstance(tile, int) and tile:
            found: Ids | int = count + 1
            its_segments, its_areas = np.array([tile], np.int32), np.array([window.area])
        else:
            found, its_segments, its_areas = _label(labels, chosen, index, connectivity)
            found[found > 0] += count
        if len(its_segments):
            segments.append(its_segments)
            areas.append(its_areas)
            pieces.write(window, found, None, index[2])
            count += len(its_segments)
    return np.concatenate(segments), np.concatenate(areas)


def _label(
    labels: LabelMap, chosen: Chosen, index: TileIndex, connectivity: int
) -> tuple[Ids, Ids, NDArray[np.int64]]:
    """Return the components of a tile by itself, with the segment and area of each."""
    import cc3d

    ids = labels.read(labels.tile_window(index), 0, index[2])
    ids[~chosen.mask(ids)] = 0
    found: Ids = cc3d.connected_components(ids, connectivity=connectivity).astype(np.int32)
    number = int(found.max())
    segments = np.zeros(number + 1, np.int32)
    segments[found] = ids
    return found, segments[1:], np.bincount(found.ravel(), minlength=number + 1)[1:]


def _touching(
    pieces: LabelMap, segments: Ids, neighbours: Neighbours, report: Report
) -> Iterator[NDArray[np.int64]]:
    """Yield pairs of pieces of one segment that touch across tiles and frames."""
    is_diagonal = neighbours in (8, 26)
    for index in each(pieces.indices(), report, "Joining parts"):
        window = pieces.tile_window(index)
        for dx, dy in ((1, 0), (0, 1)):
            pair = _uniform_pair(pieces, segments, index, (index[0] + dx, index[1] + dy, index[2]))
            if pair is not None:
                yield pair
                continue
            strip = pieces.read(_seam(window, dx, is_diagonal), 0, index[2])
            strip = strip if dx else strip.T
            yield _pairs(strip[:, 0], strip[:, 1], segments)
            if is_diagonal:
                yield _pairs(strip[:-1, 0], strip[1:, 1], segments)
                yield _pairs(strip[1:, 0], strip[:-1, 1], segments)
        if neighbours in _SHIFTS and index[2]:
            here = pieces.read(window, 0, index[2])
            for dx, dy in _SHIFTS[neighbours]:
                before = pieces.read(window.shifted(dx, dy), 0, index[2] - 1)
                yield _pairs(here.ravel(), before.ravel(), segments)


def _uniform_pair(
    pieces: LabelMap, segments: Ids, index: TileIndex, other: TileIndex
) -> NDArray[np.int64] | None:
    """Return the pair that two whole tiles of one segment are; None for other tiles."""
    a, b = pieces.tile(index), pieces.tile(other)
    if isinstance(a, int) and isinstance(b, int) and a and b and segments[a] == segments[b]:
        return np.array([(a << 32) | b], np.int64)
    return None


def _seam(window: Window, is_right: int, is_diagonal: bool) -> Window:
    """Return the last column, or row, of a tile with the first one of the tile beyond."""
    more = 1 if is_diagonal else 0
    if is_right:
        return Window(window.right - 1, window.y - more, 2, window.height + 2 * more)
    return Window(window.x - more, window.bottom - 1, window.width + 2 * more, 2)


def _pairs(a: Ids, b: Ids, segments: Ids) -> NDArray[np.int64]:
    """Return each pair that lies side by side once, the two in one number."""
    touch = (a > 0) & (b > 0)
    a, b = a[touch], b[touch]
    same = segments[a] == segments[b]
    pairs = (a[same].astype(np.int64) << 32) | b[same]
    if len(pairs):
        pairs = pairs[np.concatenate([[True], pairs[1:] != pairs[:-1]])]  # most come in runs
    return np.unique(pairs)


def _join(pairs: Iterable[NDArray[np.int64]], count: int) -> Ids:
    """Return the number of the component of each piece; 0 stays by itself."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    every = np.concatenate([np.zeros(0, np.int64), *pairs])
    a, b = every >> 32, every & (2**32 - 1)
    graph = coo_array((np.ones(len(a), np.bool_), (a, b)), (count, count))
    _, joined = connected_components(graph, directed=False)
    _, first, inverse = np.unique(joined, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    numbers: Ids = order[inverse].astype(np.int32)
    return numbers
