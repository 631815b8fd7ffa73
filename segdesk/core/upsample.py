"""The winner at every pixel, from maps of scores at a model's own resolution.

Equal to scaling all maps up (bilinear, half-pixel centres, edges held) and taking the highest, as
``torch.nn.functional.interpolate(..., mode="bilinear", align_corners=False).argmax(1)`` does, but
no map is ever scaled up as a whole.

A cell is all pixels that lie between the same four scores. Inside it a scaled map lies between its
lowest and its highest corner, so a map whose highest corner is below the best lowest corner cannot
win there. Most cells have one map left: that is the answer for all their pixels. The others are
split into blocks, whose corners are computed and tell as much, and only the pixels of the smallest
blocks are computed one by one, for the few maps that are left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.cells import Axis, Patches, all_patches
from segdesk.core.geometry import Window

Scores = NDArray[np.float32]
Rising = Callable[[Scores, NDArray[Any]], Scores]

_PARTS = 4  # a block is split into so many along each side
_LEAF = 4  # pixels along the side of a block that is not split further
_BAND = 2**19  # scores of all cells that are looked at together
_BAND_PIXELS = 2**22
_CHUNK = 2**15  # scores that are computed together: they stay in the processor's cache


def winning_categories(
    scores: Scores,
    shape: tuple[int, int],
    window: Window | None = None,
    rising: Rising | None = None,
) -> Iterator[tuple[int, NDArray[np.unsignedinteger[Any]]]]:
    """Yield (first row, winners) for bands of rows, from the top to the bottom.

    Parameters
    ----------
    scores
        (categories, h, w), finite.
    shape
        (rows, columns) of the whole result.
    window
        The part of it that is wanted; None: all.
    rising
        What to compare instead of the scaled scores: a function of them and of their positions
        on the first axis, that rises with the scores.

    Yields
    ------
    winners
        (some rows, columns) positions on the first axis of ``scores``, of the smallest type that
        fits; the first one of equals. Rows count from the top of the window.
    """
    return winners_at(scores, *_axes(scores.shape[1:], shape, window), rising)


def winners_at(
    scores: Scores, rows: Axis, columns: Axis, rising: Rising | None = None
) -> Iterator[tuple[int, NDArray[np.unsignedinteger[Any]]]]:
    """Yield what ``winning_categories`` does, of pixels that lie anywhere between the scores."""
    scaling = _Scaling(scores, rows, columns, rising)
    for first, last in scaling.bands():
        yield int(rows.starts[first]), scaling.band(first, last)


def pixels_above(
    values: Scores, threshold: float, shape: tuple[int, int]
) -> tuple[Window, NDArray[np.bool_]]:
    """Return where a map, (h, w), is above a threshold once it is scaled to (rows, columns).

    The mask is that of the window, outside of which no pixel is above it.
    """
    window = _reach(values > np.float32(threshold), shape)
    pair = np.stack([np.full_like(values, threshold), values])
    mask = np.empty(window.shape, np.bool_)
    if window:
        for first, winners in winning_categories(pair, shape, window):
            mask[first : first + len(winners)] = winners
    return window, mask


def scaled(values: Scores, shape: tuple[int, int], window: Window) -> Iterator[tuple[int, Scores]]:
    """Yield (first row, values) for bands of a window of a map that is scaled up."""
    rows, columns = _axes(values.shape, shape, window)
    step = max(1, _BAND // max(1, window.width))
    for first in range(0, window.height, step):
        band = slice(first, first + step)
        share, across = rows.share[band, np.newaxis], columns.share
        upper, lower = values[rows.first[band]], values[rows.second[band]]
        lines = (1 - share) * upper + share * lower
        yield first, (1 - across) * lines[:, columns.first] + across * lines[:, columns.second]


def _axes(
    sizes: tuple[int, ...], shape: tuple[int, int], window: Window | None
) -> tuple[Axis, Axis]:
    rows, columns = (Axis.between(*pair) for pair in zip(sizes, shape, strict=True))
    if window is None:
        return rows, columns
    return rows.part(window.y, window.bottom), columns.part(window.x, window.right)


def _reach(above: NDArray[np.bool_], shape: tuple[int, int]) -> Window:
    """Return the pixels that scores of a map can reach; an empty window when there are none."""
    ends = []
    for axis, size, others in zip((0, 1), shape, (1, 0), strict=True):
        hit: NDArray[np.bool_] = np.any(above, axis=others)
        pixels = Axis.between(above.shape[axis], size)
        touched = np.flatnonzero(hit[pixels.first] | hit[pixels.second])
        ends.append((int(touched[0]), int(touched[-1]) + 1) if len(touched) else (0, 0))
    (top, bottom), (left, right) = ends
    return Window(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class _Scaling:
    """Maps of scores, and where the pixels lie between them."""

    scores: Scores
    rows: Axis
    columns: Axis
    rising: Rising | None

    def bands(self) -> Iterator[tuple[int, int]]:
        """Yield (first, last + 1) rows of cells that are done together."""
        starts, width = self.rows.starts, len(self.columns.first)
        most = max(1, _BAND // (len(self.scores) * len(self.columns.starts)))
        first, cells = 0, len(starts)
        while first < cells:
            last = min(first + most, cells)
            pixels = self.rows.stops[first:last] - starts[first]
            last = first + max(1, int(np.searchsorted(pixels * width, _BAND_PIXELS, "right")))
            yield first, last
            first = last

    def band(self, first: int, last: int) -> NDArray[Any]:
        """Return the winners of some rows of cells."""
        possible = self._possible(first, last)
        patches = all_patches(self.rows, self.columns, (first, last), possible)
        sizes = (self.rows.stops - self.rows.starts)[first:last]
        leaders = patches.leaders().astype(np.min_scalar_type(len(self.scores) - 1))
        grid = leaders.reshape(last - first, -1)
        winners = np.repeat(grid[:, self.columns.cells], sizes, axis=0)
        self._settle(patches, int(self.rows.starts[first]), winners)
        return winners

    def _possible(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return (cells, maps): which maps can win in which cells of some rows of cells."""
        starts = self.rows.starts[first:last]
        upper = self._risen(self.scores[:, self.rows.first[starts]])
        lower = self._risen(self.scores[:, self.rows.second[starts]])
        left = self.columns.first[self.columns.starts]
        right = self.columns.second[self.columns.starts]
        low, high = np.minimum(upper, lower), np.maximum(upper, lower)
        floor = np.minimum(low[..., left], low[..., right]).max(axis=0)
        high = np.maximum(high[..., left], high[..., right])
        return np.ascontiguousarray((high >= floor).reshape(len(high), -1).T)

    def _risen(self, scores: Scores) -> Scores:
        """Return what is compared of (maps, rows, columns) scores."""
        if self.rising is None:
            return scores
        return self.rising(scores, np.arange(len(scores))[:, np.newaxis, np.newaxis])

    def _settle(self, patches: Patches, top: int, winners: NDArray[Any]) -> None:
        """Write the winners of contested patches; ``winners`` begins at the row ``top``."""
        flat = winners.reshape(-1)
        while len(patches := patches.contested()):
            size = patches.longest_side
            parts = []
            for chunk in patches.chunks(_CHUNK, min(size, _LEAF + 1)):
                if size <= _LEAF:
                    self._compute(chunk, top, winners.shape[1], flat)
                    continue
                split = self._split(chunk, -(-size // _PARTS))
                _fill(split.settled(), top, winners)
                parts.append(split)
            patches = Patches.joined(parts)

    def _split(self, patches: Patches, step: int) -> Patches:
        """Return the blocks of patches, with the maps that can still win in each."""
        rows, columns = patches.lines(step, _PARTS)
        highest = np.empty((patches.most, _PARTS, _PARTS, len(patches)), np.float32)
        floor = np.full(highest.shape[1:], -np.inf, np.float32)
        for number, maps in enumerate(patches.candidates()):
            values = self._values(maps, rows, columns)
            low = np.minimum(values[:, :-1], values[:, 1:])
            np.maximum(floor, np.minimum(low[:-1], low[1:]), out=floor)
            high = np.maximum(values[:, :-1], values[:, 1:])
            np.maximum(high[:-1], high[1:], out=highest[number])
        return patches.blocks(step, _PARTS, highest >= floor)

    def _compute(self, patches: Patches, top: int, width: int, flat: NDArray[Any]) -> None:
        """Compute every pixel of small patches, for the maps that can win."""
        rows, columns = patches.pixels()
        places = _places(rows, columns, top, width)
        best = np.full(places.shape, -np.inf, np.float32)
        winner = np.zeros(places.shape, flat.dtype)
        for maps in patches.candidates():
            values = self._values(maps, rows, columns)
            better = values > best
            np.copyto(best, values, where=better)
            np.copyto(winner, maps, where=better, casting="unsafe")
        flat[places] = winner

    def _values(self, maps: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any]) -> Scores:
        """Return the scaled scores (rows, columns, patches) of one map a patch.

        All rows and columns of a patch, given as (rows, patches) and (columns, patches), lie in
        one cell.
        """
        upper, lower = self.rows.first[rows[0]], self.rows.second[rows[0]]
        left, right = self.columns.first[columns[0]], self.columns.second[columns[0]]
        share = self.columns.share[columns]
        rest = 1 - share
        above = rest * self.scores[maps, upper, left] + share * self.scores[maps, upper, right]
        below = rest * self.scores[maps, lower, left] + share * self.scores[maps, lower, right]
        share = self.rows.share[rows][:, np.newaxis]
        values: Scores = (1 - share) * above
        values += share * below
        return values if self.rising is None else self.rising(values, maps)


def _fill(patches: Patches, top: int, winners: NDArray[Any]) -> None:
    """Write the only map of each patch into its pixels, which all hold the same until now."""
    new = np.flatnonzero(winners[patches.top - top, patches.left] != patches.leaders())
    if len(new):
        patches = patches.taken(new)
        places = _places(*patches.pixels(), top, winners.shape[1])
        winners.reshape(-1)[places] = patches.leaders()


def _places(rows: NDArray[Any], columns: NDArray[Any], top: int, width: int) -> NDArray[Any]:
    """Return the places (rows, columns, patches) of pixels in a flat band."""
    places: NDArray[Any] = (rows[:, np.newaxis] - top) * width + columns
    return places
