"""Runs of equal ids along the rows of a label array, grouped by segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Runs:
    """All runs of an array, and which of them are of a known segment.

    A segment's slot is the place of its id in the sorted list of all ids.
    """

    starts: NDArray[np.int64]  # first pixel of every run, rows one after the other
    lengths: NDArray[np.int64]  # of every run
    known: NDArray[np.int64]  # numbers of the runs that are of a segment, sorted by its slot
    firsts: NDArray[np.int64]  # where the runs of each segment begin in `known`
    slots: NDArray[np.int64]  # of each segment, ascending
    y: NDArray[np.int64]  # row of each known run
    x: NDArray[np.int64]  # first column of each known run
    right: NDArray[np.int64]  # first column after each known run

    @classmethod
    def of(cls, ids: Numbers, known_ids: Numbers) -> Runs:
        """Return the runs of a (rows, columns) array; ``known_ids`` are sorted and not empty."""
        is_start = np.ones(ids.shape, bool)
        is_start[:, 1:] = ids[:, 1:] != ids[:, :-1]
        starts = np.flatnonzero(is_start)
        lengths = np.diff(starts, append=ids.size)
        slots, is_known = slots_of(ids.ravel()[starts], known_ids)
        known = np.flatnonzero(is_known)
        known = known[np.argsort(slots[known], kind="stable")]
        slots = slots[known]
        firsts = np.flatnonzero(np.diff(slots, prepend=-1))
        y, x = np.divmod(starts[known], ids.shape[1])
        return cls(starts, lengths, known, firsts, slots[firsts], y, x, x + lengths[known])

    @property
    def widths(self) -> NDArray[np.int64]:
        """Pixels of each known run."""
        return self.right - self.x

    def sums(self, values: Numbers) -> Numbers:
        """Return the sum over the known runs of each segment."""
        return np.add.reduceat(values, self.firsts)

    def spread(self, values: Numbers) -> Numbers:
        """Return a value of each segment once for each of its known runs."""
        return np.repeat(values, np.diff(self.firsts, append=len(self.known)))


def slots_of(ids: Numbers, known_ids: Numbers) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the slot of each id, and whether it is a known one (else its slot means nothing)."""
    slots = np.minimum(np.searchsorted(known_ids, ids), len(known_ids) - 1)
    return slots, known_ids[slots] == ids
