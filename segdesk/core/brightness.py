"""Sums of the pixel values under segments, gathered tile by tile."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.image import Pixels
from segdesk.core.moments import Moments
from segdesk.core.runs import Runs


class Brightness:
    """Count, mean, spread and range of one band; one slot a segment.

    What is not finite, or is the image's "no data", does not count.
    """

    def __init__(self, size: int, nodata: float | None) -> None:
        self._nodata = nodata
        self._moments = Moments(size, ((0, 0),))
        self._lowest = np.full(size, np.inf)
        self._highest = np.full(size, -np.inf)

    @property
    def statistics(self) -> dict[str, NDArray[np.float64]]:
        """Mean, min, max and std (of the population), each (segments,) float64; nan for none."""
        counts = self._moments.counts
        some, at_least_one = counts > 0, np.maximum(counts, 1)
        values = {
            "mean": self._moments.means[0],
            "min": self._lowest,
            "max": self._highest,
            "std": np.sqrt(self._moments.products[0] / at_least_one),
        }
        return {name: np.where(some, value, np.nan) for name, value in values.items()}

    def add(self, runs: Runs, pixels: Pixels) -> None:
        """Add the (rows, columns) pixels of a tile."""
        values = pixels.ravel().astype(np.float64)
        counted = self._counted(values)
        if counted is None:
            lengths, lows, highs = runs.lengths, values, values
        else:
            lengths = np.add.reduceat(counted, runs.starts, dtype=np.int64)
            lows, highs = np.where(counted, values, np.inf), np.where(counted, values, -np.inf)
            values = np.where(counted, values, 0)
        counts = runs.sums(lengths[runs.known])
        sums = runs.sums(np.add.reduceat(values, runs.starts)[runs.known])
        means = sums / np.maximum(counts, 1)
        values = values - self._under(runs, means)
        values *= values
        if counted is not None:
            values *= counted
        products = runs.sums(np.add.reduceat(values, runs.starts)[runs.known])
        some = counts > 0
        self._moments.add(runs.slots[some], counts[some], means[None, some], products[None, some])
        self._add_range(runs, lows, highs)

    def _counted(self, values: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Return which values count; None for all."""
        counted = np.isfinite(values)
        if self._nodata is not None:
            counted &= values != self._nodata
        return None if counted.all() else counted

    def _under(self, runs: Runs, means: NDArray[Any]) -> NDArray[Any]:
        """Return for every pixel the mean of its segment, 0 elsewhere."""
        by_run = np.zeros(len(runs.starts))
        by_run[runs.known] = runs.spread(means)
        return np.repeat(by_run, runs.lengths)

    def _add_range(self, runs: Runs, lows: NDArray[Any], highs: NDArray[Any]) -> None:
        slots, known, firsts = runs.slots, runs.known, runs.firsts
        low = np.minimum.reduceat(np.minimum.reduceat(lows, runs.starts)[known], firsts)
        high = np.maximum.reduceat(np.maximum.reduceat(highs, runs.starts)[known], firsts)
        self._lowest[slots] = np.minimum(self._lowest[slots], low)
        self._highest[slots] = np.maximum(self._highest[slots], high)
