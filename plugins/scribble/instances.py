"""Splits foreground into objects: distance to the edge, peaks, watershed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cc3d
import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Ids = NDArray[np.int32]

_EAGERNESS = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
DEFAULT_EAGERNESS = 0.5
DEFAULT_AREA = 16


@dataclass(frozen=True)
class Splitting:
    """How foreground becomes objects."""

    eagerness: float  # 0: only at waists of half the width, 1: at every little one
    minimum_area: int  # pixels


def split(foreground: Mask, splitting: Splitting) -> Ids:
    """Return (rows, columns) ids 1..n of the objects in a mask; 0 elsewhere.

    Two peaks of the distance to the edge are two objects when the waist between them is narrower
    than ``(1 + eagerness) / 2`` of the smaller one's radius.
    """
    from skimage.segmentation import watershed

    foreground = _filled(foreground)
    distance = cv2.distanceTransform(foreground.astype(np.uint8), cv2.DIST_L2, 5)
    distance = np.minimum(distance, sum(foreground.shape))  # infinite where there is no edge
    distance = cv2.GaussianBlur(distance, (0, 0), 1.0) * foreground
    seeds = _seeds(distance, (1 + splitting.eagerness) / 2)
    ids = watershed(-distance, seeds, mask=foreground, connectivity=2).astype(np.int32)
    return _without_small(ids, splitting.minimum_area)


def learn_splitting(examples: Sequence[NDArray[Any]]) -> Splitting:
    """Return what splits the foreground of examples most like their own instances.

    Parameters
    ----------
    examples
        (rows, columns) instance ids each, 0 = background.
    """
    areas = np.concatenate([np.unique(ids[ids > 0], return_counts=True)[1] for ids in examples])
    minimum = max(1, int(0.3 * np.percentile(areas, 5)))

    def quality(eagerness: float) -> tuple[float, float]:
        found = [split(ids > 0, Splitting(eagerness, minimum)) for ids in examples]
        agreement = sum(_agreement(a, b) for a, b in zip(examples, found, strict=True))
        return agreement, -abs(eagerness - DEFAULT_EAGERNESS)

    return Splitting(max(_EAGERNESS, key=quality), minimum)


def _seeds(distance: NDArray[np.float32], waist: float) -> Ids:
    """Return numbered peaks that are separate at ``waist`` of their height."""
    from skimage.morphology import local_maxima, reconstruction

    lowered = np.minimum(distance * waist, np.maximum(distance - 0.75, distance / 4))
    flooded = reconstruction(lowered, distance, method="dilation")
    plateaus = local_maxima(np.pad(flooded, 1), connectivity=2)[1:-1, 1:-1] & (distance > 0)
    seeds: Ids = cc3d.connected_components(plateaus, connectivity=8).astype(np.int32)
    return seeds


def _filled(foreground: Mask) -> Mask:
    """Return the mask without holes that are small beside what surrounds them."""
    holes, count = cc3d.connected_components(~foreground, connectivity=4, return_N=True)
    if count < 2:
        return foreground
    areas = np.bincount(holes.ravel())
    small = areas < 64
    small[0] = False
    for edge in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        small[edge] = False
    filled: Mask = foreground | small[holes]
    return filled


def _without_small(ids: Ids, minimum_area: int) -> Ids:
    areas = np.bincount(ids.ravel())
    keep = areas >= minimum_area
    keep[0] = False
    table = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    kept: Ids = table[ids]
    return kept


def _agreement(wanted: NDArray[Any], found: Ids) -> float:
    """Return the F1 score of objects that overlap by more than half (intersection over union)."""
    pairs, counts = np.unique(np.stack([wanted.ravel(), found.ravel()]), axis=1, return_counts=True)
    area = dict(zip(*np.unique(wanted, return_counts=True), strict=True))
    own = dict(zip(*np.unique(found, return_counts=True), strict=True))
    hits = sum(
        1
        for (a, b), n in zip(pairs.T.tolist(), counts.tolist(), strict=True)
        if a and b and n > 0.5 * (area[a] + own[b] - n)
    )
    return 2 * hits / max(1, len(area) + len(own) - 2)
