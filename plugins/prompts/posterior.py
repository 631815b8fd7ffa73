"""How likely each pixel is to belong to a segment, from its colour, its place and its neighbours.

Colours of segment and surroundings are modelled by two smoothed histograms, weighted by the
probabilities so far; Bayes' rule with a prior of place gives new ones; a guided filter (He, Sun &
Tang, "Guided image filtering", 2013) spreads them up to the edges of the image. A few rounds of
that settle. The filter is a linear model of colour around each pixel, so that it gives sharp edges
at a finer resolution too (He & Sun, "Fast guided filter", 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_BINS = 16  # a side of the colour cube
_RARE = 1e-5  # share of a colour that was never seen
_ROUNDS = 4
_REACH = 0.04  # radius of the filter, of the longer side
_FLATTEN = 1e-3  # differences of colour that the filter takes for noise, squared
_MOST = 15.0  # log odds that no colour can add to


@dataclass(frozen=True)
class Posterior:
    """What is known of each pixel of a patch."""

    probability: Array  # (rows, columns) float32
    evidence: Array  # (rows, columns) log odds of colour alone
    slope: Array  # (rows, columns, 3): probability = slope . colours + offset
    offset: Array  # (rows, columns)

    def at(self, colours: Array) -> Array:
        """Return (rows, columns) probabilities on a finer grid of colours."""
        size = colours.shape[1::-1]
        slope, offset = (cv2.resize(part, size) for part in (self.slope, self.offset))
        found: Array = np.clip(np.einsum("yxc,yxc->yx", slope, colours) + offset, 0, 1)
        return found


def posterior(colours: Array, prior: Array, known: Array) -> Posterior:
    """Tell a segment from its surroundings.

    Parameters
    ----------
    colours
        (rows, columns, 3) float32 from 0 to below 1.
    prior
        (rows, columns) log odds of each place.
    known
        (rows, columns) int8: 1 on the segment, 0 off it, -1 where that is the question.
    """
    bins = (colours * _BINS).astype(np.int32) @ np.array([_BINS * _BINS, _BINS, 1], np.int32)
    guide = _Guide(colours)
    probability = _with_known(_sigmoid(prior), known)
    for _ in range(_ROUNDS):
        inside, outside = _histogram(bins, probability), _histogram(bins, 1 - probability)
        evidence = np.log((inside + _RARE) / (outside + _RARE))[bins]
        probability = _with_known(_sigmoid(prior + evidence), known)
        slope, offset = guide.model(probability)
        spread = np.einsum("yxc,yxc->yx", slope, colours) + offset
        probability = _with_known(np.clip(spread, 0, 1), known)
    return Posterior(probability, evidence, slope, offset)


class _Guide:
    """The image that guides the filter, prepared once for all rounds."""

    def __init__(self, colours: Array) -> None:
        self._colours = colours
        self._radius = max(1, int(_REACH * max(colours.shape)))
        self._mean = self._average(colours)
        products = (colours[..., :, None] * colours[..., None, :]).reshape(*colours.shape[:2], 9)
        covariance = np.dstack([self._average(products[..., i]) for i in range(9)])
        covariance = covariance.reshape(*colours.shape[:2], 3, 3)
        covariance -= self._mean[..., :, None] * self._mean[..., None, :]
        self._inverse = np.linalg.inv(covariance + _FLATTEN * np.eye(3, dtype=np.float32))

    def model(self, values: Array) -> tuple[Array, Array]:
        """Return the slope and offset of the best linear model of colour around each pixel."""
        mean = self._average(values)
        together = self._average(self._colours * values[..., None]) - self._mean * mean[..., None]
        slope = np.einsum("yxij,yxj->yxi", self._inverse, together)
        offset = mean - np.einsum("yxi,yxi->yx", slope, self._mean)
        return self._average(slope), self._average(offset)

    def _average(self, values: Array) -> Array:
        side = 2 * self._radius + 1
        averages: Array = cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)
        return averages


def _histogram(bins: Array, weights: Array) -> Array:
    """Return the share of each colour, smoothed over its neighbours in the colour cube."""
    counts = np.bincount(bins.ravel(), weights.ravel(), _BINS**3).astype(np.float32)
    cube = counts.reshape(_BINS, _BINS, _BINS)
    for _ in range(3):  # one axis after the other
        plane = cube.reshape(_BINS, -1)
        plane = cv2.GaussianBlur(plane, (1, 7), 1, sigmaY=1, borderType=cv2.BORDER_REPLICATE)
        cube = plane.reshape(_BINS, _BINS, _BINS).transpose(1, 2, 0)
    shares: Array = np.ascontiguousarray(cube).ravel() / max(float(counts.sum()), 1e-9)
    return shares


def _sigmoid(log_odds: Array) -> Array:
    values: Array = 1 / (1 + np.exp(-np.clip(log_odds, -_MOST, _MOST)))
    return values.astype(np.float32)


def _with_known(probability: Array, known: Array) -> Array:
    return np.where(known < 0, probability, known).astype(np.float32)
