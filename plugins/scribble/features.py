"""What a pixel looks like, from fine to coarse: features on the levels of a pyramid."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segdesk.api import Pixels, Report

LEVELS = 6
Floats = NDArray[np.float32]

# Colour tells more than texture, and near more than far: chosen by measurement on microscopy,
# aerial and everyday pictures, as all other numbers here.
_LEVEL_WEIGHTS = (1.0, 1.0, 0.7, 0.35, 0.17, 0.08)
_TEXTURE_WEIGHT = 0.3
_REFLECT = cv2.BORDER_REFLECT_101
_SPREAD = 4000  # pixels that tell what is usual in an image
_MAP_WIDTH = 256  # of the pictures of pixels that are looked up: OpenCV limits their sides


class Pyramid:
    """Features of an image on ``LEVELS`` levels, each of half the size of the one before.

    Attributes
    ----------
    size
        (rows, columns) of the image.
    levels
        (features, rows, columns) float32 each.
    weights
        How much each of a level's features counts, over all levels one after the other.
    """

    def __init__(self, pixels: Pixels, rgb: NDArray[Any], report: Report) -> None:
        self.size = pixels.shape[:2]
        step = 1 << (LEVELS - 1)
        margins = [-length % step for length in self.size]
        bands = [
            cv2.copyMakeBorder(band, 0, margins[0], 0, margins[1], cv2.BORDER_REPLICATE)
            for band in _channels(pixels, rgb)
        ]
        self.levels: list[Floats] = []
        for level in range(LEVELS):
            report(level / LEVELS, "Measuring the image")
            if level:
                bands = [_halved(band) for band in bands]
            self.levels.append(_features(bands, 0.7 if level == 0 else 1.0))
        colours = len(bands)
        texture = self.levels[0].shape[0] - colours
        kinds = np.repeat([1.0, _TEXTURE_WEIGHT], [colours, texture])
        self.weights = np.concatenate([w * kinds for w in _LEVEL_WEIGHTS]).astype(np.float32)

    @property
    def nbytes(self) -> int:
        """Memory of all levels."""
        return sum(level.nbytes for level in self.levels)

    @cached_property
    def spread(self) -> Floats:
        """The (M, features) of pixels from all over the image."""
        step = max(1, int((self.size[0] * self.size[1] / _SPREAD) ** 0.5))
        grid = np.mgrid[step // 2 : self.size[0] : step, step // 2 : self.size[1] : step]
        rows, columns = grid.reshape(2, -1) if grid.size else np.zeros((2, 1), np.intp)
        return self.at(rows, columns)

    def at(self, rows: NDArray[Any], columns: NDArray[Any]) -> Floats:
        """Return the (N, features) of pixels, interpolated where a level is coarser."""
        count, width = len(rows), _MAP_WIDTH
        padded = -(-max(count, 1) // width) * width
        places = [np.resize(p, padded).reshape(-1, width) + 0.5 for p in (columns, rows)]
        planes = []
        for level, features in enumerate(self.levels):
            x, y = (np.float32(p / (1 << level) - 0.5) for p in places)
            planes += [
                cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                for plane in features
            ]
        found = np.stack(planes, -1).reshape(padded, -1)
        return found[:count]


def _halved(band: Floats) -> Floats:
    half: Floats = cv2.resize(band, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return half


def _channels(pixels: Pixels, rgb: NDArray[Any]) -> list[Floats]:
    """Return brightness and opponent colours of a colour image, or the bands as they are.

    One range for all bands, from percentiles: lighting differs between images, balance tells.
    """
    bands = pixels.shape[2]
    source = rgb if pixels.dtype == np.uint8 and bands <= 4 else pixels
    values = np.nan_to_num(source, posinf=0, neginf=0).astype(np.float32)
    sample = values[::4, ::4] if min(values.shape[:2]) >= 4 else values
    low, high = np.percentile(sample, (1, 99))
    values = (values - np.float32(low)) / np.float32(max(high - low, 1e-3 * max(1.0, abs(high))))
    if values.shape[2] != 3:
        return [np.ascontiguousarray(values[..., band]) for band in range(values.shape[2])]
    red, green, blue = cv2.split(values)
    return [(red + green + blue) / 3, red - green, (red + green) / 2 - blue]


def _features(bands: list[Floats], sigma: float) -> Floats:
    """Return the (features, rows, columns) of one level."""
    smooth = [cv2.GaussianBlur(band, (0, 0), sigma, borderType=_REFLECT) for band in bands]
    slopes = [(_slope(band, 1, 0, 8), _slope(band, 0, 1, 8)) for band in smooth[:3]]
    texture = [np.sqrt(cv2.magnitude(x, y)) for x, y in slopes]
    texture += _curvature(smooth[0])
    texture += _structure(*slopes[0])
    texture.append(_roughness(bands[0]))
    return np.stack([*smooth, *texture])


def _slope(band: Floats, dx: int, dy: int, scale: int) -> Floats:
    derived: Floats = cv2.Sobel(band, cv2.CV_32F, dx, dy, scale=1 / scale, borderType=_REFLECT)
    return derived


def _curvature(band: Floats) -> list[Floats]:
    """Return the eigenvalues of the Hessian: blobs, ridges and valleys."""
    xx, yy, xy = _slope(band, 2, 0, 4), _slope(band, 0, 2, 4), _slope(band, 1, 1, 4)
    mean, half = (xx + yy) / 2, cv2.magnitude((xx - yy) / 2, xy)
    return [np.sign(value) * np.sqrt(np.abs(value)) for value in (mean + half, mean - half)]


def _structure(x: Floats, y: Floats) -> list[Floats]:
    """Return the eigenvalues of the structure tensor: edges and corners."""
    xx, yy, xy = (
        cv2.GaussianBlur(p, (0, 0), 1.5, borderType=_REFLECT) for p in (x * x, y * y, x * y)
    )
    mean, half = (xx + yy) / 2, cv2.magnitude((xx - yy) / 2, xy)
    return [np.sqrt(np.sqrt(np.maximum(value, 0))) for value in (mean + half, mean - half)]


def _roughness(band: Floats) -> Floats:
    mean, square = cv2.blur(band, (5, 5)), cv2.blur(band * band, (5, 5))
    rough: Floats = np.sqrt(np.sqrt(np.maximum(square - mean * mean, 0)))
    return rough
