"""Tells the category of each pixel from its features."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from segdesk_plugins.scribble.features import Floats, Pyramid
from segdesk_plugins.scribble.network import (
    Batch,
    Painted,
    Training,
    soft_targets,
    softmax,
    train,
)

from segdesk.api import Report, part

# By measurement: a few strokes tell little, so that all else in the image has to help.
STROKES = Training(steps=60, batch=256, hidden=24, rate=0.03, decision=1.5)
EXAMPLES = Training(steps=600, batch=512, hidden=64, rate=0.01, noise=0.6)

_WITHIN = 0.3  # weight of a unit matrix in the covariance of the linear part
_CLIP = 4.0  # standard deviations: what is stranger than that says no more
_BAND = 2**17  # pixels of the finest level that are classified at a time
_THREADS = 2  # more would wait for memory
_CEILING = 6.0  # largest score of the linear part, so that the rest can still correct it
_TEMPERATURES = (0.25, 0.5, 1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Sample:
    """Painted pixels."""

    features: Floats  # (N, features)
    targets: NDArray[np.intp]  # (N,) index of the category
    weights: Floats  # (N,) how much each pixel counts


class PixelClassifier:
    """Linear discriminant analysis, and a network with one hidden layer for the rest.

    The first layer of both is linear in the features, so each level of a pyramid is projected at
    its own resolution, and only the few projections are enlarged.

    Parameters
    ----------
    sample
        The painted pixels.
    spread
        (M, features) of pixels from all over the images.
    importance
        (features,) how much each feature counts.
    training
        How to learn.
    """

    def __init__(
        self,
        sample: Sample,
        spread: Floats,
        importance: Floats,
        training: Training,
        report: Report,
    ) -> None:
        self.categories = int(sample.targets.max()) + 1
        self._mean = spread.mean(0)
        varies = spread.std(0)
        importance = np.where(varies > 1e-5, importance, np.float32(0))  # as colour in grey images
        self._scale = importance / (varies + 1e-3)
        self._limit = _CLIP * importance
        inputs, others = self._standard(sample.features), self._standard(spread)
        wanted = soft_targets(sample.targets, self.categories)
        self._linear, self._offset = _discriminant(inputs, sample, wanted)
        painted = Painted(inputs, self._base(inputs), wanted, sample.weights)
        unpainted = Batch(others, self._base(others))
        self._layers = train(painted, unpainted, importance, training, report)

    def probabilities(self, pyramid: Pyramid, report: Report) -> Floats:
        """Return the (categories, rows, columns) probabilities of an image."""
        rows, columns = pyramid.size
        result = np.empty((self.categories, rows, columns), np.float32)
        report(0.0, "Classifying")
        coarse = self._coarse_projection(pyramid, part(report, 0.0, 0.2))
        finest = pyramid.levels[0]

        def classify(band: slice) -> None:
            projected = self._project(finest[:, band], 0)
            _add_enlarged(projected, coarse, band.start)
            scores = self._scores(projected.reshape(len(projected), -1))
            found = softmax(scores, 0).reshape(self.categories, *projected.shape[1:])
            result[:, band] = found[:, : rows - band.start, :columns]

        with ThreadPoolExecutor(_THREADS) as threads:
            bands = list(_bands(rows + rows % 2, finest.shape[2]))
            for first in range(0, len(bands), _THREADS):
                report(0.2 + 0.8 * first / len(bands), "Classifying")
                list(threads.map(classify, bands[first : first + _THREADS]))
        return result

    def _base(self, inputs: Floats) -> Floats:
        return inputs @ self._linear + self._offset

    def _coarse_projection(self, pyramid: Pyramid, report: Report) -> Floats:
        """Return the projections of all levels but the finest, summed on the second."""
        last = len(pyramid.levels) - 1
        total = self._project(pyramid.levels[last], last)
        for level in range(last - 1, 0, -1):
            report(0.5**level, "Classifying")
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
        matrix = np.concatenate([self._linear[own], self._layers.first[own]], 1)
        shift = (-self._mean[own] * self._scale[own]) @ matrix
        if level == 0:
            shift += np.concatenate(
                [self._offset + self._layers.second_offset, self._layers.first_offset]
            )
        scaled = np.ascontiguousarray((matrix * self._scale[own, np.newaxis]).T)
        projected = scaled @ features.reshape(count, -1)
        projected += shift[:, np.newaxis]
        return projected.reshape(-1, *features.shape[1:])

    def _scores(self, projected: Floats) -> Floats:
        """Return (categories, pixels) from the (sum, pixels) projections of all levels."""
        hidden = projected[self.categories :]
        np.maximum(hidden, 0, out=hidden)
        scores = np.ascontiguousarray(self._layers.second.T) @ hidden
        scores += projected[: self.categories]
        return scores

    def _standard(self, features: Floats) -> Floats:
        scaled = (features - self._mean) * self._scale
        clipped: Floats = np.clip(scaled, -self._limit, self._limit)
        return clipped


def _discriminant(inputs: Floats, sample: Sample, wanted: Floats) -> tuple[Floats, Floats]:
    """Return matrix and offset of the linear part, at the temperature that fits best."""
    categories = wanted.shape[1]
    groups = [inputs[sample.targets == k] for k in range(categories)]
    means = np.stack([group.mean(0) for group in groups])
    covariance = _WITHIN * np.eye(inputs.shape[1], dtype=np.float32)
    for group, mean in zip(groups, means, strict=True):
        away = group - mean
        covariance += away.T @ away / np.float32(categories * len(group))
    matrix = np.linalg.solve(covariance, means.T).astype(np.float32)
    offset = (-0.5 * (means.T * matrix).sum(0)).astype(np.float32)
    scores = inputs @ matrix + offset
    chosen = np.arange(len(inputs)), sample.targets
    share, rest = wanted.max(1), wanted.min(1)

    def loss(factor: float) -> float:
        sure = softmax(scores * np.float32(factor))[chosen] * (share - rest) + rest
        return float(-(sample.weights * np.log(sure)).mean())

    strength = np.abs(scores - scores.mean(1, keepdims=True)).max()
    factor = np.float32(min(min(_TEMPERATURES, key=loss), _CEILING / max(strength, 1e-6)))
    return matrix * factor, offset * factor


def _bands(rows: int, columns: int) -> Iterator[slice]:
    """Yield bands of an even number of rows."""
    height = max(2, _BAND // columns // 2 * 2)
    for top in range(0, rows, height):
        yield slice(top, min(top + height, rows))


def _add_enlarged(finer: Floats, coarse: Floats, top: int) -> None:
    """Add twice the size of a stack of planes, from row ``top`` on, to a finer stack."""
    _, rows, columns = finer.shape
    first = max(0, top // 2 - 1)
    last = min(coarse.shape[1], (top + rows) // 2 + 1)
    start = top - 2 * first
    for plane, small in zip(finer, coarse[:, first:last], strict=True):
        large = cv2.resize(small, (columns, 2 * (last - first)))
        cv2.add(plane, large[start : start + rows], plane)
