"""An image with a level for every halving of its size, whatever its file offers."""

from __future__ import annotations

from dataclasses import replace
from math import log2

import numpy as np

from segdesk.core.errors import ImageError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo, ImageSource, Pixels
from segdesk.engine.halving import halved
from segdesk.engine.tile_file import DamagedTiles, Place, TileFile

SIZE = 256  # pixels of a stored tile in a row and in a column
_AT_ONCE = 2**22  # pixels read at once to make some of a coarser level
_CHEAP = 2**20  # pixels that may be read to make a tile that is not stored yet


class Pyramid:
    """Reads tiles that are stored, and makes the others from the image's own pixels.

    Attributes
    ----------
    base
        The image itself.
    stored
        The tiles; None when there are none, and never will be.
    is_complete
        Whether all tiles are stored; else they become more and more.
    preview
        (level, pixels) of a rough copy of the whole, to be shown until all tiles are stored.
    preview_age
        How often it has changed.
    """

    def __init__(self, base: ImageSource, stored: TileFile | None, is_complete: bool) -> None:
        self.base = base
        self.stored = stored
        self.is_complete = is_complete
        self.preview: tuple[int, Pixels] | None = None
        self.preview_age = 0
        self.info = replace(base.info, levels=_halvings(base.info))
        self._own_levels = own_levels(base.info)

    @property
    def keeps_pixels(self) -> bool:
        """Whether level 0 is stored too: where the file has to be decoded in large pieces."""
        return decodes_much(self.base.info)

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return the pixels of a window of a level."""
        if not 0 <= level < len(self.info.levels):
            raise ImageError(f"{self.info.name}: there is no level {level}.")
        stored = self.stored  # another thread may give them up
        if not stored or frame or (level == 0 and not self.keeps_pixels):
            return self._made(window, level, frame)
        places = [(level, *index) for index in window.tiles(SIZE)]
        if not any(place in stored for place in places):
            return self._made(window, level, frame)
        pixels = np.empty((*window.shape, self.info.bands), self.info.dtype)
        for place in places:
            seen = self.window_of(place).intersection(window)
            part = self._part(place, seen, frame)
            pixels[seen.shifted(-window.x, -window.y).slices] = part
        return pixels

    def is_ready(self, window: Window, level: int, frame: int = 0) -> bool:
        """Say whether a window can be read without reading much of the file."""
        stored = self.stored
        if not stored or self.is_complete or frame or level == 0:
            return True
        own = self._own_level(level)
        is_cheap = window.area << 2 * (level - own) <= _CHEAP
        if is_cheap and (own or not self.keeps_pixels):
            return True
        return all((level, *index) in stored for index in window.tiles(SIZE))

    def give_up(self) -> None:
        """Do without tiles that are not all there."""
        stored = self.stored
        if stored and not self.is_complete:
            self.stored = self.preview = None
            stored.discard()

    def close(self) -> None:
        """Let go of both files."""
        self.give_up()
        if self.stored:
            self.stored.close()
        self.base.close()

    def window_of(self, place: Place) -> Window:
        """Return the pixels of its level that a stored tile holds."""
        level, column, row = place
        whole = Window(column * SIZE, row * SIZE, SIZE, SIZE)
        return whole.intersection(Window(0, 0, *self.info.level_sizes[level]))

    def _part(self, place: Place, seen: Window, frame: int) -> Pixels:
        """Return the part of a stored tile that is seen, made anew if it is not there."""
        stored, window = self.stored, self.window_of(place)
        if stored and place in stored:
            try:
                values = stored.get(place, self.info.dtype)
                tile = values.reshape(*window.shape, self.info.bands)
                return tile[seen.shifted(-window.x, -window.y).slices]
            except (DamagedTiles, ValueError):
                self.is_complete = False  # the next time they are made anew
                self.give_up()
        return self._made(seen, place[0], frame)

    def _own_level(self, level: int) -> int:
        """Return the coarsest level of the file itself that is not coarser, in halvings."""
        return max(own for own in self._own_levels if own <= level)

    def _made(self, window: Window, level: int, frame: int) -> Pixels:
        """Make a window from the nearest level of the file, in parts where it takes many pixels."""
        own = self._own_level(level)
        steps = level - own
        if not steps:
            return self._from_file(window, own, frame)
        if window.area << 2 * steps <= _AT_ONCE or window.area == 1:
            pixels = self._from_file(_finer(window, steps), own, frame)
            for _ in range(steps):
                pixels = halved(pixels, self.info)
            return pixels
        axis = 0 if window.height >= window.width else 1
        parts = [self._made(half, level, frame) for half in _halves(window, axis)]
        return np.concatenate(parts, axis)

    def _from_file(self, window: Window, own: int, frame: int) -> Pixels:
        """Read a level of the file, which may lack a last row and column, as if it did not."""
        if not own:
            return self.base.read(window.intersection(self.info.window) or window, 0, frame)
        number = self._own_levels[own]
        wanted = window.intersection(Window(0, 0, *self.info.level_sizes[own]))
        there = wanted.intersection(Window(0, 0, *self.base.info.level_sizes[number]))
        if not there:
            raise ImageError(f"{self.info.name}: {window} is not inside level {own}.")
        pixels = self.base.read(there, number, frame)
        missing = wanted.height - there.height, wanted.width - there.width
        if missing == (0, 0):
            return pixels
        return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), "edge")


def decodes_much(info: ImageInfo) -> bool:
    """Say whether the file has to be decoded in large pieces, or even as a whole."""
    return info.block is None or info.block[0] * info.block[1] > _AT_ONCE


def own_levels(info: ImageInfo) -> dict[int, int]:
    """Return the image's own levels by how often they are halved."""
    found: dict[int, int] = {0: 0}
    for number, (width, height) in enumerate(info.level_sizes):
        halvings = max(0, round(log2(info.width / width)))
        step = 1 << halvings
        if abs(info.width / step - width) <= 1 and abs(info.height / step - height) <= 1:
            found.setdefault(halvings, number)
    return found


def _halvings(info: ImageInfo) -> tuple[tuple[int, int], ...]:
    """Return the size of every level, down to one that is a single tile."""
    top = (max(info.width, info.height, SIZE) - 1).bit_length() - (SIZE.bit_length() - 1)
    return tuple((-(-info.width >> n), -(-info.height >> n)) for n in range(top + 1))


def _finer(window: Window, steps: int) -> Window:
    return Window(*(n << steps for n in (window.x, window.y, window.width, window.height)))


def _halves(window: Window, axis: int) -> tuple[Window, Window]:
    x, y, width, height = window.x, window.y, window.width, window.height
    if axis:
        first = width // 2
        return Window(x, y, first, height), Window(x + first, y, width - first, height)
    first = height // 2
    return Window(x, y, width, first), Window(x, y + first, width, height - first)
