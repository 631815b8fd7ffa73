"""Whether a quicker way to run a model gives the labels that PyTorch gives; remembered."""

from __future__ import annotations

import torch
from torch import Tensor

from segdesk.core.remembered import Remembered

Outputs = dict[str, Tensor]
"""What a model says, by the names of transformers."""

EXACT = 0.9999  # of the labels that must be equal, in the same precision
HALF = 0.98  # in half precision
_verdicts = Remembered("models/agreed.json")


def agreement(found: Outputs, expected: Outputs) -> float:
    """Return which part of the labels is equal, 0 to 1: of several kinds the worst.

    Labels are the winning category of each pixel or each query, and whether a pixel lies in the
    mask of a query. Numbers that are none agree with nothing.
    """
    shares = []
    for name, scores in expected.items():
        ours, theirs = (_labels(part, len(expected) == 1) for part in (found[name], scores))
        shares.append(float((ours == theirs).float().mean()))
    finite = all(bool(torch.isfinite(scores).all()) for scores in found.values())
    return min(shares) if finite else 0.0


def _labels(scores: Tensor, are_alone: bool) -> Tensor:
    """Return the labels of scores by category and pixel, or by query and category or pixel."""
    if scores.ndim == 3:  # (images, queries, categories)
        return scores.argmax(-1)
    return scores.argmax(1) if are_alone else scores > 0


def recall(key: str) -> float | str | None:
    """Return the agreement that was found before, or why there was none; None: never tried."""
    known = _verdicts.get(key)
    return known if isinstance(known, float | str) else None


def note(key: str, verdict: float | str) -> None:
    """Remember a verdict."""
    _verdicts.note(key, verdict)
