"""Tiles of segment ids at rest: compressed, immutable, shared by all who need them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.ids import count_ids

_LEVEL = 1  # of zstd: a stroke waits for it
_FEW = 4  # segments that are looked for one by one
_OVERHEAD = 160  # bytes, roughly, of the objects around the data


class PackedTile:
    """A tile with more than one id, as zstd bytes of its rows.

    Attributes
    ----------
    side
        Rows and columns.
    dtype
        The smallest unsigned type that holds all ids: "uint8", "uint16" or "uint32".
    low, high
        The lowest and the highest id.
    """

    __slots__ = ("__weakref__", "_data", "_present", "dtype", "high", "low", "side")

    def __init__(self, data: bytes, dtype: str, side: int, low: int, high: int) -> None:
        self._data = data
        self._present: frozenset[int] | None = None
        self.dtype, self.side, self.low, self.high = dtype, side, low, high

    @classmethod
    def of(cls, ids: NDArray[Any]) -> PackedTile:
        """Pack a square array of ids; equal ids give equal bytes."""
        import zstandard

        low, high = int(ids.min()), int(ids.max())
        small = np.ascontiguousarray(ids, np.min_scalar_type(high))
        # A copy: zstd's own result lies at the start of a block as large as the worst case.
        data = bytes(memoryview(zstandard.compress(small.data, _LEVEL)))
        return PackedTile(data, small.dtype.name, len(ids), low, high)

    @property
    def data(self) -> bytes:
        """The compressed ids."""
        return self._data

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return len(self.data) + _OVERHEAD

    def unpack(self) -> NDArray[Any]:
        """Return the (side, side) ids, read-only."""
        import zstandard

        return np.frombuffer(zstandard.decompress(self.data), self.dtype).reshape(
            self.side, self.side
        )

    def holds_any(self, segments: Sequence[int]) -> bool:
        """Say whether at least one of some ids, all above 0 and in order, is on the tile."""
        possible = segments[bisect_left(segments, self.low) : bisect_right(segments, self.high)]
        if self._present is None and len(possible) <= _FEW:
            ids = self.unpack() if possible else np.zeros(0, np.uint8)
            return any(bool(np.any(ids == segment)) for segment in possible)
        if self._present is None:
            self._present = frozenset(count_ids(self.unpack()))
        return not self._present.isdisjoint(possible)


AtRest = int | PackedTile
"""A uniform tile as its id, or a packed one."""
