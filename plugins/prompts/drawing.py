"""From probabilities at a low resolution to one mask at full resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from segdesk_plugins.prompts.patch import Patch
from segdesk_plugins.prompts.posterior import Posterior

from segdesk.api import Report, Window

Array = NDArray[Any]

_SIDE = 768  # finest resolution at which edges are sought; beyond that they are interpolated


@dataclass(frozen=True)
class Region:
    """One segment."""

    mask: Array  # (rows, columns) bool, the shape of `window`
    window: Window
    score: float  # 0..1


@dataclass(frozen=True)
class Guess:
    """What a prompt says before any pixel is looked at."""

    patch: Patch
    prior: Array  # (h, w) log odds
    known: Array  # (h, w) int8: 1 on the segment, 0 off it, -1 unknown


def drawn(guess: Guess, found: Posterior, report: Report, limit: Window | None = None) -> Region:
    """Return the segment that was found, with the edges that the image has at full resolution.

    Where nothing was found, the guess is returned. Nothing lies outside ``limit``.
    """
    report(0.8, "Drawing the outline")
    colours = guess.patch.finer(_SIDE)
    size = colours.shape[1::-1]
    known = cv2.resize(guess.known, size, interpolation=cv2.INTER_NEAREST)
    probability = np.where(known < 0, found.at(colours), known).astype(np.float32)
    mask = probability > 0.5
    if not mask.any():
        mask = (cv2.resize(guess.prior.astype(np.float32), size) > 0) & (known != 0)
    report(0.9, "Drawing the outline")
    mask = tidied(mask, known)
    score = _margin(mask, probability)
    window = guess.patch.window
    if mask.shape != window.shape:
        mask = cv2.resize(mask.astype(np.uint8) * 255, (window.width, window.height)) > 127
    return _trimmed(mask, window, limit or window, score)


def tidied(mask: Array, known: Array) -> Array:
    """Keep the parts that hold a positive point, or else the largest one, and fill their holes."""
    count, parts, about, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count == 1:
        return mask
    chosen = np.zeros(count, bool)
    chosen[parts[mask & (known == 1)]] = True
    if not chosen.any():
        chosen[1 + about[1:, cv2.CC_STAT_AREA].argmax()] = True
    kept = chosen[parts]
    count, gaps = cv2.connectedComponents((~kept).astype(np.uint8), connectivity=4)
    is_outside = np.zeros(count, bool)
    for off in (gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1], gaps[known == 0]):
        is_outside[off] = True
    is_outside[0] = False  # what is kept is no gap
    filled: Array = ~is_outside[gaps]
    return filled


def _margin(mask: Array, probability: Array) -> float:
    """Return how sure the inside is minus how sure the surroundings are, 0 to 1."""
    reach = 3 + int(np.sqrt(mask.sum()) / 4)
    near = cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool) & ~mask
    if not mask.any():
        return 0.0
    around = float(probability[near].mean()) if near.any() else 0.0
    return float(np.clip(probability[mask].mean() - around, 0, 1))


def _trimmed(mask: Array, window: Window, limit: Window, score: float) -> Region:
    """Return a region without empty rows and columns around it, inside a limit."""
    limit = limit.intersection(window)
    mask = mask[limit.shifted(-window.x, -window.y).slices]
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    found = Window(x, y, width, height)
    return Region(mask[found.slices].copy(), found.shifted(limit.x, limit.y), score)
