"""Growing, shrinking and smoothing segments, tile by tile with a halo: exact across tiles.

Distances are Euclidean and between centres of pixels, so that segments grow and shrink alike in
all directions, also where pixels are not square.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core import tile
from segdesk.core.chosen import Chosen
from segdesk.core.components import find_components, repainted
from segdesk.core.geometry import Window
from segdesk.core.ids import Ids, count_ids
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, each, part, silent
from segdesk.core.raster import Mask

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Reach:
    """A distance, and the width and height of a pixel in the same unit."""

    distance: float
    width: float = 1.0
    height: float = 1.0

    @property
    def columns(self) -> int:
        """Pixels to the left and right that lie within it."""
        return int(self.distance / self.width)

    @property
    def rows(self) -> int:
        """Pixels above and below that lie within it."""
        return int(self.distance / self.height)


def grow(labels: LabelMap, chosen: Chosen, reach: Reach, report: Report = silent) -> LabelMap:
    """Return a label map in which segments have spread onto free pixels within reach.

    A pixel goes to the nearest of the segments. Pixels of other segments stay theirs, and nothing
    grows through them to what lies behind.
    """
    result = labels.snapshot()
    halo, is_blocked = max(reach.rows, reach.columns), False
    for index in each(chosen.near(labels, halo), part(report, 0, 0.7), "Growing"):
        window, frame = labels.tile_window(index), index[2]
        if _is_uniform_around(labels, window, reach, frame):
            continue
        ids = _read_around(labels, window, reach, frame)
        source = np.where(chosen.mask(ids), ids, 0)
        free = _middle(ids, reach) == 0
        if free.any() and source.any():
            nearest = nearest_ids(source, reach)
            result.write(window, nearest, free & (nearest > 0), frame)
            is_blocked |= bool((ids != source).any())
    if not is_blocked:
        return result  # there is nothing to grow through
    return _without_offshoots(labels, result, chosen, part(report, 0.7, 1))


def shrink(labels: LabelMap, chosen: Chosen, reach: Reach, report: Report = silent) -> LabelMap:
    """Return a label map in which segments have lost what is within reach of other pixels.

    The edge of the image is no edge of a segment.
    """
    result = labels.snapshot()
    for index in each(chosen.indices(labels), report, "Shrinking"):
        window, frame = labels.tile_window(index), index[2]
        if _is_uniform_around(labels, window, reach, frame):
            continue
        ids = _read_around(labels, window, reach, frame)
        lost = _is_near_edge(ids, reach) & chosen.mask(_middle(ids, reach))
        result.write(window, 0, lost, frame)
    return result


def smooth(labels: LabelMap, chosen: Chosen, radius: int, report: Report = silent) -> LabelMap:
    """Return a label map in which pixels are what most pixels in a disc around them are.

    Only the chosen segments and free pixels have a say and change; at a tie all stays as it is.
    """
    result = labels.snapshot()
    reach = Reach(radius)
    disc = _disc(radius)
    for index in each(chosen.near(labels, radius), report, "Smoothing"):
        window, frame = labels.tile_window(index), index[2]
        if _is_uniform_around(labels, window, reach, frame):
            continue
        ids = _read_around(labels, window, reach, frame)
        kept = (ids > 0) & ~chosen.mask(ids)
        winners = _majority(np.where(kept, -1, ids), disc, radius)
        result.write(window, winners, ~_middle(kept, reach), frame)
    return result


def nearest_ids(source: Ids, reach: Reach) -> Ids:
    """Return the nearest id within reach of each pixel that is not in the margin; 0 for none.

    Parameters
    ----------
    source
        (rows + 2 * reach.rows, columns + 2 * reach.columns) ids; 0 is nothing.

    Returns
    -------
    ids
        (rows, columns). Of several that are equally near, it is always the one on the same side.
    """
    up = source[::-1]
    above, above_ids = _last_in_column(source)
    below, below_ids = (part[::-1] for part in _last_in_column(up))
    rows = np.minimum(above, below) * np.float32(reach.height)
    ids = np.where(above <= below, above_ids, below_ids)
    best: Floats | None = None
    nearest = np.zeros(0, np.int32)
    for shift, square in _columns_by_distance(rows, reach):
        theirs = _shifted(ids, shift, reach)
        if best is None:
            best, nearest = square.copy(), theirs.copy()
        else:
            closer = square < best
            np.copyto(best, square, where=closer)
            np.copyto(nearest, theirs, where=closer)
    assert best is not None
    nearest[best > reach.distance**2 * (1 + 1e-6)] = 0
    return nearest


def _is_near_edge(ids: Ids, reach: Reach) -> Mask:
    """Return which pixels that are not in the margin have another id within reach."""
    rows = np.minimum(_run_above(ids), _run_above(ids[::-1])[::-1]) * np.float32(reach.height)
    own = _middle(ids, reach)
    near = np.zeros(own.shape, np.bool_)
    limit = reach.distance**2 * (1 + 1e-6)
    for shift, square in _columns_by_distance(rows, reach):
        same = _shifted(ids, shift, reach) == own
        near |= ~same | (square <= limit)
    return near


def _columns_by_distance(rows: Floats, reach: Reach) -> Iterator[tuple[int, Floats]]:
    """Yield each column within reach with squared distances: that one's rows and the way there."""
    squares = (rows**2).astype(np.float32)
    for shift in sorted(range(-reach.columns, reach.columns + 1), key=abs):
        yield shift, _shifted(squares, shift, reach) + np.float32((shift * reach.width) ** 2)


def _last_in_column(source: Ids) -> tuple[Floats, Ids]:
    """Return how many rows above each pixel the next id that is not 0 lies, and that id."""
    numbers = np.arange(len(source))[:, np.newaxis]
    last = np.maximum.accumulate(np.where(source > 0, numbers, -1), axis=0)
    away = np.where(last < 0, np.float32(np.inf), (numbers - last).astype(np.float32))
    return away, np.take_along_axis(source, np.maximum(last, 0), axis=0)


def _run_above(ids: Ids) -> Floats:
    """Return how many rows above each pixel the next other id lies; infinite for none."""
    numbers = np.arange(len(ids))[:, np.newaxis]
    starts = np.zeros(ids.shape, np.bool_)
    starts[1:] = ids[1:] != ids[:-1]
    start = np.maximum.accumulate(np.where(starts, numbers, -1), axis=0)
    return np.where(start < 0, np.float32(np.inf), (numbers - start + 1).astype(np.float32))


def _majority(ids: Ids, disc: NDArray[np.float32], radius: int) -> Ids:
    """Return the id that most pixels in a disc have, of those that are not negative."""
    from scipy.ndimage import find_objects

    present = np.array(sorted(count_ids(ids).keys() - {-1} | {0}), np.int64)
    numbers = np.where(ids >= 0, np.searchsorted(present, ids) + 1, 0)
    most = np.full(ids.shape, -1, np.float32)
    winners = np.zeros_like(ids)
    for segment, slices in zip(present.tolist(), find_objects(numbers, len(present)), strict=True):
        if slices is None:
            continue
        place = tuple(slice(max(0, s.start - radius), s.stop + radius) for s in slices)
        own = ids[place] == segment
        votes = _count_in_disc(own, disc) + np.float32(0.5) * own  # who is there wins a tie
        wins = votes > most[place]
        np.copyto(most[place], votes, where=wins)
        winners[place][wins] = segment
    return winners[radius:-radius, radius:-radius]


def _count_in_disc(mask: Mask, disc: NDArray[np.float32]) -> Floats:
    import cv2

    found: NDArray[Any] = cv2.filter2D(
        mask.astype(np.uint8), cv2.CV_32F, disc, borderType=cv2.BORDER_CONSTANT
    )
    counts: Floats = np.rint(found).astype(np.float32)
    return counts


def _disc(radius: int) -> NDArray[np.float32]:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc: NDArray[np.float32] = ((x**2 + y**2) <= radius**2).astype(np.float32)
    return disc


def _without_offshoots(
    before: LabelMap, after: LabelMap, chosen: Chosen, report: Report
) -> LabelMap:
    """Take away what has grown, but does not hang together with anything that was there before."""
    components = find_components(after, chosen, 8, part(report, 0, 0.8))
    is_rooted = np.zeros(components.count + 1, np.bool_)
    for index in components.indices():
        numbers, old = components.on_tile(index), before.tile(index)
        if isinstance(numbers, int):
            is_rooted[numbers] |= not isinstance(old, int) or old > 0
        else:
            was = before.read(before.tile_window(index), 0, index[2]) > 0
            is_rooted[numbers[was]] = True
    new_ids = np.where(is_rooted, components.segments, 0).astype(np.int32)
    return repainted(after, components, new_ids, part(report, 0.8, 1))


def _is_uniform_around(labels: LabelMap, window: Window, reach: Reach, frame: int) -> bool:
    """Say whether a window and what is within reach are one id, without looking at pixels."""
    x, y = window.x - reach.columns, window.y - reach.rows
    size = window.width + 2 * reach.columns, window.height + 2 * reach.rows
    inside = Window(x, y, *size).intersection(labels.window)
    tiles = [labels.tile((*place, frame)) for place in inside.tiles(tile.TILE)]
    first = tiles[0]
    return isinstance(first, int) and all(isinstance(t, int) and t == first for t in tiles)


def _read_around(labels: LabelMap, window: Window, reach: Reach, frame: int) -> Ids:
    """Return the ids of a window with a margin; beyond the image it repeats those at the edge."""
    x, y = window.x - reach.columns, window.y - reach.rows
    size = window.width + 2 * reach.columns, window.height + 2 * reach.rows
    wanted = Window(x, y, *size)
    inside = wanted.intersection(labels.window)
    ids = labels.read(inside, 0, frame)
    if inside == wanted:
        return ids
    before = inside.y - y, inside.x - x
    after = wanted.bottom - inside.bottom, wanted.right - inside.right
    return np.pad(ids, tuple(zip(before, after, strict=True)), mode="edge")


def _middle(values: NDArray[Any], reach: Reach) -> NDArray[Any]:
    """Return what is not in the margin."""
    rows, columns = values.shape
    return values[reach.rows : rows - reach.rows, reach.columns : columns - reach.columns]


def _shifted(values: NDArray[Any], shift: int, reach: Reach) -> NDArray[Any]:
    """Return what lies some columns to the right of each pixel that is not in the margin."""
    rows, columns = values.shape
    start = reach.columns + shift
    return values[reach.rows : rows - reach.rows, start : start + columns - 2 * reach.columns]
