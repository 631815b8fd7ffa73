"""The pixels of one segment, or of none, that hang together with a pixel: found tile by tile.

From tile to tile goes only what touches across the seam, so cost follows what is found and not the
size of the label map.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.ids import Ids
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, silent
from segdesk.core.raster import Mask
from segdesk.core.tile import TILE

MOST_TILES = 2**18  # that are looked at; the sides of each are kept meanwhile

_Place = tuple[int, int]  # tile column and row
_Sides = dict[_Place, "NDArray[np.uint16] | int"]  # by direction

_OPPOSITE: dict[_Place, _Place] = {
    (-1, 0): (1, 0),
    (1, 0): (-1, 0),
    (0, -1): (0, 1),
    (0, 1): (0, -1),
}


def flood(
    planes: Sequence[LabelMap], x: int, y: int, frame: int = 0, report: Report = silent
) -> Iterator[tuple[Window, Mask]]:
    """Yield the pixels of the same topmost segment that are joined by their sides to (x, y).

    They come tile by tile, as a window and a mask of its shape. ``SegdeskError`` when they lie on
    more than ``MOST_TILES`` tiles.
    """
    sought = _top(planes, Window(x, y, 1, 1), frame)[0, 0]
    pieces = _Pieces(planes, frame, int(sought))
    start = x // TILE, y // TILE
    here = pieces.of(start)
    first = here if isinstance(here, int) else int(here[y % TILE, x % TILE])
    for place, found in _spread(pieces, start, first, report).items():
        report(1.0, "Painting")
        window, numbers = pieces.window(place), pieces.of(place)
        if isinstance(numbers, int):
            yield window, np.ones(window.shape, np.bool_)
        else:
            yield window, np.isin(numbers, list(found))


class _Pieces:
    """What of the sought segment hangs together on each tile by itself, numbered from 1."""

    def __init__(self, planes: Sequence[LabelMap], frame: int, sought: int) -> None:
        self._planes, self._frame, self._sought = planes, frame, sought
        self._sides: dict[_Place, _Sides] = {}

    def window(self, place: _Place) -> Window:
        """Return the pixels of a tile; empty where there is none."""
        if min(place) < 0:
            return Window(0, 0, 0, 0)
        return self._planes[0].tile_window((*place, self._frame))

    def of(self, place: _Place) -> NDArray[np.uint16] | int:
        """Return the numbers on a tile: one where all of it is the same."""
        tiles = [plane.tile((*place, self._frame)) for plane in self._planes]
        if all(isinstance(tile, int) for tile in tiles):
            return int(next((tile for tile in reversed(tiles) if tile), 0) == self._sought)
        import cv2

        same = _top(self._planes, self.window(place), self._frame) == self._sought
        numbers: NDArray[np.uint16] = cv2.connectedComponents(
            same.astype(np.uint8), connectivity=4, ltype=cv2.CV_16U
        )[1]
        return numbers

    def sides(self, place: _Place) -> _Sides:
        """Return the numbers along each side of a tile."""
        if place not in self._sides:
            if len(self._sides) == MOST_TILES:
                raise SegdeskError("The region is too large to be filled at once: draw a border.")
            numbers = self.of(place)
            self._sides[place] = _sides_of(numbers)
        return self._sides[place]


def _spread(pieces: _Pieces, start: _Place, first: int, report: Report) -> dict[_Place, set[int]]:
    """Return the pieces of each tile that hang together with one of them."""
    found: dict[_Place, set[int]] = {start: {first}}
    todo = [(start, first)]
    while todo:
        report(0.0, f"{len(found):,} tiles")
        place, piece = todo.pop()
        for direction, mine in pieces.sides(place).items():
            other = place[0] + direction[0], place[1] + direction[1]
            if not pieces.window(other):
                continue
            theirs = pieces.sides(other)[_OPPOSITE[direction]]
            for number in _across(mine, theirs, piece) - found.setdefault(other, set()):
                found[other].add(number)
                todo.append((other, number))
    return {place: numbers for place, numbers in found.items() if numbers}


def _across(
    mine: NDArray[np.uint16] | int, theirs: NDArray[np.uint16] | int, piece: int
) -> set[int]:
    """Return the pieces beyond a seam that touch one on this side."""
    if isinstance(mine, int) and isinstance(theirs, int):
        return {theirs} - {0}
    touched = np.broadcast_arrays(mine, theirs)[1][np.equal(mine, piece)]
    return set(np.unique(touched).tolist()) - {0}


def _sides_of(numbers: NDArray[np.uint16] | int) -> _Sides:
    if isinstance(numbers, int):
        return dict.fromkeys(_OPPOSITE, numbers)
    rows = {(0, -1): numbers[0], (0, 1): numbers[-1]}
    columns = {(-1, 0): numbers[:, 0], (1, 0): numbers[:, -1]}
    return {direction: side.copy() for direction, side in (rows | columns).items()}


def _top(planes: Sequence[LabelMap], window: Window, frame: int) -> Ids:
    """Return the topmost segment id at every pixel of a window."""
    ids = planes[0].read(window, 0, frame)
    for plane in planes[1:]:
        above = plane.read(window, 0, frame)
        np.copyto(ids, above, where=above > 0)
    return ids
