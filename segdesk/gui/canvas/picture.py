"""Draws the image itself: tiles at the level that fits, coarser ones until those are there."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from segdesk.core.geometry import Window
from segdesk.engine.tiles import SIZE, DisplayTiles, Tile, TileKey
from segdesk.gui.canvas.overlay import stretched
from segdesk.gui.canvas.view import View
from segdesk.gui.tools.base import Picture

# Qt shares out what has more rows among threads, and to wait for those takes longer than the work.
_BAND = 90  # device pixels
_COARSER = 3  # levels, by which the tiles that are shown first are coarser


def level_on_show(tiles: DisplayTiles, view: View) -> int:
    """Return the level that a view shows: a coarser one where its tiles would fill the cache."""
    device_pixel = 1 / (view.scale * (1 << view.level)) ** 2  # pixels of the level
    is_vast = 4 * device_pixel * view.width * view.height > tiles.budget / 2
    return min(view.level + is_vast, tiles.top_level)


def paint_picture(
    painter: QPainter,
    tiles: DisplayTiles,
    old: DisplayTiles | None,
    view: View,
    rect: QRect,
) -> None:
    """Draw the device pixels of a rectangle, as sharply as the tiles that are there allow.

    Parameters
    ----------
    old
        Tiles of the same image in other colours, which stand in for missing ones.
    """
    for key in tiles.keys(view.window(rect), level_on_show(tiles, view)):
        target = view.device_rect(tiles.window_of(key)).intersected(rect)
        found = tiles.best(key) or (old.best(key) if old else None)
        if found and not target.isEmpty():
            _paint_tile(painter, *found, view, target)


def coarse_tiles(tiles: DisplayTiles, keys: list[TileKey]) -> list[TileKey]:
    """Return the few tiles that could soon stand in for those of ``keys`` that nothing shows."""
    bare = [key for key in keys if not tiles.best(key)]
    if not bare:
        return []
    for up in range(_COARSER, 0, -1):
        level = min(keys[0][0] + up, tiles.top_level)
        steps = level - keys[0][0]
        wider = dict.fromkeys((level, column >> steps, row >> steps) for _, column, row in bare)
        found = [key for key in wider if tiles.is_quick(key) and tiles.can_make(key)]
        if found and steps:
            return found
    return []


def missing_tiles(tiles: DisplayTiles, view: View) -> tuple[list[TileKey], list[TileKey]]:
    """Return the tiles that a view lacks, the ones in the middle first, and those around it."""
    level = level_on_show(tiles, view)
    window = view.window()
    x, y = window.x + window.width / 2, window.y + window.height / 2

    def distance(key: TileKey) -> float:
        place = tiles.window_of(key)
        return (place.x + place.width / 2 - x) ** 2 + (place.y + place.height / 2 - y) ** 2

    seen = tiles.keys(window, level)
    around = set(tiles.keys(window.padded(SIZE << level), level)).difference(seen)
    in_view = sorted((key for key in seen if tiles.kept(key) is None), key=distance)
    return in_view, sorted((key for key in around if tiles.kept(key) is None), key=distance)


def picture_of(tiles: DisplayTiles, view: View) -> Picture:
    """Return the colours of what a view shows, black where tiles are not there yet."""
    level = level_on_show(tiles, view)
    window = view.window().intersection(tiles.info.window).at_level(level)
    rgb = np.zeros((*window.shape, 3), np.uint8)
    for column, row in window.tiles(SIZE):
        tile = tiles.kept((level, column, row))
        if tile is not None:
            place = Window(column * SIZE, row * SIZE, tile.shape[1], tile.shape[0])
            seen = place.intersection(window)
            source = seen.shifted(-place.x, -place.y).slices
            rgb[seen.shifted(-window.x, -window.y).slices] = tile[source][..., 2::-1]
    return Picture(rgb, level, window)


def _paint_tile(painter: QPainter, key: TileKey, tile: Tile, view: View, target: QRect) -> None:
    if key[0] == 0 and view.scale >= 1:
        _paint_pixels(painter, key, tile, view, target)
        return
    image = QImage(tile.data, tile.shape[1], tile.shape[0], tile.strides[0], _FORMAT)
    painter.setRenderHint(
        QPainter.RenderHint.SmoothPixmapTransform, view.scale * (1 << key[0]) != 1
    )
    for y in range(target.y(), target.y() + target.height(), _BAND):
        band = QRect(target.x(), y, target.width(), _BAND).intersected(target)
        painter.drawImage(QRectF(band), image, _source(key, view, band))


def _paint_pixels(painter: QPainter, key: TileKey, tile: Tile, view: View, target: QRect) -> None:
    """Draw a tile of whole image pixels, each on exactly the device pixels that show it."""
    columns = view.columns(target.x(), target.width()) - key[1] * SIZE
    rows = view.rows(target.y(), target.height()) - key[2] * SIZE
    x, y = int(columns[0]), int(rows[0])
    seen = Window(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
    pixels = stretched(tile.view("u4")[..., 0][seen.slices], rows - y, columns - x)
    height, width = pixels.shape
    painter.drawImage(target.topLeft(), QImage(pixels.data, width, height, width * 4, _FORMAT))


def _source(key: TileKey, view: View, target: QRect) -> QRectF:
    """Return the part of a tile, in its own pixels, that some device pixels show."""
    level, column, row = key
    size = view.scale * (1 << level)  # of a pixel of the tile, on the device
    return QRectF(
        (view.left + target.x()) / size - column * SIZE,
        (view.top + target.y()) / size - row * SIZE,
        target.width() / size,
        target.height() / size,
    )


_FORMAT = QImage.Format.Format_RGB32
