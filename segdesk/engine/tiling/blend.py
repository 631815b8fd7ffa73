"""Blends the category scores of tiles that overlap, and draws the winners.

Scores stay at the model's own resolution. Between two rows, or columns, of tiles lies a ramp; ramps
and the cores between them cut the scores into blocks, and a block is drawn as soon as all tiles
that count in it have answered: a core at once, a ramp when the neighbour has come. So only the
blocks along the edge of what is done are in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.cells import Axis
from segdesk.core.geometry import Window
from segdesk.core.segmentation import Category, CategoryScores, Segment
from segdesk.core.upsample import winners_at
from segdesk.engine.resolve import present_ids, segment_ids
from segdesk.engine.tiling.growing import Growing
from segdesk.engine.tiling.line import Line
from segdesk.engine.tiling.plan import Plan, Tile

Scores = NDArray[np.float32]

_LEAST = 1e-6  # weight at the far end of a ramp: it counts where the neighbour was left out


@dataclass(frozen=True)
class Stretch:
    """Scores, on a line of tiles, in which the same tiles count."""

    number: int
    first: int  # score, counted over all tiles
    last: int  # inclusive: it is the first of the next stretch too
    tiles: tuple[int, ...]  # one: a core; two: a ramp


@dataclass(frozen=True)
class Lattice:
    """Where the scores of all tiles lie along one axis.

    Parameters
    ----------
    line
        The tiles.
    step
        Pixels of a tile for each score.
    scale
        Pixels of a tile for each pixel of the image.
    start, stop
        Pixels of the image that are wanted.
    """

    line: Line
    step: float
    scale: float
    start: int
    stop: int

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """All stretches: core, ramp, core, ramp, ..., core."""
        found, first = [], 0
        for number in range(len(self.line) - 1):
            begin, end = self._ramp(number)
            found.append(Stretch(2 * number, first, begin, (number,)))
            found.append(Stretch(2 * number + 1, begin, end, (number, number + 1)))
            first = end
        last = len(self.line) - 1
        end = self.offset(last) + self.count - 1
        return (*found, Stretch(2 * last, first, end, (last,)))

    @property
    def count(self) -> int:
        """Scores of a tile."""
        return round(self.line.size / self.step)

    def offset(self, number: int) -> int:
        """Return the first score of a tile."""
        return round((self.line.starts[number] - self.line.starts[0]) / self.step)

    def of_tile(self, number: int) -> tuple[Stretch, ...]:
        """Return the stretches in which a tile counts."""
        return self.stretches[max(0, 2 * number - 1) : 2 * number + 2]

    def weights(self, stretch: Stretch, number: int) -> Scores:
        """Return how much a tile counts at each score of a stretch."""
        count = stretch.last - stretch.first + 1
        if len(stretch.tiles) == 1:
            return np.ones(count, np.float32)
        rising = np.linspace(_LEAST, 1, count, dtype=np.float32)
        return rising if number == stretch.tiles[1] else rising[::-1]

    def pixels(self, stretch: Stretch) -> tuple[int, int]:
        """Return the pixels (start, stop) of the image that a stretch draws."""
        places, last = self._places, self.stretches[-1].number
        begin = np.searchsorted(places, stretch.first) if stretch.number else 0
        end = np.searchsorted(places, stretch.last) if stretch.number < last else len(places)
        return self.start + int(begin), self.start + int(end)

    def axis(self, stretch: Stretch) -> Axis:
        """Return where the pixels of a stretch lie between its scores."""
        start, stop = self.pixels(stretch)
        places = self._places[start - self.start : stop - self.start]
        return Axis.at(places - stretch.first, stretch.last - stretch.first + 1)

    @cached_property
    def _places(self) -> NDArray[np.floating[Any]]:
        """Where the wanted pixels lie between all scores."""
        centres = (np.arange(self.start, self.stop) + 0.5) * self.scale
        return (centres - self.line.starts[0]) / self.step - 0.5

    def _ramp(self, number: int) -> tuple[int, int]:
        middle, width = self.line.cut(number) - self.line.starts[0], self.line.ramp
        begin = int((middle - width // 2) // self.step)
        return begin, begin + max(1, int(width // self.step))


@dataclass
class _Block:
    """Scores that wait for more tiles."""

    sums: Scores | None = None  # (categories, h, w)
    weights: Scores | None = None  # (h, w)
    seen: set[Tile] = field(default_factory=set)


class Blender:
    """Draws ``CategoryScores``.

    Parameters
    ----------
    plan
        The tiles.
    growing
        Where to draw.
    answer
        One of them: all have scores at about the same resolution.
    """

    def __init__(self, plan: Plan, growing: Growing, answer: CategoryScores) -> None:
        self._growing = growing
        window, (_, height, width) = plan.window, answer.scores.shape
        row_step, column_step = _step(plan.rows, height), _step(plan.columns, width)
        self._rows = Lattice(plan.rows, row_step, plan.scale[1], window.y, window.bottom)
        self._columns = Lattice(plan.columns, column_step, plan.scale[0], window.x, window.right)
        self._blocks: dict[tuple[int, int], _Block] = {}
        self._finished: set[Tile] = set()  # in an earlier process: all their blocks are drawn
        self._ids = segment_ids(answer.categories)

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the scores of a tile."""
        return self._rows.count, self._columns.count

    @property
    def nbytes(self) -> int:
        """Memory of all scores that wait."""
        kept = [a for b in self._blocks.values() for a in (b.sums, b.weights) if a is not None]
        return sum(array.nbytes for array in kept)

    @property
    def waiting(self) -> set[Tile]:
        """Tiles that have answered, but of which something is not drawn yet."""
        return {tile for block in self._blocks.values() for tile in block.seen}

    def add(self, tile: Tile, answer: CategoryScores) -> None:
        """Take the answer for a tile, and draw all that it completes."""
        scores = scaled_to(answer.scores, self.shape)
        top, left = self._rows.offset(tile[0]), self._columns.offset(tile[1])
        for row, column in self._stretches(tile):
            part = scores[
                :,
                row.first - top : row.last - top + 1,
                column.first - left : column.last - left + 1,
            ]
            if len(row.tiles) == len(column.tiles) == 1:
                self._draw(row, column, part)
            else:
                self._collect(tile, row, column, part)

    def skip(self, tile: Tile) -> None:
        """Leave a tile out."""
        for row, column in self._stretches(tile):
            if len(row.tiles) > 1 or len(column.tiles) > 1:
                self._collect(tile, row, column, None)

    def restore(self, finished: set[Tile]) -> None:
        """Go on after some tiles of which all is drawn."""
        self._finished = finished

    def _stretches(self, tile: Tile) -> Iterator[tuple[Stretch, Stretch]]:
        for row, column in product(self._rows.of_tile(tile[0]), self._columns.of_tile(tile[1])):
            if self._finished.isdisjoint(product(row.tiles, column.tiles)):
                yield row, column

    def _collect(self, tile: Tile, row: Stretch, column: Stretch, part: Scores | None) -> None:
        """Add a tile's scores to a block, or nothing when it is left out; draw a full one."""
        block = self._blocks.setdefault((row.number, column.number), _Block())
        block.seen.add(tile)
        if part is not None:
            across = self._columns.weights(column, tile[1])
            weights = self._rows.weights(row, tile[0])[:, np.newaxis] * across
            if block.sums is None or block.weights is None:
                block.sums, block.weights = part * weights, weights
            else:
                block.sums += part * weights
                block.weights += weights
        if len(block.seen) == len(row.tiles) * len(column.tiles):
            del self._blocks[row.number, column.number]
            if block.sums is not None and block.weights is not None:
                self._draw(row, column, block.sums / block.weights)

    def _draw(self, row: Stretch, column: Stretch, scores: Scores) -> None:
        (top, bottom), (left, right) = self._rows.pixels(row), self._columns.pixels(column)
        if top >= bottom or left >= right:
            return
        rows, columns = self._rows.axis(row), self._columns.axis(column)
        for first, winners in winners_at(scores, rows, columns):
            ids = self._ids[winners]
            self._growing.write(0, Window(left, top + first, right - left, len(ids)), ids)
            self._note(present_ids(ids))

    def _note(self, present: set[int]) -> None:
        for segment_id in present - self._growing.segments.keys():
            category = self._category(segment_id)
            self._growing.add_segment(Segment(segment_id, category.id))

    def _category(self, segment_id: int) -> Category:
        return self._growing.categories[int(np.flatnonzero(self._ids == segment_id)[0])]


def scaled_to(scores: Scores, shape: tuple[int, int]) -> Scores:
    """Return (categories, h, w) scores at another resolution: bilinear, half-pixel centres."""
    for axis, size in zip((1, 2), shape, strict=True):
        if scores.shape[axis] == size:
            continue
        pixels = Axis.between(scores.shape[axis], size)
        share = pixels.share[:, np.newaxis] if axis == 1 else pixels.share
        scores = (
            scores.take(pixels.first, axis) * (1 - share) + scores.take(pixels.second, axis) * share
        )
    return scores


def _step(line: Line, count: int) -> float:
    """Return how many pixels of a tile a score stands for: the model's own, where tiles fit it.

    Otherwise scores are scaled a little, so that those of all tiles lie on one lattice.
    """
    own = line.size / count
    if len(line) == 1 or line.step % own == 0:
        return own
    step = line.step
    while step > max(own, 1):
        step //= 2
    return float(step)
