"""A network with one hidden layer that is trained in some milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdesk.api import Report

Floats = NDArray[np.float32]

_SMOOTH = 0.1  # of each target is shared by all categories
_FIRST_DECAY, _SECOND_DECAY = 0.9, 0.98


@dataclass(frozen=True)
class Training:
    """How a network is trained."""

    steps: int
    batch: int  # painted pixels at a time, and as many others
    hidden: int  # units
    rate: float  # of learning, at the start
    noise: float = 0.0  # standard deviations added to each feature
    decision: float = 0.0  # over categories: how much it matters to be sure of unpainted pixels


@dataclass(frozen=True)
class Batch:
    """Pixels to learn from."""

    inputs: Floats  # (N, features)
    base: Floats  # (N, categories) scores that those of the network are added to


@dataclass(frozen=True)
class Painted(Batch):
    """Pixels whose category is known."""

    wanted: Floats  # (N, categories) probabilities
    weights: Floats  # (N,) how much each pixel counts


class Layers(NamedTuple):
    """What a network has learned."""

    first: Floats  # (features, hidden)
    first_offset: Floats  # (hidden,)
    second: Floats  # (hidden, categories)
    second_offset: Floats  # (categories,)


def softmax(scores: Floats, axis: int = 1) -> Floats:
    """Return probabilities over an axis."""
    powers: Floats = scores - scores.max(axis, keepdims=True)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis, keepdims=True)
    return powers


def soft_targets(targets: NDArray[np.intp], categories: int) -> Floats:
    """Return the (N, categories) probabilities to be learned, none of them quite 0 or 1."""
    certain = np.eye(categories, dtype=np.float32)[targets]
    return certain * np.float32(1 - _SMOOTH) + np.float32(_SMOOTH / categories)


def train(
    painted: Painted, unpainted: Batch, importance: Floats, training: Training, report: Report
) -> Layers:
    """Learn the categories of painted pixels, and to be decided about the others.

    The second half puts the borders between categories where few pixels are. Source: Grandvalet
    and Bengio, Semi-supervised Learning by Entropy Minimization, 2004; Kingma and Ba, Adam, 2014.

    Parameters
    ----------
    painted, unpainted
        The pixels.
    importance
        (features,) the scale of each input.
    """
    random = np.random.default_rng(0)
    shapes = _shapes(len(importance), training.hidden, painted.base.shape[1])
    values, slopes = (np.zeros(sum(map(_size, shapes)), np.float32) for _ in range(2))
    layers, gradients = _views(values, shapes), _views(slopes, shapes)
    _scatter(layers, importance, random)
    inputs = np.concatenate([painted.inputs, unpainted.inputs])
    base = np.concatenate([painted.base, unpainted.base])
    first, second = np.zeros_like(values), np.zeros_like(values)
    noise = training.noise * importance
    decision = training.decision / painted.base.shape[1]
    draws = _draws(painted, unpainted, training, random)
    for step, rows in enumerate(draws):
        if step % 10 == 0:
            report(step / training.steps, "Learning")
        batch = inputs[rows]
        if training.noise:
            batch += noise * random.standard_normal(batch.shape, dtype=np.float32)
        hidden = np.maximum(batch @ layers.first + layers.first_offset, 0)
        found = softmax(hidden @ layers.second + layers.second_offset + base[rows])
        error = _error(found, painted.wanted[rows[: training.batch]], decision)
        _propagate(error, batch, hidden, layers, gradients)
        rate = training.rate * 0.5 * (1 + np.cos(np.pi * step / training.steps)) + 1e-5
        first += (1 - _FIRST_DECAY) * (slopes - first)
        second += (1 - _SECOND_DECAY) * (slopes * slopes - second)
        mean = first * np.float32(rate / (1 - _FIRST_DECAY ** (step + 1)))
        square = second * np.float32(1 / (1 - _SECOND_DECAY ** (step + 1)))
        values -= mean / (np.sqrt(square) + np.float32(1e-7))
    return layers


def _shapes(features: int, hidden: int, categories: int) -> list[tuple[int, ...]]:
    return [(features, hidden), (hidden,), (hidden, categories), (categories,)]


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))


def _views(values: Floats, shapes: list[tuple[int, ...]]) -> Layers:
    """Return the layers as views of one flat array, so that all are changed in one go."""
    ends = np.cumsum([_size(shape) for shape in shapes])
    return Layers(
        *(part.reshape(s) for part, s in zip(np.split(values, ends[:-1]), shapes, strict=True))
    )


def _scatter(layers: Layers, importance: Floats, random: np.random.Generator) -> None:
    """Start with small random values."""
    hidden = layers.first.shape[1]
    spread = np.sqrt(2 / max(float((importance**2).sum()), 1e-6))
    layers.first[:] = random.standard_normal(layers.first.shape) * spread
    layers.first_offset[:] = random.uniform(-0.5, 0.5, hidden)
    layers.second[:] = random.standard_normal(layers.second.shape) * 0.1 * np.sqrt(2 / hidden)


def _draws(
    painted: Painted, unpainted: Batch, training: Training, random: np.random.Generator
) -> NDArray[np.intp]:
    """Return the (steps, pixels) rows of each batch: painted ones by weight, then others."""
    count, others = len(painted.inputs), len(unpainted.inputs)
    share = np.cumsum(painted.weights / painted.weights.sum(dtype=np.float64))
    places = (random.random((training.steps, 1)) + np.arange(training.batch)) / training.batch
    known = np.minimum(np.searchsorted(share, places), count - 1)
    if not training.decision or not others:
        return known
    return np.concatenate([known, count + random.integers(others, size=known.shape)], axis=1)


def _error(found: Floats, wanted: Floats, decision: float) -> Floats:
    """Return by how much the loss grows with each score: cross entropy, then entropy."""
    batch = len(wanted)
    error = np.empty_like(found)
    np.subtract(found[:batch], wanted, out=error[:batch])
    unsure = found[batch:]
    logs = np.log(unsure + np.float32(1e-6))
    entropy = (unsure * logs).sum(1, keepdims=True)
    error[batch:] = unsure * (entropy - logs) * np.float32(decision)
    error /= batch
    return error


def _propagate(
    error: Floats, batch: Floats, hidden: Floats, layers: Layers, gradients: Layers
) -> None:
    """Set the gradients of all layers."""
    back = error @ layers.second.T
    back *= hidden > 0
    np.matmul(batch.T, back, out=gradients.first)
    back.sum(0, out=gradients.first_offset)
    np.matmul(hidden.T, error, out=gradients.second)
    error.sum(0, out=gradients.second_offset)
