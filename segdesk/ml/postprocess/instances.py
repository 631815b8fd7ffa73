"""Instances that may overlap: one mask each, inside its own box."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from segdesk.core.geometry import Window
from segdesk.core.segmentation import RegionMask
from segdesk.core.upsample import pixels_above, scaled
from segdesk.ml.postprocess.families import Family
from segdesk.ml.postprocess.queries import Chosen, QueryAnswer, masks_of, pick_instances

_FAR = 1e30  # beyond any logit


@dataclass(frozen=True)
class Limits:
    """What a segment needs to count."""

    threshold: float = 0.5  # its score
    mask_threshold: float = 0.5  # the probability of a pixel to be in its mask
    overlap: float = 0.8  # the part of its mask that no other takes from it, if they compete


def overlapping_instances(
    answer: QueryAnswer, family: Family, limits: Limits, shape: tuple[int, int]
) -> tuple[RegionMask, ...]:
    """Return instances with masks at (rows, columns), the most certain first.

    As ``post_process_instance_segmentation(..., return_binary_maps=True)`` finds them.
    """
    chosen = pick_instances(answer, family.pick)
    if family.score_by_mask:  # which only lowers it
        chosen = chosen.only(chosen.scores >= limits.threshold)
    else:
        chosen = chosen.only(chosen.scores > limits.threshold)
    found = list(_found(answer, family, limits, shape, chosen))
    return tuple(sorted(found, key=lambda region: region.score or 0, reverse=True))


def logit(probability: float) -> float:
    """Return the logit of a probability; far away for 0 and 1."""
    if not 0 < probability < 1:
        return math.copysign(_FAR, probability - 0.5)
    return math.log(probability / (1 - probability))


def _found(
    answer: QueryAnswer, family: Family, limits: Limits, shape: tuple[int, int], chosen: Chosen
) -> Iterator[RegionMask]:
    level = logit(limits.mask_threshold)
    for number in range(len(chosen.scores)):
        logits = masks_of(answer, chosen.queries[number : number + 1])[0].float().cpu().numpy()
        score = float(chosen.scores[number])
        if family.blocky:
            score *= _certainty(logits, level)
            if score < limits.threshold:
                continue
            window, mask = _repeated(logits > level, shape)
        else:
            window, mask = pixels_above(logits, level, shape)
            if family.score_by_mask:
                score *= _scaled_certainty(logits, shape, window, mask)
        if mask.any() and (score >= limits.threshold):
            yield RegionMask(mask, window, int(chosen.categories[number]), score)


def _certainty(logits: NDArray[np.float32], level: float) -> float:
    """Return the mean probability of the pixels of a mask."""
    inside = torch.from_numpy(logits[logits > level])
    return float(inside.sigmoid().sum() / (len(inside) + 1e-6))


def _scaled_certainty(
    logits: NDArray[np.float32], shape: tuple[int, int], window: Window, mask: NDArray[np.bool_]
) -> float:
    """Return the mean probability of the pixels of a mask that is scaled up."""
    total = 0.0
    for first, values in scaled(logits, shape, window):
        inside = torch.from_numpy(values[mask[first : first + len(values)]])
        total += float(inside.sigmoid().sum(dtype=torch.float64))
    return total / (float(mask.sum()) + 1e-6)


def _repeated(mask: NDArray[np.bool_], shape: tuple[int, int]) -> tuple[Window, NDArray[np.bool_]]:
    """Return a mask scaled up by repeating its pixels, and the window around it."""
    rows, columns = (_nearest(*pair) for pair in zip(mask.shape, shape, strict=True))
    used_rows = np.flatnonzero(np.any(mask, axis=1, keepdims=True)[rows])
    used_columns = np.flatnonzero(np.any(mask.T, axis=1, keepdims=True)[columns])
    if not len(used_rows) or not len(used_columns):
        return Window(0, 0, 0, 0), np.zeros((0, 0), np.bool_)
    top, bottom = int(used_rows[0]), int(used_rows[-1]) + 1
    left, right = int(used_columns[0]), int(used_columns[-1]) + 1
    window = Window(left, top, right - left, bottom - top)
    return window, mask[:, columns[left:right]][rows[top:bottom]]


def _nearest(size: int, new_size: int) -> NDArray[Any]:
    """Return which old position each new one repeats, as transformers' torch rounds it."""
    positions = torch.arange(size, dtype=torch.float32)[None, None]
    repeated: NDArray[Any] = interpolate(positions, new_size, mode="nearest")[0, 0].long().numpy()
    return repeated
