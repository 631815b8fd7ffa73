"""Cells between scores, and patches of pixels inside them, as arrays over all patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Axis:
    """Where the pixels of one axis lie between the scores."""

    first: Indices  # by pixel: the score before it
    second: Indices  # by pixel: the score behind it
    share: NDArray[np.float32]  # by pixel: how far it is on the way from the first to the second
    starts: Indices  # by cell: its first pixel
    stops: Indices  # by cell: the pixel behind its last
    cells: Indices  # by pixel: its cell

    @classmethod
    def between(cls, size: int, new_size: int) -> Self:
        """Return the axis of ``new_size`` pixels over ``size`` scores."""
        centres = (np.arange(new_size, dtype=np.float32) + np.float32(0.5)) * np.float32(
            size / new_size
        ) - np.float32(0.5)
        return cls.at(centres, size)

    @classmethod
    def at(cls, centres: NDArray[np.floating[Any]], size: int) -> Self:
        """Return the axis of pixels whose centres lie at rising places between ``size`` scores.

        Score n is at n; pixels outside get the score at the edge.
        """
        centres = np.maximum(centres, 0)
        first = np.minimum(centres.astype(np.intp), size - 1)
        second = np.minimum(first + 1, size - 1)
        return cls._of(first, second, np.clip(centres - first, 0, 1).astype(np.float32))

    def part(self, start: int, stop: int) -> Self:
        """Return the axis of some of its pixels only, over the same scores."""
        inside = slice(start, stop)
        return self._of(self.first[inside], self.second[inside], self.share[inside])

    @classmethod
    def _of(cls, first: Indices, second: Indices, share: NDArray[np.float32]) -> Self:
        is_start = np.diff(first, prepend=-1) != 0
        starts = np.flatnonzero(is_start)
        stops = np.append(starts[1:], len(first))
        return cls(first, second, share, starts, stops, np.cumsum(is_start) - 1)


@dataclass(frozen=True)
class Patches:
    """Rectangles of pixels, each inside one cell, and the maps that can win in each."""

    top: Indices
    bottom: Indices
    left: Indices
    right: Indices
    offsets: Indices  # (patches + 1,) where the maps of each begin in `maps`
    maps: Indices  # in rising order for each patch

    def __len__(self) -> int:
        return len(self.top)

    @property
    def counts(self) -> Indices:
        """How many maps can win in each."""
        return np.diff(self.offsets)

    @property
    def most(self) -> int:
        """The highest of all counts."""
        return int(self.counts.max())

    @property
    def longest_side(self) -> int:
        """Pixels along the longest side of any."""
        return int(max((self.bottom - self.top).max(), (self.right - self.left).max()))

    @classmethod
    def joined(cls, parts: list[Patches]) -> Patches:
        """Return the patches of all parts."""
        if not parts:
            nothing = np.empty(0, np.intp)
            return cls(nothing, nothing, nothing, nothing, np.zeros(1, np.intp), nothing)
        return cls(
            np.concatenate([part.top for part in parts]),
            np.concatenate([part.bottom for part in parts]),
            np.concatenate([part.left for part in parts]),
            np.concatenate([part.right for part in parts]),
            _offsets(np.concatenate([part.counts for part in parts])),
            np.concatenate([part.maps for part in parts]),
        )

    def leaders(self) -> Indices:
        """Return the first map of each."""
        return self.maps[self.offsets[:-1]]

    def contested(self) -> Patches:
        """Return those in which more than one map can win, the least contested first."""
        counts = self.counts
        order = np.argsort(counts, kind="stable")
        return self.taken(order[np.searchsorted(counts[order], 2) :])

    def settled(self) -> Patches:
        """Return those in which one map wins."""
        return self.taken(np.flatnonzero(self.counts == 1))

    def chunks(self, values: int, side: int) -> Iterator[Patches]:
        """Yield runs of patches with similar counts, for some ``values`` scores at once."""
        counts, start = self.counts, 0
        while start < len(self):
            most = int(counts[start])
            most += most // 4
            alike = int(np.searchsorted(counts, most, "right"))
            stop = min(alike, start + max(1, values // (side * side)))
            yield self.taken(np.arange(start, stop))
            start = stop

    def candidates(self) -> Iterator[Indices]:
        """Yield one map of each patch after the other; where there are no more, the first again."""
        starts, counts = self.offsets[:-1], self.counts
        for number in range(self.most):
            yield self.maps[starts + np.where(number < counts, number, 0)]

    def pixels(self) -> tuple[Indices, Indices]:
        """Return (side, patches) rows and columns of all pixels; those of short ones repeat."""
        return _steps(self.top, self.bottom), _steps(self.left, self.right)

    def lines(self, step: int, parts: int) -> tuple[Indices, Indices]:
        """Return (parts + 1, patches) rows and columns at which blocks of ``step`` pixels meet."""
        steps = np.arange(parts + 1)[:, np.newaxis] * step
        return (
            np.minimum(self.top + steps, self.bottom - 1),
            np.minimum(self.left + steps, self.right - 1),
        )

    def blocks(self, step: int, parts: int, possible: NDArray[np.bool_]) -> Patches:
        """Return blocks of ``step`` pixels.

        ``possible`` is (candidates, parts, parts, patches): which can win in which block.
        """
        most, _, _, count = possible.shape
        possible &= (np.arange(most)[:, np.newaxis] < self.counts)[:, np.newaxis, np.newaxis]
        numbers = np.arange(parts * parts * count)
        row, column, patch = np.unravel_index(numbers, (parts, parts, count))
        top, left = self.top[patch] + row * step, self.left[patch] + column * step
        bottom = np.minimum(top + step, self.bottom[patch])
        right = np.minimum(left + step, self.right[patch])
        real = np.flatnonzero((top < bottom) & (left < right))
        chosen = np.ascontiguousarray(possible.reshape(most, -1).T[real])
        block, candidate = np.divmod(np.flatnonzero(chosen), most)
        maps = self.maps[self.offsets[patch[real][block]] + candidate]
        counts = np.bincount(block, minlength=len(real))
        return Patches(top[real], bottom[real], left[real], right[real], _offsets(counts), maps)

    def taken(self, chosen: Indices) -> Patches:
        """Return some of them."""
        counts = self.counts[chosen]
        offsets = _offsets(counts)
        places = np.repeat(self.offsets[chosen] - offsets[:-1], counts) + np.arange(offsets[-1])
        return Patches(
            self.top[chosen],
            self.bottom[chosen],
            self.left[chosen],
            self.right[chosen],
            offsets,
            self.maps[places],
        )


def all_patches(
    rows: Axis, columns: Axis, band: tuple[int, int], possible: NDArray[np.bool_]
) -> Patches:
    """Return all cells of some rows of cells; ``possible`` is (cells, maps)."""
    first, last = band
    height, width = last - first, len(columns.starts)
    cell, maps = np.divmod(np.flatnonzero(possible), possible.shape[1])
    return Patches(
        np.repeat(rows.starts[first:last], width),
        np.repeat(rows.stops[first:last], width),
        np.tile(columns.starts, height),
        np.tile(columns.stops, height),
        _offsets(np.bincount(cell, minlength=len(possible))),
        maps,
    )


def _offsets(counts: NDArray[Any]) -> Indices:
    return np.concatenate([np.zeros(1, np.intp), np.cumsum(counts, dtype=np.intp)])


def _steps(starts: Indices, stops: Indices) -> Indices:
    most = int((stops - starts).max())
    steps: Indices = np.minimum(starts + np.arange(most)[:, np.newaxis], stops - 1)
    return steps
