"""Painting where the pixels of the image lie in a range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.chosen import Chosen
from segdesk.core.display import Display
from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageSource
from segdesk.core.progress import Report, each, silent
from segdesk.core.raster import Mask, capsule
from segdesk.engine.document import Document
from segdesk.engine.edit import Edit
from segdesk.engine.edits import segment_to_paint
from segdesk.engine.layer import Layer

_SIDE = 1024  # pixels of the image that are read at once, in a row and in a column


@dataclass(frozen=True)
class Range:
    """Which pixels: those whose value is not below ``low`` and not above ``high``.

    The value is that of a band, counted from 0, or, with a ``display``, the brightness as it is
    displayed, 0 to 255.
    """

    low: float
    high: float
    band: int = 0
    display: Display | None = None

    def mask(self, source: ImageSource, window: Window, level: int = 0, frame: int = 0) -> Mask:
        """Return which pixels of a window, in pixels of its level, are in the range."""
        values = values_of(source.read(window, level, frame), self)
        result: Mask = (values >= self.low) & (values <= self.high)
        return result


def values_of(pixels: NDArray[Any], within: Range) -> NDArray[Any]:
    """Return the (rows, columns) values that a range looks at, of pixels in the file's dtype."""
    if within.display:
        brightness: NDArray[Any] = within.display.apply(pixels).mean(2)
        return brightness
    if not 0 <= within.band < pixels.shape[2]:
        raise SegdeskError(f"There is no band {within.band + 1}: the image has {pixels.shape[2]}.")
    return pixels[..., within.band]


@dataclass(frozen=True, eq=False)
class Stroke:
    """The pixels under a round brush on its way."""

    path: NDArray[Any]  # (N, 2) float64, of its centre
    radius: float  # pixels

    def mask(self, window: Window) -> Mask:
        """Return which pixels of a window it covers."""
        mask = np.zeros(window.shape, np.bool_)
        points = self.path.tolist()
        for start, end in zip(points, points[1:] or points, strict=False):
            place, part = capsule(start, end, self.radius, window)
            mask[place.shifted(-window.x, -window.y).slices] |= part
        return mask

    def window(self) -> Window:
        """Return a window around it."""
        (x, y), (right, bottom) = (
            np.floor(self.path.min(0) - self.radius).astype(int).tolist(),
            np.ceil(self.path.max(0) + self.radius).astype(int).tolist(),
        )
        return Window(x, y, right - x, bottom - y)


@dataclass(frozen=True)
class Place:
    """Where to paint: in a window of a frame, under a stroke, inside some segments.

    Attributes
    ----------
    inside
        Segments that give way; None: anywhere.
    over
        Also where other segments are.
    segment_id
        The segment that grows; 0: the one of the category, or a new one.
    """

    layer_id: int
    window: Window
    frame: int = 0
    inside: frozenset[int] | None = None
    over: bool = False
    stroke: Stroke | None = None
    segment_id: int = 0


def paint_range(
    document: Document,
    place: Place,
    within: Range,
    category_id: int,
    report: Report = silent,
    key: str = "",
) -> int:
    """Paint a category where pixels are in a range; return the id of the segment.

    0, the background, takes pixels off segments. In layers where each segment stands for itself
    a new one begins.

    Parameters
    ----------
    key
        Joins the step to the one before it with the same key.
    """
    layer = document.layer(place.layer_id)
    with document.edit("Threshold", key) as edit:
        segment_id = place.segment_id or segment_to_paint(edit, layer, category_id)
        for window in each(_windows(layer, place), report, "Looking at pixels"):
            mask = within.mask(document.image, window, 0, place.frame)
            if place.stroke and mask.any():
                mask &= place.stroke.mask(window)
            if mask.any():
                _paint(edit, layer, place, window, (mask, segment_id))
    return segment_id


def _windows(layer: Layer, place: Place) -> Iterator[Window]:
    """Yield the windows to look at, aligned so that files read well."""
    window = place.window.intersection(layer.planes[0].window)
    blocks = list(window.tiles(_SIDE))
    if place.inside is not None:
        chosen = Chosen(place.inside, place.frame)
        tiles = (p.tile_window(i) for p in layer.planes for i in chosen.indices(p))
        held = {block for tile in tiles for block in tile.tiles(_SIDE)}
        blocks = [block for block in blocks if block in held]
    for column, row in blocks:
        yield Window(column * _SIDE, row * _SIDE, _SIDE, _SIDE).intersection(window)


def _paint(edit: Edit, layer: Layer, place: Place, window: Window, found: tuple[Mask, int]) -> None:
    mask, segment_id = found
    ids = [plane.read(window, 0, place.frame) for plane in layer.planes]
    is_there = np.logical_or.reduce([plane == segment_id for plane in ids]) if segment_id else ~mask
    for number, its_ids in enumerate(ids):
        if place.inside is not None:
            where = Chosen(place.inside).mask(its_ids)
        elif segment_id == 0:
            where = its_ids > 0
        elif number:
            continue  # one plane is enough
        else:
            where = (its_ids == 0) | place.over
        where = where & mask & ~is_there
        if where.any():
            edit.paint(layer, window, segment_id, where, number, place.frame)
            is_there |= where & (segment_id > 0)
