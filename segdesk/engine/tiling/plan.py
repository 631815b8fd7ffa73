"""Which tiles an image is cut into, at which resolution, and in which order they are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from segdesk.core.errors import ImageError, UsageError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo
from segdesk.engine.tiling.line import Line

Tile = tuple[int, int]
"""(row, column) in the plan."""

Scale = tuple[float, float]
"""Pixels of the tiles for each pixel of the image, along x and y."""

SMALLEST = 64  # pixels along the side of a tile
_METRES = {"nm": 1e-9, "um": 1e-6, "µm": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3}
_PIXEL_SIZE = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e-?[0-9]+)?)\s*([a-zµ]+)\s*")


@dataclass(frozen=True)
class Tiling:
    """How to cut an image into tiles."""

    size: int = 0  # pixels along the side of a tile; 0: what the segmenter likes
    overlap: int | None = None  # pixels that neighbours share; None: a quarter of a tile
    pixel_size: str = ""  # "0.5um", "2m"; or a factor: "0.5x"; "": as the image is
    window: Window | None = None  # the part of the image to segment; None: all of it
    focus: tuple[float, float] | None = None  # tiles near this pixel come first; None: by rows
    batch: int = 4  # tiles that a segmenter gets at once, if it can take several


@dataclass(frozen=True)
class Plan:
    """Tiles of one size on a grid, in pixels at the resolution of the tiles."""

    rows: Line
    columns: Line
    scale: Scale
    window: Window  # what is to be segmented, level-0 pixels
    focus: tuple[float, float] | None = None  # (x, y)

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def tile_window(self, tile: Tile) -> Window:
        """Return the pixels of a tile."""
        row, column = tile
        x, y = self.columns.starts[column], self.rows.starts[row]
        return Window(x, y, self.columns.size, self.rows.size)

    def owned(self, tile: Tile) -> Window:
        """Return the pixels that a tile decides in the end: together those of all tiles are all."""
        return _window(self.columns.owned(tile[1]), self.rows.owned(tile[0]))

    def trusted(self, tile: Tile) -> Window:
        """Return the pixels in which a tile counts."""
        return _window(self.columns.trusted(tile[1]), self.rows.trusted(tile[0]))

    def neighbours(self, tile: Tile) -> list[Tile]:
        """Return the tiles that overlap with one."""
        rows, columns = self.rows.near(tile[0]), self.columns.near(tile[1])
        return [(r, c) for r in rows for c in columns if (r, c) != tile]

    def in_order(self) -> Iterable[Tile]:
        """Return all tiles, those nearest to the focus first; without one, row by row.

        Either way what is done has a short edge: only there scores wait for their neighbours.
        """
        tiles = product(range(len(self.rows)), range(len(self.columns)))
        if self.focus is None:
            return tiles
        x, y = self.focus

        def distance(tile: Tile) -> float:
            window = self.owned(tile)
            dx, dy = window.x + window.width / 2 - x, window.y + window.height / 2 - y
            return max(abs(dx), abs(dy))

        return sorted(tiles, key=distance)


def plan_tiles(info: ImageInfo, tiling: Tiling, size: int) -> Plan:
    """Return the tiles for an image.

    Parameters
    ----------
    info
        Of the image.
    tiling
        What the user wants.
    size
        Pixels along the side of a tile where the user does not say.

    Raises
    ------
    UsageError
        When the size or overlap makes no sense.
    ImageError
        When the window lies outside the image, or the image does not know the size of its pixels.
    """
    size = _checked_size(tiling, size)
    overlap = size // 4 if tiling.overlap is None else tiling.overlap
    window = (tiling.window or info.window).intersection(info.window)
    if not window:
        raise ImageError(f"{info.name}: the window to segment lies outside the image.")
    scale = scale_for(info, tiling.pixel_size)
    lines = [
        Line.over(int(start * factor), _up(stop * factor), _up(extent * factor), size, overlap)
        for start, stop, extent, factor in (
            (window.y, window.bottom, info.height, scale[1]),
            (window.x, window.right, info.width, scale[0]),
        )
    ]
    focus = tiling.focus and (tiling.focus[0] * scale[0], tiling.focus[1] * scale[1])
    return Plan(lines[0], lines[1], scale, window, focus)


def scale_for(info: ImageInfo, pixel_size: str) -> Scale:
    """Return how much an image is scaled for pixels of a given size.

    Raises ``UsageError`` for a text that is no size, and ``ImageError`` for an image that
    does not know the size of its pixels.
    """
    if not pixel_size:
        return 1.0, 1.0
    found = _PIXEL_SIZE.fullmatch(pixel_size)
    number, unit = (float(found[1]), found[2]) if found else (0.0, "")
    if number <= 0 or (unit != "x" and unit not in _METRES):
        raise UsageError(f"No size of a pixel: {pixel_size!r}. Examples: 0.5um, 2m, 0.25x.")
    if unit == "x":
        return number, number
    if info.spacing is None or info.unit not in _METRES:
        raise ImageError(
            f"{info.name}: the file does not say how large its pixels are; give a factor, such as"
            " 0.5x."
        )
    wanted, metres = number * _METRES[unit], _METRES[info.unit]
    return abs(info.spacing[0]) * metres / wanted, abs(info.spacing[1]) * metres / wanted


def _checked_size(tiling: Tiling, size: int) -> int:
    size = tiling.size or size
    if size < SMALLEST:
        raise UsageError(f"A tile needs {SMALLEST} pixels along its side or more, not {size}.")
    if tiling.overlap is not None and not 0 <= tiling.overlap <= size // 2:
        raise UsageError(
            f"Tiles of {size} pixels can share 0 to {size // 2}, not {tiling.overlap}."
        )
    if tiling.batch < 1:
        raise UsageError(f"A batch holds 1 tile or more, not {tiling.batch}.")
    return size


def _window(across: tuple[int, int], down: tuple[int, int]) -> Window:
    return Window(across[0], down[0], across[1] - across[0], down[1] - down[0])


def _up(value: float) -> int:
    return -int(-value // 1)
