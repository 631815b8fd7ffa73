"""Tiles of an image as the screen takes them: made when asked for, kept within a bound."""

from __future__ import annotations

from collections import OrderedDict
from math import ceil, log2
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from segdesk.core.display import Display
from segdesk.core.geometry import Window
from segdesk.core.image import ImageSource
from segdesk.engine.folders import read_settings
from segdesk.engine.pyramid import Pyramid, own_levels

SIZE = 256
MEMORY_MB = 320  # of tiles that are kept, unless the setting ``tile_memory_mb`` says otherwise
_LEAST_MB = 64  # a large screen has to fit
READ_LIMIT = 64 * 2**20  # bytes of pixels that are read at once to make one tile

Tile = NDArray[np.uint8]
TileKey = tuple[int, int, int]  # level, column, row


class DisplayTiles:
    """The displayed colours of one frame, in tiles of ``SIZE`` x ``SIZE`` pixels.

    At level n a pixel is the mean of 2**n x 2**n pixels of the image. Levels that the image has
    itself are read; the others are made from finer ones. May be used from several threads.

    Parameters
    ----------
    budget
        Bytes of tiles that are kept; the ones not used for the longest time go first. None: as
        the settings say.
    """

    def __init__(
        self, source: ImageSource, display: Display, frame: int = 0, budget: int | None = None
    ) -> None:
        self.info = source.info
        self.budget = tile_memory() if budget is None else budget
        self._source, self._display, self._frame = source, display, frame
        self._own_levels = own_levels(source.info)
        self._preview: dict[TileKey, Tile] = {}
        self._preview_age = 0
        self._tiles: OrderedDict[TileKey, Tile] = OrderedDict()
        self._nbytes = 0
        self._lock = Lock()

    @property
    def top_level(self) -> int:
        """The level at which the whole image is one tile."""
        return max(0, ceil(log2(max(self.info.width, self.info.height) / SIZE)))

    @property
    def nbytes(self) -> int:
        """Bytes of all tiles that are kept."""
        return self._nbytes

    def keys(self, window: Window, level: int) -> list[TileKey]:
        """Return the tiles of a level that a window of level-0 pixels touches."""
        inside = window.intersection(self.info.window)
        return [(level, column, row) for column, row in inside.tiles(SIZE << level)]

    def window_of(self, key: TileKey) -> Window:
        """Return the level-0 pixels that a tile shows."""
        level, column, row = key
        step = SIZE << level
        return Window(column * step, row * step, step, step).intersection(self.info.window)

    def kept(self, key: TileKey) -> Tile | None:
        """Return a tile if it is there already."""
        with self._lock:
            tile = self._tiles.get(key)
            if tile is not None:
                self._tiles.move_to_end(key)
            return tile

    def best(self, key: TileKey) -> tuple[TileKey, Tile] | None:
        """Return a tile that is there already, or else the finest coarser one of its place."""
        level, column, row = key
        preview = self._preview_tiles()
        for up in range(max(self.top_level - level, 0) + 1):
            wider = (level + up, column >> up, row >> up)
            tile = self.kept(wider)
            tile = preview.get(wider) if tile is None else tile
            if tile is not None:
                return wider, tile
        return None

    def can_make(self, key: TileKey) -> bool:
        """Say whether a tile can be made now; overviews that are still being made will allow it."""
        source = self._source
        if not isinstance(source, Pyramid) or source.is_complete:
            return True
        return source.is_ready(self.window_of(key).at_level(key[0]), key[0], self._frame)

    def is_quick(self, key: TileKey) -> bool:
        """Say whether a tile can be read without much that is not on it."""
        source = self._source
        if isinstance(source, Pyramid) and not source.stored:
            return key[0] in own_levels(source.base.info)
        return key[0] in self._own_levels

    def tile(self, key: TileKey) -> Tile:
        """Return a tile, made if need be: (rows, columns, 4) uint8 in the order B, G, R, 255.

        Tiles at the right and bottom end with the image. Raises ``ImageError``.
        """
        tile = self.kept(key)
        if tile is None:
            tile = self._make(key)
            self._keep(key, tile)
        return tile

    def _make(self, key: TileKey) -> Tile:
        level = key[0]
        own = max(halvings for halvings in self._own_levels if halvings <= level)
        if own == level:
            return self._read(key, own)
        finer = self.keys(self.window_of(key), level - 1)
        if self._can_read(level - own) and any(self.kept(child) is None for child in finer):
            return self._read(key, own)
        return self._from_finer(key, finer)

    def _can_read(self, steps: int) -> bool:
        info = self.info
        pixel = info.bands * np.dtype(info.dtype).itemsize
        return (SIZE << steps) ** 2 * pixel <= READ_LIMIT

    def _read(self, key: TileKey, own: int) -> Tile:
        """Make a tile from the pixels of one of the image's own levels."""
        wanted = self.window_of(key).at_level(own)
        source_level = self._own_levels[own]
        width, height = self.info.level_sizes[source_level]
        there = wanted.intersection(Window(0, 0, width, height))
        rgb = self._display.apply(self._source.read(there, source_level, self._frame))
        return _for_screen(_grown(rgb, *wanted.shape), key[0] - own)

    def _from_finer(self, key: TileKey, finer: list[TileKey]) -> Tile:
        """Make a tile from the up to four tiles below it."""
        _, column, row = key
        last = self.window_of(key).at_level(key[0] - 1)
        whole = np.empty((*last.shape, 4), np.uint8)
        for child in finer:
            y, x = (child[2] - 2 * row) * SIZE, (child[1] - 2 * column) * SIZE
            part = self.tile(child)
            whole[y : y + part.shape[0], x : x + part.shape[1]] = part
        return _halved(whole)

    def _preview_tiles(self) -> dict[TileKey, Tile]:
        """Return the tiles of a rough copy of an image whose overviews are being made."""
        source = self._source
        if not isinstance(source, Pyramid) or self._frame:
            return {}
        preview = source.preview
        if not preview:
            return {}
        level, pixels = preview
        if self._preview_age != source.preview_age:
            self._preview_age = source.preview_age
            rgb = self._display.apply(pixels)
            for column, row in Window(0, 0, rgb.shape[1], rgb.shape[0]).tiles(SIZE):
                part = rgb[Window(column * SIZE, row * SIZE, SIZE, SIZE).slices]
                if part.any():  # else nothing of it has been read yet
                    self._preview[level, column, row] = _for_screen(part, 0)
        return self._preview

    def _keep(self, key: TileKey, tile: Tile) -> None:
        with self._lock:
            if key not in self._tiles:
                self._nbytes += tile.nbytes
            self._tiles[key] = tile
            while self._nbytes > self.budget and len(self._tiles) > 1:
                self._nbytes -= self._tiles.popitem(last=False)[1].nbytes


def tile_memory() -> int:
    """Return how many bytes of tiles are kept for an image on show."""
    value = read_settings().get("tile_memory_mb", MEMORY_MB)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(max(value if is_number else MEMORY_MB, _LEAST_MB)) * 2**20


def _grown(rgb: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Return colours of at least that size, the last row and column repeated."""
    below, right = max(0, rows - rgb.shape[0]), max(0, columns - rgb.shape[1])
    if not below and not right:
        return rgb
    return np.pad(rgb, ((0, below), (0, right), (0, 0)), "edge")


# Pillow, which most images need anyway: cv2 would take a tenth of the time to the first frame.


def _for_screen(rgb: NDArray[np.uint8], halvings: int) -> Tile:
    """Return the means of squares of 2**halvings pixels; those at the edge may be incomplete."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(rgb))
    small = image.reduce(1 << halvings) if halvings else image
    data = small.convert("RGBA").tobytes("raw", "BGRA")
    return np.frombuffer(data, np.uint8).reshape(small.height, small.width, 4)


def _halved(tile: Tile) -> Tile:
    """Return the means of squares of 2 x 2 pixels; those at the edge may be incomplete."""
    from PIL import Image

    return np.asarray(Image.fromarray(tile, "RGBA").reduce(2))
