"""Means and central moments, gathered part by part without losing digits.

Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
variances", 1979.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]


class Moments:
    """Count, means and sums of products of deviations, for each of some segments.

    Attributes
    ----------
    counts
        (segments,) float64
    means
        (variables, segments) float64
    products
        (pairs, segments) float64: the sum of the products of two variables' deviations
    """

    def __init__(self, size: int, pairs: tuple[tuple[int, int], ...]) -> None:
        variables = 1 + max(max(pair) for pair in pairs)
        self._first, self._second = np.array(pairs).T
        self.counts = np.zeros(size)
        self.means = np.zeros((variables, size))
        self.products = np.zeros((len(pairs), size))

    def add(self, slots: Numbers, counts: Numbers, means: Numbers, products: Numbers) -> None:
        """Add a part; ``slots`` are different from each other, ``counts`` positive."""
        before = self.counts[slots]
        total = before + counts
        deltas = means - self.means[:, slots]
        cross = deltas[self._first] * deltas[self._second] * (before * counts / total)
        self.counts[slots] = total
        self.means[:, slots] += deltas * (counts / total)
        self.products[:, slots] += products + cross
