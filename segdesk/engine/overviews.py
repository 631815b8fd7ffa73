"""Makes overviews of large files that have none, once, and finds them again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from segdesk.core.errors import ImageError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo, ImageSource, Pixels
from segdesk.core.progress import Report
from segdesk.engine import overview_cache as cache
from segdesk.engine.halving import halved
from segdesk.engine.pyramid import SIZE, Pyramid, decodes_much
from segdesk.engine.readers import open_directly
from segdesk.engine.tile_file import Place, TileFile

LARGE = 2**26  # pixels, from which on an image needs overviews
_SMALL = 2**24  # pixels of a level from which the coarser ones are quickly made
_BAND = 2 * SIZE  # rows that give whole tiles of level 1
_PART = 2048  # pixels in a row and a column of a part of a tiled file
_PART_BYTES = 2**24  # of a part of a file that is stored row by row
_PREVIEW = 1024  # pixels in a row and in a column
_PREVIEW_BYTES = 2**27  # decoded for a preview


def wants_overviews(info: ImageInfo) -> bool:
    """Say whether an image is large and its file has no small copies of it, or is slow to read."""
    if info.width * info.height <= LARGE or cache.limit() == 0:
        return False
    width, height = info.level_sizes[-1]
    return decodes_much(info) or width * height > _SMALL


def with_overviews(path: Path, source: ImageSource) -> ImageSource:
    """Return an image with the overviews that were made of it before, if there are any."""
    stored = cache.find(path) if wants_overviews(source.info) else None
    return Pyramid(source, stored, is_complete=True) if stored else source


def ready_for_overviews(path: Path, source: ImageSource) -> ImageSource:
    """Return an image whose overviews ``make_overviews`` will make, if it is in want of them.

    Raises
    ------
    ImageError
        When they cannot be kept.
    """
    if isinstance(source, Pyramid) or not wants_overviews(source.info):
        return source
    return Pyramid(source, cache.begin(path), is_complete=False)


def make_overviews(path: Path, pyramid: Pyramid, report: Report) -> None:
    """Read the whole image once and store its overviews; it can be read all the while.

    However this ends, the image stays usable.

    Raises
    ------
    ImageError
        When the file cannot be read, the disk is full, or the overviews would take more of it
        than the settings allow.
    Cancelled
        As ``report`` says.
    """
    stored = pyramid.stored
    if pyramid.is_complete or not stored:
        return
    try:
        _begin_preview(pyramid, report)
        _store_all(path, pyramid, stored, report)
        cache.finish(path, stored)
        pyramid.is_complete = True
    except OSError as error:
        raise cache.not_written(path, error) from error
    finally:
        pyramid.preview = None
        pyramid.give_up()
    if pyramid.base.info.block is None:
        pyramid.base = open_directly(path)  # the one that has been decoded takes much memory


def _store_all(path: Path, pyramid: Pyramid, stored: TileFile, report: Report) -> None:
    parts, allowed, taken = list(_parts(pyramid.base.info)), cache.limit(), 0
    for number, window in enumerate(parts):
        report(number / len(parts), "")
        taken += _store_part(pyramid, stored, window)
        if taken > allowed:
            raise ImageError(
                f"{path}: its overviews would take more than the {allowed / 1e9:g} GB that the"
                " setting overview_cache_gb allows; it can be used all the same, but more slowly."
            )


def _store_part(pyramid: Pyramid, stored: TileFile, window: Window) -> int:
    """Store all tiles that a part of the image makes complete; return their bytes."""
    pixels = pyramid.base.read(window)
    _add_to_preview(pyramid, window, pixels)
    levels = [(0, window, pixels)] if pyramid.keeps_pixels else []
    levels.append((1, window.at_level(1), halved(pixels, pyramid.info)))
    taken = 0
    for level, covered, values in levels:
        for index in covered.tiles(SIZE):
            place = (level, *index)
            inside = pyramid.window_of(place).shifted(-covered.x, -covered.y)
            taken += stored.put(place, values[inside.slices])
    for index in window.at_level(1).tiles(SIZE):
        taken += _climb(pyramid, stored, (1, *index))
    return taken


def _climb(pyramid: Pyramid, stored: TileFile, place: Place) -> int:
    """Store the tiles above a new one that have become possible; return their bytes."""
    level, column, row = place
    above = (level + 1, column // 2, row // 2)
    if above[0] >= len(pyramid.info.levels) or above in stored:
        return 0
    window = pyramid.window_of(above)
    whole = Window(0, 0, *pyramid.info.level_sizes[level])
    below = Window(2 * window.x, 2 * window.y, 2 * window.width, 2 * window.height)
    below = below.intersection(whole)
    if not all((level, *index) in stored for index in below.tiles(SIZE)):
        return 0
    taken = stored.put(above, halved(pyramid.read(below, level), pyramid.info))
    return taken + _climb(pyramid, stored, above)


def _parts(info: ImageInfo) -> Iterator[Window]:
    """Cut an image along the grain of its file, in multiples of what gives whole tiles."""
    across, down = _PART, _PART
    if _is_in_rows(info):
        row_bytes = info.width * info.bands * np.dtype(info.dtype).itemsize
        across = -(-info.width // _BAND) * _BAND
        down = max(1, _PART_BYTES // (row_bytes * _BAND)) * _BAND
    for y in range(0, info.height, down):
        for x in range(0, info.width, across):
            yield Window(x, y, across, down).intersection(info.window)


def _is_in_rows(info: ImageInfo) -> bool:
    return info.block is not None and info.block[0] >= info.width


def _begin_preview(pyramid: Pyramid, report: Report) -> None:
    """Show single rows all over the image, where its file allows to read those quickly."""
    info = pyramid.info
    level = (max(info.width, info.height) // _PREVIEW).bit_length()
    shape = -(-info.height >> level), -(-info.width >> level)
    pyramid.preview = level, np.zeros((*shape, info.bands), info.dtype)
    rows = range(0, info.height, 1 << level)
    pixel = info.bands * np.dtype(info.dtype).itemsize
    strip = info.block[0] * info.block[1] * pixel if info.block else 0
    if not _is_in_rows(info) or strip * len(rows) > _PREVIEW_BYTES:
        return
    for y in rows:
        report(0.0, "")
        row = Window(0, y, info.width, 1)
        _add_to_preview(pyramid, row, pyramid.base.read(row))


def _add_to_preview(pyramid: Pyramid, window: Window, pixels: Pixels) -> None:
    if not pyramid.preview:
        return
    level, small = pyramid.preview
    step = 1 << level
    seen = pixels[-window.y % step :: step, -window.x % step :: step]
    x, y = -(-window.x // step), -(-window.y // step)
    small[y : y + seen.shape[0], x : x + seen.shape[1]] = seen
    pyramid.preview_age += 1
