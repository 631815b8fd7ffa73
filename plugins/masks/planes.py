"""Walks over the planes of a segmentation without ever holding a whole one as int32."""

from __future__ import annotations

from collections.abc import Iterator

from segdesk.api import Category, LabelMap, Segment, Segmentation, Window
from segdesk.core.palette import segment_colour
from segdesk.core.segmentation import Colour
from segdesk.core.tile import TILE, tile_areas

BAND = 4 * TILE  # rows


def bands(labels: LabelMap) -> Iterator[Window]:
    """Yield windows of full width that cover the map from top to bottom."""
    for y in range(0, labels.height, BAND):
        yield Window(0, y, labels.width, min(BAND, labels.height - y))


def tiles_of_segments(labels: LabelMap) -> dict[int, list[Window]]:
    """Return the windows of all tiles that hold a segment, by its id; one pass over the map."""
    windows: dict[int, list[Window]] = {}
    for index, tile in labels.tiles():
        inside = labels.tile_window(index)
        for segment_id in tile_areas(tile, inside):
            windows.setdefault(segment_id, []).append(inside)
    return windows


def category_of(segmentation: Segmentation, segment: Segment) -> Category | None:
    """Return the category of a segment, if the segmentation knows it."""
    return next((c for c in segmentation.categories if c.id == segment.category), None)


def colour_of(segmentation: Segmentation, segment: Segment) -> Colour:
    """Return the colour in which a segment is drawn: its category's, or one by its id.

    Stuff and semantic results show categories; things of one category must stay apart.
    """
    category = category_of(segmentation, segment)
    if category and (segmentation.task == "semantic" or not category.is_thing):
        return category.colour
    return segment_colour(segment.id)
