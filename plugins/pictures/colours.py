"""From the samples of a TIFF page to the bands that the image has for its user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from segdesk_plugins.pictures.damage import Unsupported

from segdesk.api import Pixels

# Values of tag 262, PhotometricInterpretation
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_LAB = (8, 9, 10, 32844, 32845)
_JPEG = (6, 7, 34892, 33007)
_ALPHA = (1, 2)  # values of tag 338, ExtraSamples


@dataclass(frozen=True)
class Bands:
    """What the user gets of one page."""

    count: int
    dtype: str
    convert: Callable[[Pixels], Pixels]
    names: tuple[str, ...] = ()


def bands_of(page: Any) -> Bands:
    """Decide for a keyframe; raises ``Unsupported`` for colours that are not supported."""
    samples, dtype = page.samplesperpixel, np.dtype(page.dtype)
    photometric = int(page.photometric)
    if photometric in _LAB:
        raise Unsupported("colours stored as CIELAB or LogLuv; convert it to RGB")
    if photometric == _YCBCR and page.compression not in _JPEG:
        raise Unsupported("colours stored as YCbCr without JPEG; convert it to RGB")
    if photometric == _PALETTE and samples == 1 and page.colormap is not None:
        table = _colour_table(page.colormap)
        return Bands(3, "uint8", lambda p: table[p[..., 0]], ("red", "green", "blue"))
    if photometric == _CMYK and samples >= 4 and dtype.kind == "u":
        return Bands(3, dtype.name, _cmyk_to_rgb, ("red", "green", "blue"))
    if samples == 1 and dtype.kind in "ub" and photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
        return _grey(dtype, page.bitspersample, photometric == _WHITE_IS_ZERO)
    return Bands(samples, *_plain(dtype), _names(page, photometric in (_RGB, _YCBCR)))


def channels_of(count: int, dtype: Any) -> Bands:
    """Return the bands of pages that are one channel each."""
    return Bands(count, *_plain(np.dtype(dtype)))


def _plain(dtype: np.dtype[Any]) -> tuple[str, Callable[[Pixels], Pixels]]:
    """Return the dtype that others can work with, and the way there."""
    if dtype.kind == "b":
        return "uint8", lambda p: p.astype(np.uint8) * np.uint8(255)
    if dtype.kind == "c":
        return ("float32" if dtype.itemsize == 8 else "float64"), np.abs
    if dtype == np.float16:
        return "float32", lambda p: p.astype(np.float32)
    return dtype.name, lambda p: p


def _grey(dtype: np.dtype[Any], bits: int, inverted: bool) -> Bands:
    """Grey values, black as 0; those of 1 to 7 bits fill the range of 8."""
    highest = (1 << bits) - 1
    shown = 255 if bits < 8 else highest
    if not inverted and shown == highest:
        return Bands(1, dtype.name, lambda p: p)
    as_dtype = np.dtype(np.uint8) if bits < 8 else dtype

    def convert(pixels: Pixels) -> Pixels:
        values = pixels.astype(as_dtype) * as_dtype.type(shown // highest)
        return as_dtype.type(shown) - values if inverted else values

    return Bands(1, as_dtype.name, convert)


def _colour_table(colormap: Pixels) -> Pixels:
    """Return (colours, 3) uint8; some programs write 8-bit values where 16-bit ones belong."""
    table: Pixels = np.asarray(colormap).T
    return (table if table.max() < 256 else table >> 8).astype(np.uint8)


def _cmyk_to_rgb(pixels: Pixels) -> Pixels:
    """Without a colour profile: each ink takes its share of the light."""
    highest = np.iinfo(pixels.dtype).max
    light = highest - pixels[..., :4].astype(np.float32)
    return np.rint(light[..., :3] * light[..., 3:] / highest).astype(pixels.dtype)


def _names(page: Any, is_rgb: bool) -> tuple[str, ...]:
    """Name colours and transparency, where the file says so."""
    samples = page.samplesperpixel
    extra = [int(kind) for kind in page.extrasamples or ()]
    alpha = {samples - len(extra) + i for i, kind in enumerate(extra) if kind in _ALPHA}
    colours = ("red", "green", "blue") if is_rgb and samples >= 3 else ()
    if samples == 1 or not (colours or alpha):
        return ()
    names = [*colours, *(f"band {i + 1}" for i in range(len(colours), samples))]
    return tuple("alpha" if i in alpha else name for i, name in enumerate(names))
