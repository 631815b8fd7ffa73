"""Which segments an operation is for, and where they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core import tile
from segdesk.core.geometry import Window
from segdesk.core.ids import count_ids
from segdesk.core.labelmap import LabelMap
from segdesk.core.raster import Mask
from segdesk.core.tile import TileIndex


@dataclass(frozen=True)
class Chosen:
    """Segments of a label map: some or all of them, on one frame or on every one."""

    ids: frozenset[int] | None = None  # None: all
    frame: int | None = None  # None: every frame

    def indices(self, labels: LabelMap) -> list[TileIndex]:
        """Return the tiles that may hold some of their pixels, frame by frame and row by row."""
        found = labels.indices() if self.ids is None else labels.indices_of(self.ids)
        here = (i for i in found if self.frame in (None, i[2]))
        return sorted(here, key=lambda index: index[::-1])

    def near(self, labels: LabelMap, reach: int) -> list[TileIndex]:
        """Return the tiles that lie within some pixels of those of ``indices``."""
        near = {
            (column, row, index[2])
            for index in self.indices(labels)
            for column, row in labels.tile_window(index)
            .padded(reach)
            .intersection(labels.window)
            .tiles(tile.TILE)
        }
        return sorted(near, key=lambda index: index[::-1])

    def mask(self, ids: NDArray[Any]) -> Mask:
        """Return where an array of ids holds one of them."""
        if self.ids is None:
            return ids > 0
        if len(self.ids) == 1:
            result: Mask = ids == next(iter(self.ids))
            return result
        return np.isin(ids, np.fromiter(self.ids, np.int64, len(self.ids)))

    def windows(self, labels: LabelMap) -> dict[tuple[int, int], Window]:
        """Return the smallest window around each segment on each frame: by (id, frame)."""
        windows: dict[tuple[int, int], Window] = {}
        for index in self.indices(labels):
            for segment, part in self._windows_on(labels, index):
                key = segment, index[2]
                windows[key] = windows[key].union(part) if key in windows else part
        return windows

    def _windows_on(self, labels: LabelMap, index: TileIndex) -> Iterator[tuple[int, Window]]:
        held, inside = labels.tile(index), labels.tile_window(index)
        if isinstance(held, int):
            if held and (self.ids is None or held in self.ids):
                yield held, inside
            return
        from scipy.ndimage import find_objects

        ids = held[: inside.height, : inside.width]
        present = np.array(sorted(count_ids(ids)), np.int64)
        numbers = np.searchsorted(present, ids) + 1
        numbers[ids == 0] = 0
        for segment, slices in zip(present.tolist(), find_objects(numbers), strict=True):
            if self.ids is None or segment in self.ids:
                yield segment, _window_of(slices).shifted(inside.x, inside.y)


def _window_of(slices: tuple[slice, slice]) -> Window:
    rows, columns = slices
    return Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
