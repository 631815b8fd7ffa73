"""Halves the resolution of pixels of any dtype."""

from __future__ import annotations

import numpy as np

from segdesk.core.image import ImageInfo, Pixels

_QUICK = ("uint8", "uint16", "int16", "float32", "float64")  # that OpenCV halves
_QUICK_BANDS = 4


def halved(pixels: Pixels, info: ImageInfo) -> Pixels:
    """Return the means of squares of 2 x 2 pixels, in the same dtype.

    An odd last row or column is taken twice. Indices of a palette, and pixels among which some may
    hold no data, are not mixed: there the top left pixel of each square is taken.

    Parameters
    ----------
    pixels
        (rows, columns, bands)
    info
        What they belong to.
    """
    if info.palette is not None or info.nodata is not None:
        return pixels[::2, ::2]
    rows, columns, bands = pixels.shape
    if rows % 2 or columns % 2:
        pixels = np.pad(pixels, ((0, rows % 2), (0, columns % 2), (0, 0)), "edge")
    if pixels.dtype.name in _QUICK and pixels.dtype.isnative and bands <= _QUICK_BANDS:
        return _resized(pixels)
    squares = pixels.reshape(len(pixels) // 2, 2, -1, 2, bands)
    means = squares.mean(axis=(1, 3), dtype=np.float64)
    if pixels.dtype.kind in "iub":
        means = np.floor(means + 0.5)
    halves: Pixels = means.astype(pixels.dtype)
    return halves


def _resized(pixels: Pixels) -> Pixels:
    import cv2

    rows, columns, bands = pixels.shape
    size = columns // 2, rows // 2
    small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small).reshape(rows // 2, columns // 2, bands)
