"""How pixels of any kind become colours on the screen, without changing them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segdesk.core.image import ImageInfo, Pixels
from segdesk.core.segmentation import Colour

Bands = tuple[int, int, int]
Values = tuple[float, float, float]
Origin = Literal["stored", "percentiles", "extremes", "hand"]

PERCENTILES = (1.0, 99.8)
_ENOUGH = 2**18  # values that a range is estimated from
_CHUNK = 2**16  # values worked on at a time: they stay in the processor's cache
_COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Display:
    """Which bands are shown as red, green and blue, and which values as black and as full.

    A value v becomes 255 * ((v - low) / (high - low)) ** (1 / gamma), held to 0..255; NaN and
    ``nodata`` become 0.
    """

    bands: Bands = (0, 1, 2)
    low: Values = (0.0, 0.0, 0.0)  # of each channel
    high: Values = (255.0, 255.0, 255.0)
    gamma: float = 1.0
    origin: Origin = "stored"  # where low and high come from
    nodata: float | None = None
    palette: tuple[Colour, ...] | None = None  # colours of the values of the first band

    def apply(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Return (rows, columns, 3) uint8 of (rows, columns, bands) pixels.

        Where nothing is to be changed it is a view of them.
        """
        if self.palette is not None:
            table = _colours_of(self.palette)
            return table.take(pixels[..., 0], axis=0, mode="clip")
        if pixels.dtype == np.uint8 and self._shows_as_stored:
            return self._as_stored(pixels)
        shown = np.empty((*pixels.shape[:2], 3), np.uint8)
        rows = max(1, _CHUNK // max(1, pixels.shape[1]))
        for start in range(0, len(pixels), rows):
            self._fill(shown[start : start + rows], pixels[start : start + rows])
        return shown

    def _fill(self, shown: NDArray[np.uint8], pixels: Pixels) -> None:
        for channel in range(3):
            if channel > 0 and self._is_grey:
                shown[..., channel] = shown[..., 0]
            else:
                shown[..., channel] = self._channel(pixels, channel)

    @property
    def _shows_as_stored(self) -> bool:
        return (self.low, self.high, self.gamma) == ((0.0,) * 3, (255.0,) * 3, 1.0)

    @property
    def _is_grey(self) -> bool:
        return len({*zip(self.bands, self.low, self.high, strict=True)}) == 1

    def _as_stored(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._is_grey:
            band = self.bands[0]
            return np.repeat(pixels[..., band : band + 1], 3, axis=2)
        if self.bands != (0, 1, 2):
            return pixels[..., list(self.bands)]
        return pixels if pixels.shape[2] == 3 else pixels[..., :3]

    def _channel(self, pixels: Pixels, channel: int) -> NDArray[np.uint8]:
        values = pixels[..., self.bands[channel]]
        scale = _Scale(self.low[channel], self.high[channel], self.gamma, self.nodata)
        if values.dtype.kind in "iu" and values.dtype.itemsize <= 2 and values.dtype.isnative:
            unsigned = values.view(f"u{values.dtype.itemsize}")
            return _table(scale, values.dtype.name).take(unsigned)
        return scale.apply(values)


@dataclass(frozen=True)
class _Scale:
    """From values to 0..255."""

    low: float
    high: float
    gamma: float
    nodata: float | None

    def apply(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        with np.errstate(all="ignore"):  # infinities and NaN are expected here
            return self._scaled(values).astype(np.uint8)

    def _scaled(self, values: NDArray[Any]) -> NDArray[Any]:
        working = np.float32 if values.dtype in (np.float16, np.float32) else np.float64
        scaled: NDArray[Any] = np.subtract(values, self.low, dtype=working)
        scaled /= max(self.high - self.low, float(np.finfo(working).tiny))
        np.fmax(scaled, 0, out=scaled)  # NaN becomes 0
        np.fmin(scaled, 1, out=scaled)
        if self.gamma != 1:
            np.power(scaled, 1 / self.gamma, out=scaled)
        scaled *= 255
        np.rint(scaled, out=scaled)
        if self.nodata is not None:
            scaled[values == self.nodata] = 0
        return scaled


def default_display(info: ImageInfo, sample: Pixels | None = None) -> Display:
    """Return how an image is shown at first: 8 bits as they are, others by percentiles.

    Parameters
    ----------
    info
        What the header says.
    sample
        (rows, columns, bands) pixels, enough to know the range of values; None: the range is
        that of the dtype, 0 to 1 for floats.
    """
    if info.palette is not None and info.bands == 1:
        return Display((0, 0, 0), palette=info.palette)
    if info.dtype == "uint8":
        return Display(shown_bands(info))
    return ranged_display(info, sample, PERCENTILES)


def ranged_display(
    info: ImageInfo,
    sample: Pixels | None,
    percentiles: tuple[float, float] = (0.0, 100.0),
    bands: Bands | None = None,
    gamma: float = 1.0,
) -> Display:
    """Return a display whose range comes from the values of a sample.

    Bands that the file calls red, green and blue share one range, so that colours stay true.

    Parameters
    ----------
    info
        What the header says.
    sample
        (rows, columns, bands) pixels; None: the range is that of the dtype.
    percentiles
        Values below the first become black, above the second full; (0, 100): the extremes.
    bands
        What to show as red, green and blue; None: as the file suggests.
    gamma
        Above 1 it lightens what is dark.
    """
    bands = bands or shown_bands(info)
    if sample is None:
        ranges = [_dtype_range(info.dtype)] * 3
    elif [_name(info, band) for band in bands] == list(_COLOURS):
        ranges = [_range(sample, bands, percentiles, info.nodata)] * 3
    else:
        ranges = [_range(sample, (band,), percentiles, info.nodata) for band in bands]
    lows, highs = zip(*ranges, strict=True)
    origin: Origin = "extremes" if percentiles == (0.0, 100.0) else "percentiles"
    return Display(
        bands, lows, highs, gamma, origin if sample is not None else "stored", info.nodata
    )


def shown_bands(info: ImageInfo) -> Bands:
    """Return the bands to show as red, green, blue: by their names, else the first three."""
    names = [name.casefold() for name in info.band_names]
    if all(colour in names for colour in _COLOURS):
        red, green, blue = (names.index(colour) for colour in _COLOURS)
        return red, green, blue
    return (0, 1, 2) if info.bands >= 3 else (0, 0, 0)


def _name(info: ImageInfo, band: int) -> str:
    return info.band_names[band].casefold() if band < len(info.band_names) else ""


def _range(
    sample: Pixels, bands: tuple[int, ...], percentiles: tuple[float, float], nodata: float | None
) -> tuple[float, float]:
    """Return the values at two percentiles, NaN, infinities and ``nodata`` left out."""
    step = max(1, int((sample.shape[0] * sample.shape[1] / _ENOUGH) ** 0.5))
    values = sample[::step, ::step, list(bands)].ravel()
    if values.dtype.kind in "bf":
        values = values[np.isfinite(values)].astype(np.float64)
    if nodata is not None:
        values = values[values != nodata]
    if not values.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, percentiles))
    if low == high:  # a few bright spots on an even background
        low, high = float(values.min()), float(values.max())
    return low, high if high > low else low + 1


def _dtype_range(dtype: str) -> tuple[float, float]:
    kind = np.dtype(dtype)
    if kind.kind not in "iu":
        return 0.0, 1.0
    return float(np.iinfo(kind).min), float(np.iinfo(kind).max)


@lru_cache(maxsize=32)
def _table(scale: _Scale, dtype: str) -> NDArray[np.uint8]:
    """Return what each value of an 8- or 16-bit dtype becomes, by its bits."""
    kind = np.dtype(dtype)
    bits = np.arange(1 << (8 * kind.itemsize), dtype=f"u{kind.itemsize}")
    table = scale.apply(bits.view(kind))
    table.flags.writeable = False
    return table


@lru_cache(maxsize=8)
def _colours_of(palette: tuple[Colour, ...]) -> NDArray[np.uint8]:
    return np.array(palette, np.uint8)
