"""A small network that learns pixel categories in a fraction of a second."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from segdesk_plugins.scribble.features import Floats, Pyramid

from segdesk.api import Report

_WITHIN = 0.3  # weight of a unit matrix in the covariance of the linear part
_CLIP = 4.0  # standard deviations: what is stranger than that says no more
_SMOOTH = 0.1  # of each target is shared by all categories
_BATCH = 512
_BAND = 256  # rows of the finest level that are classified at a time
_CEILING = 6.0  # largest score of the linear part, so that the rest can still correct it


@dataclass(frozen=True)
class Training:
    """How a network is trained."""

    steps: int
    hidden: int  # units
    noise: float  # standard deviations added to each feature


STROKES = Training(steps=60, hidden=32, noise=0.3)
EXAMPLES = Training(steps=600, hidden=64, noise=0.6)


class PixelClassifier:
    """Linear discriminant analysis, and a network with one hidden layer for the rest.

    The first layer of both is linear in the features, so each level of a pyramid is projected at
    its own resolution, and only the few projections are enlarged.

    Parameters
    ----------
    features
        (N, features) of the painted pixels.
    targets
        (N,) index of each one's category.
    weights
        (N,) how much each pixel counts.
    spread
        (M, features) of pixels from all over the images.
    importance
        (features,) how much each feature counts.
    """

    def __init__(
        self,
        data: tuple[Floats, NDArray[np.intp], Floats],
        spread: Floats,
        importance: Floats,
        training: Training,
        report: Report,
    ) -> None:
        features, targets, weights = data
        self.categories = int(targets.max()) + 1
        self._mean = spread.mean(0)
        varies = spread.std(0)
        importance = np.where(varies > 1e-5, importance, np.float32(0))  # as colour in grey images
        self._scale = importance / (varies + 1e-3)
        self._limit = _CLIP * importance
        inputs = self._standard(features)
        self._linear, self._offset = self._discriminant(inputs, targets, weights)
        base = inputs @ self._linear + self._offset
        strength = np.abs(base - base.mean(1, keepdims=True)).max()
        damping = np.float32(min(1.0, _CEILING / max(strength, 1e-6)))
        self._linear, self._offset, base = (
            part * damping for part in (self._linear, self._offset, base)
        )
        self._layers = self._train(inputs, targets, weights, base, training, report)

    def probabilities(self, pyramid: Pyramid, report: Report) -> Floats:
        """Return the (categories, rows, columns) probabilities of an image."""
        rows, columns = pyramid.size
        finest = pyramid.levels[0]
        result = np.empty((self.categories, rows, columns), np.float32)
        coarse = self._coarse_projection(pyramid)
        for top in range(0, rows, _BAND):
            report(top / rows, "Classifying")
            bottom = min(top + _BAND, finest.shape[1])
            projected = self._project(finest[:, top:bottom], 0)
            _add_enlarged(projected, coarse, top)
            scores = self._scores(projected.reshape(len(projected), -1))
            band = softmax(scores, 0).reshape(self.categories, bottom - top, -1)
            result[:, top:bottom] = band[:, : rows - top, :columns]
        return result

    def _coarse_projection(self, pyramid: Pyramid) -> Floats:
        """Return the projections of all levels but the finest, summed on the second."""
        last = len(pyramid.levels) - 1
        total = self._project(pyramid.levels[last], last)
        for level in range(last - 1, 0, -1):
            finer = self._project(pyramid.levels[level], level)
            _add_enlarged(finer, total, 0)
            total = finer
        return total

    def _project(self, features: Floats, level: int) -> Floats:
        """Return what one level adds to (linear scores, hidden units): (sum, rows, columns).

        Features far from the usual are not clipped here, as they are in training: that would
        cost more than it gives.
        """
        count = len(features)
        own = slice(level * count, (level + 1) * count)
        matrix = np.concatenate([self._linear[own], self._layers[0][own]], 1)
        shift = (-self._mean[own] * self._scale[own]) @ matrix
        scaled = np.ascontiguousarray((matrix * self._scale[own, np.newaxis]).T)
        projected = scaled @ features.reshape(count, -1)
        projected += shift[:, np.newaxis]
        return projected.reshape(-1, *features.shape[1:])

    def _scores(self, projected: Floats) -> Floats:
        """Return (categories, pixels) from the (sum, pixels) projections of all levels."""
        _, first_offset, second, second_offset = self._layers
        hidden = projected[self.categories :]
        hidden += first_offset[:, np.newaxis]
        np.maximum(hidden, 0, out=hidden)
        scores = np.ascontiguousarray(second.T) @ hidden
        scores += projected[: self.categories]
        scores += (self._offset + second_offset)[:, np.newaxis]
        return scores

    def _standard(self, features: Floats) -> Floats:
        scaled = (features - self._mean) * self._scale
        clipped: Floats = np.clip(scaled, -self._limit, self._limit)
        return clipped

    def _discriminant(
        self, inputs: Floats, targets: NDArray[np.intp], weights: Floats
    ) -> tuple[Floats, Floats]:
        """Return matrix and offset of the linear part, at the temperature that fits best."""
        count = inputs.shape[1]
        groups = [inputs[targets == k] for k in range(self.categories)]
        means = np.stack([group.mean(0) for group in groups])
        spreads = [
            np.cov(g.T, bias=True) if len(g) > 1 else np.zeros((count, count)) for g in groups
        ]
        covariance = sum(spreads) / self.categories + _WITHIN * np.eye(count)
        matrix = np.linalg.solve(covariance, means.T).astype(np.float32)
        offset = (-0.5 * (means.T * matrix).sum(0)).astype(np.float32)
        scores = inputs @ matrix + offset
        chosen = np.arange(len(targets)), targets

        def loss(factor: float) -> float:
            sure = softmax(scores * factor)[chosen] * (1 - _SMOOTH) + _SMOOTH / self.categories
            return float(-(weights * np.log(sure)).mean())

        factor = np.float32(min((0.25, 0.5, 1, 2, 4, 8, 16), key=loss))
        return matrix * factor, offset * factor

    def _train(
        self,
        inputs: Floats,
        targets: NDArray[np.intp],
        weights: Floats,
        base: Floats,
        training: Training,
        report: Report,
    ) -> list[Floats]:
        """Return the two layers: matrix, offset, matrix, offset. Source: Adam, Kingma 2014."""
        random = np.random.default_rng(0)
        layers = _fresh_layers(self._limit / _CLIP, training.hidden, self.categories, random)
        first, second = ([np.zeros_like(p) for p in layers] for _ in range(2))
        wanted = np.eye(self.categories, dtype=np.float32)[targets]
        wanted = wanted * (1 - _SMOOTH) + _SMOOTH / self.categories
        share = np.cumsum(weights / weights.sum())
        # Drawn once and shifted at each step: drawing takes longer than learning.
        shape = (4 * _BATCH, inputs.shape[1])
        noise = random.standard_normal(shape, dtype=np.float32)
        noise *= training.noise * self._limit / _CLIP
        for step in range(training.steps):
            if step % 10 == 0:
                report(step / training.steps, "Learning")
            draw = (random.random() + np.arange(_BATCH)) / _BATCH
            rows = np.minimum(np.searchsorted(share, draw), len(inputs) - 1)
            shift = random.integers(3 * _BATCH)
            batch = inputs[rows] + noise[shift : shift + _BATCH]
            gradients = _gradients(layers, batch, base[rows], wanted[rows])
            rate = 1e-2 * 0.5 * (1 + np.cos(np.pi * step / training.steps)) + 1e-5
            for value, gradient, m, v in zip(layers, gradients, first, second, strict=True):
                m += 0.1 * (gradient - m)
                v += 0.02 * (gradient * gradient - v)
                mean, square = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.98 ** (step + 1))
                value -= np.float32(rate) * mean / (np.sqrt(square) + 1e-7)
        return layers


def softmax(scores: Floats, axis: int = 1) -> Floats:
    """Return probabilities over an axis."""
    powers: Floats = scores - scores.max(axis, keepdims=True)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis, keepdims=True)
    return powers


def _fresh_layers(
    importance: Floats, hidden: int, categories: int, random: np.random.Generator
) -> list[Floats]:
    matrix = random.standard_normal((len(importance), hidden)) * np.sqrt(2 / (importance**2).sum())
    out = random.standard_normal((hidden, categories)) * 0.1 * np.sqrt(2 / hidden)
    parts = [matrix, random.uniform(-0.5, 0.5, hidden), out, np.zeros(categories)]
    return [part.astype(np.float32) for part in parts]


def _gradients(layers: list[Floats], batch: Floats, base: Floats, wanted: Floats) -> list[Floats]:
    first, first_offset, second, second_offset = layers
    hidden = np.maximum(batch @ first + first_offset, 0)
    error = (softmax(hidden @ second + second_offset + base) - wanted) / len(batch)
    back = (error @ second.T) * (hidden > 0)
    return [batch.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]


def _add_enlarged(finer: Floats, coarse: Floats, top: int) -> None:
    """Add twice the size of a stack of planes, from row ``top`` on, to a finer stack."""
    _, rows, columns = finer.shape
    first = max(0, top // 2 - 1)
    last = min(coarse.shape[1], (top + rows) // 2 + 1)
    start = top - 2 * first
    for plane, small in zip(finer, coarse[:, first:last], strict=True):
        large = cv2.resize(small, (columns, 2 * (last - first)))
        cv2.add(plane, large[start : start + rows], plane)
