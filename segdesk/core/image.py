"""What an image is to the rest of the program: facts at once, pixels on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window

Pixels = NDArray[Any]
"""(rows, columns, bands) in the file's own dtype."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Size, kind and place of an image, known from its header."""

    name: str  # path as given, or a word such as "clipboard"
    width: int
    height: int
    bands: int
    dtype: str  # NumPy's name
    format: str = ""  # "PNG", "TIFF", ...
    frames: int = 1
    levels: tuple[tuple[int, int], ...] = ()  # (width, height); level 0 first; () = level 0 only
    band_names: tuple[str, ...] = ()
    spacing: tuple[float, float] | None = None  # size of a pixel in x and y, in `unit`
    unit: str = ""  # "um", "mm", "m", ...
    affine: tuple[float, float, float, float, float, float] | None = None  # pixel to world, a..f
    crs: str | None = None  # WKT, or authority and code: EPSG:32618
    nodata: float | None = None
    palette: tuple[tuple[int, int, int], ...] | None = None  # colours of a one-band image, if any
    block: tuple[int, int] | None = None  # (width, height) of what is decoded at once; None: all

    @property
    def window(self) -> Window:
        """The whole image."""
        return Window(0, 0, self.width, self.height)

    @property
    def level_sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of every level that can be read, level 0 first."""
        return self.levels or ((self.width, self.height),)


class ImageSource(Protocol):
    """An open image. ``read`` may be called from any thread."""

    @property
    def info(self) -> ImageInfo:
        """What the header says."""
        ...

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return the (rows, columns, bands) pixels of a window inside the level's bounds.

        The window counts in pixels of that level. Raises ``ImageError``.
        """
        ...

    def close(self) -> None:
        """Let go of the file; reading after that is an error."""
        ...


class ArrayImage:
    """An image that is already in memory.

    Parameters
    ----------
    pixels
        (rows, columns), (rows, columns, bands) or (frames, rows, columns, bands) of bool or any
        real dtype.
    name
        What to call it.
    """

    def __init__(self, pixels: Pixels, name: str = "array") -> None:
        pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
        self._pixels = pixels[np.newaxis] if pixels.ndim == 3 else pixels
        frames, rows, columns, bands = self._pixels.shape
        self.info = ImageInfo(name, columns, rows, bands, pixels.dtype.name, "array", frames)

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return a view of the window."""
        part: Pixels = self._pixels[frame][window.slices]
        return part

    def close(self) -> None:
        """Nothing to let go of."""
