"""The part of an image around a prompt, at a resolution that is quick to think about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segdesk.api import Window

Array = NDArray[Any]

_SAMPLES = 4  # a side, that a scaled pixel is averaged from at least
_LEAST_CONTRAST = 16.0  # of 255: less is noise and is not stretched


@dataclass(frozen=True)
class Patch:
    """Pixels of a window, scaled down to ``shape``."""

    rgb: Array  # (rows, columns, 3) uint8, at full resolution
    window: Window
    is_open: tuple[bool, bool, bool, bool]  # does the image go on at left, top, right, bottom?
    colours: Array  # (h, w, 3) float32 from 0 to below 1: (CIELAB - low) / span
    low: Array  # (3,)
    span: Array  # (3,)

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w) of the scaled pixels."""
        return self.colours.shape[0], self.colours.shape[1]

    @property
    def scale(self) -> Array:
        """(x, y) scaled pixels per pixel."""
        return np.array(self.shape[::-1]) / (self.window.width, self.window.height)

    def place(self, xy: Array) -> Array:
        """Return (N, 2) positions of the image in scaled pixels."""
        return (xy - (self.window.x, self.window.y)) * self.scale

    def centres(self) -> tuple[Array, Array]:
        """Return the x and y of the scaled pixels, in pixels of the image, as row and column."""
        (h, w), (sx, sy) = self.shape, self.scale
        x = self.window.x + (np.arange(w, dtype=np.float32) + 0.5) / sx
        y = self.window.y + (np.arange(h, dtype=np.float32) + 0.5) / sy
        return x[np.newaxis, :], y[:, np.newaxis]

    def finer(self, side: int) -> Array:
        """Return the colours at a higher resolution, on the same scale of values."""
        return _stretched(_lab(_reduced(self.rgb, side)), self.low, self.span)


def cut(rgb: Array, window: Window, side: int) -> Patch:
    """Return the part of an image in a window, its longer side at most ``side`` pixels."""
    rows, columns = rgb.shape[:2]
    window = window.intersection(Window(0, 0, columns, rows))
    is_open = (window.x > 0, window.y > 0, window.right < columns, window.bottom < rows)
    pixels = rgb[window.slices]
    lab = _lab(_reduced(pixels, side))
    low, span = _range(lab)
    return Patch(pixels, window, is_open, _stretched(lab, low, span), low, span)


def _reduced(rgb: Array, side: int) -> Array:
    rows, columns = rgb.shape[:2]
    factor = side / max(rows, columns)
    if factor >= 1:
        return np.ascontiguousarray(rgb)
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    step = max(1, int(1 / factor / _SAMPLES))
    small: Array = cv2.resize(rgb[::step, ::step], size, interpolation=cv2.INTER_AREA)
    return small


def _lab(rgb: Array) -> Array:
    lab: Array = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    return lab


def _range(lab: Array) -> tuple[Array, Array]:
    """Return the lowest value and the span of each band, without the odd pixel."""
    low, high = np.percentile(lab.reshape(-1, 3), [1, 99], axis=0).astype(np.float32)
    span = np.maximum(high - low, _LEAST_CONTRAST)
    return low, np.maximum(span, span.max() / 2)


def _stretched(lab: Array, low: Array, span: Array) -> Array:
    lab = (lab - low) * (1 / span)
    return np.clip(lab, 0, 0.999, out=lab)
