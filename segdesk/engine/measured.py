"""Measurements of a layer, and which of them still hold after it has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.labelmap import LabelMap
from segdesk.core.measurements import Measurements
from segdesk.core.segmentation import Segmentation
from segdesk.core.tile import TileIndex

MOST_TILES = 100  # that are compared pixel by pixel; when more have changed, nothing holds


class Measured:
    """What was measured of a layer at one moment; values that no longer hold are nan."""

    def __init__(self, segmentation: Segmentation, table: Measurements) -> None:
        self._planes = [labels.snapshot() for labels in segmentation.planes]
        self._ids = table.columns["id"]
        self._holds = np.ones(len(table), bool)
        self._columns = {n: c for n, c in table.columns.items() if c.dtype.kind in "if"}

    @property
    def names(self) -> list[str]:
        """Names of the columns that hold measured numbers."""
        return [name for name in self._columns if name not in ("id", "category_id", "score")]

    def values(self, name: str, ids: NDArray[Any]) -> NDArray[np.float64]:
        """Return a column's values of some segments; nan where there is none that holds."""
        values = np.full(len(ids), np.nan)
        if len(self._ids):
            slots = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
            found = (self._ids[slots] == ids) & self._holds[slots]
            values[found] = self._columns[name][slots[found]]
        return values

    def outdate(self, planes: Sequence[LabelMap], indices: Iterable[TileIndex] | None) -> None:
        """Drop what was measured of segments that differ now, on some tiles or on all."""
        changed = [
            (old, new, index)
            for old, new in zip(self._padded(len(planes)), planes, strict=True)
            for index in (_all_of(old, new) if indices is None else indices)
            if old.packed(index) != new.packed(index)
        ]
        if len(changed) > MOST_TILES:
            self._holds[:] = False
        else:
            gone = {i for old, new, index in changed for i in _differing(old, new, index)}
            self._holds &= ~np.isin(self._ids, list(gone))

    def _padded(self, count: int) -> list[LabelMap]:
        """Return the planes as they were measured, with an empty one for each that came later."""
        while len(self._planes) < count:
            self._planes.append(self._planes[0].emptied())
        return self._planes[:count]


def _all_of(old: LabelMap, new: LabelMap) -> set[TileIndex]:
    return {*old.indices(), *new.indices()}


def _differing(old: LabelMap, new: LabelMap, index: TileIndex) -> set[int]:
    """Return the ids that a tile holds or held at the pixels that differ."""
    inside = old.tile_window(index)
    before, after = (labels.read(inside, 0, index[2]) for labels in (old, new))
    differs = before != after
    return {*np.unique(before[differs]).tolist(), *np.unique(after[differs]).tolist()} - {0}
