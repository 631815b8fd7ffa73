"""Arrays of segment ids: counting and replacing them quickly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]

_SPARSE = 4  # places of a table for each id, up to which it is quicker than sorting
_DENSE = 2**20  # a range of ids up to which a table of counts is quicker than sorting


def count_ids(ids: NDArray[Any]) -> dict[int, int]:
    """Return how often each id but 0 occurs in an array of any shape."""
    if not ids.size:
        return {}
    low = int(ids.min())
    if int(ids.max()) - low < _DENSE:
        shifted = ids.ravel() if low == 0 else ids.ravel() - low
        counts = np.bincount(shifted)
        values = counts.nonzero()[0]
        pairs = zip((values + low).tolist(), counts[values].tolist(), strict=True)
    else:
        values, counts = np.unique(ids, return_counts=True)
        pairs = zip(values.tolist(), counts.tolist(), strict=True)
    return {segment: count for segment, count in pairs if segment}


def map_ids(ids: NDArray[Any], new_id: Callable[[int], int]) -> Ids:
    """Return ids, each replaced by ``new_id`` of it, which is called once an id."""
    if not ids.size:
        return ids.astype(np.int32)
    low = int(ids.min())
    if int(ids.max()) - low < min(_DENSE, _SPARSE * ids.size):
        shifted = ids if low == 0 else ids - low
        present = np.bincount(shifted.ravel()).nonzero()[0]
        table = np.zeros(int(present[-1]) + 1, np.int32)
        table[present] = [new_id(segment) for segment in (present + low).tolist()]
        found: Ids = table[shifted]
        return found
    present = np.unique(ids, return_counts=True)[0]  # with counts it sorts, which is quicker
    new_ids = np.array([new_id(segment) for segment in present.tolist()], np.int32)
    replaced: Ids = new_ids[np.searchsorted(present, ids)]
    return replaced
