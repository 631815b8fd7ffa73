"""Splitting segments where they do not hang together, at waists or along a line; merging them.

When one is split, its largest part keeps its id and the others get new ones; what splits
returns the new label map, and which segment each new id was split off.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core import tile
from segdesk.core.chosen import Chosen
from segdesk.core.components import (
    Components,
    Neighbours,
    are_largest,
    find_components,
    repainted,
)
from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.ids import Ids, map_ids
from segdesk.core.labelmap import LabelMap
from segdesk.core.morphology import Reach, nearest_ids
from segdesk.core.progress import Report, each, part, silent
from segdesk.core.raster import Mask

MOST = 2**24  # pixels of the window around a segment that is split by its shape
_DENSE = 2**24  # ids up to which a table is quicker than looking each one up
_SEAM = Reach(4.0)  # how far a pixel of a line may lie from what it is given to

Split = tuple[LabelMap, dict[int, int]]


def split_parts(
    labels: LabelMap,
    chosen: Chosen,
    free_ids: Iterator[int],
    neighbours: Neighbours = 8,
    report: Report = silent,
) -> Split:
    """Make each connected component of each segment a segment of its own."""
    components = find_components(labels, chosen, neighbours, part(report, 0, 0.8))
    is_off = ~are_largest(components.segments, components.areas)
    new_ids, parents = _new_ids(components, is_off, free_ids)
    return repainted(labels, components, new_ids, part(report, 0.8, 1)), parents


def remove_small_parts(
    labels: LabelMap,
    chosen: Chosen,
    below: int,
    neighbours: Neighbours = 8,
    report: Report = silent,
) -> LabelMap:
    """Return a label map without the connected components of fewer than ``below`` pixels."""
    components = find_components(labels, chosen, neighbours, part(report, 0, 0.8))
    new_ids = np.where(components.areas < below, 0, components.segments).astype(np.int32)
    return repainted(labels, components, new_ids, part(report, 0.8, 1))


def split_by_shape(
    labels: LabelMap,
    chosen: Chosen,
    free_ids: Iterator[int],
    waist: float = 0.75,
    report: Report = silent,
) -> Split:
    """Split segments into the round objects of which they seem to be made, frame by frame.

    A watershed of the distance to the edge: two bulges are two objects where what joins them is
    narrower than ``waist`` of the smaller one. Raises ``SegdeskError`` when a segment spans more
    than ``MOST`` pixels.
    """
    result = labels.snapshot()
    parents: dict[int, int] = {}
    windows = chosen.windows(labels)
    for (segment, _), window in windows.items():
        if window.area > MOST:
            raise SegdeskError(
                f"Segment {segment} spans {window.width} x {window.height} pixels, too many to "
                "split it by its shape: split off its parts, or cut it with the knife first."
            )
    for (segment, frame), window in each(windows.items(), report, "Splitting"):
        mask = labels.read(window, 0, frame) == segment
        objects = _objects(mask, waist)
        areas = np.bincount(objects[mask])
        if len(areas) > 2:
            new_ids = _ids_of_objects(areas, segment, free_ids)
            parents.update(dict.fromkeys(set(new_ids.tolist()) - {segment}, segment))
            result.write(window, new_ids[objects], mask, frame)
    return result, parents


def merge(labels: LabelMap, new_ids: dict[int, int], report: Report = silent) -> LabelMap:
    """Return a label map in which some segments have the ids of others."""
    result = labels.snapshot()
    highest = max(new_ids, default=0)
    if highest <= _DENSE:
        table = np.arange(highest + 2, dtype=np.int32)  # the last entry stands for higher ids
        table[list(new_ids)] = list(new_ids.values())
    for index in each(Chosen(frozenset(new_ids)).indices(labels), report, "Joining"):
        window, frame = labels.tile_window(index), index[2]
        ids = labels.read(window, 0, frame)
        if highest <= _DENSE:
            new = np.where(ids > highest, ids, table[np.minimum(ids, highest + 1)])
        else:
            new = map_ids(ids, lambda i: new_ids.get(i, i))
        result.write(window, new, None, frame)
    return result


def cut(
    labels: LabelMap,
    chosen: Chosen,
    free_ids: Iterator[int],
    path: NDArray[Any],
    report: Report = silent,
) -> Split:
    """Split segments along a line on the frame of ``chosen``, where it leads all the way through.

    Parameters
    ----------
    path
        (N, 2) corners of the line, (x, y) in pixels.
    """
    frame = chosen.frame or 0
    line = line_pixels(path, labels.window)
    result, parents = labels.snapshot(), dict[int, int]()
    under = {labels.at(x, y, frame) for x, y in line.tolist()} - {0}
    touched = under if chosen.ids is None else under & chosen.ids
    for segment in each(sorted(touched), report, "Cutting"):
        _cut_one(labels, result, Chosen(frozenset({segment}), frame), line, (free_ids, parents))
    return result, parents


def line_pixels(path: NDArray[Any], inside: Window) -> NDArray[np.int64]:
    """Return the (N, 2) pixels of a line through corners, each joined to the next by its side."""
    corners = np.asarray(path, np.float64)
    steps = np.ceil(np.abs(np.diff(corners, axis=0)).max(1, initial=0) * 4).astype(int)
    pieces = [
        np.linspace(a, b, n + 1) for a, b, n in zip(corners, corners[1:], steps, strict=False)
    ]
    pixels = np.floor(np.concatenate([corners[:1], *pieces])).astype(np.int64)
    both = np.repeat(pixels, 2, axis=0)[1:]
    both[1::2, 1] = both[0:-1:2, 1]  # go sideways before going up or down
    is_new = np.concatenate([[True], (both[1:] != both[:-1]).any(1)])
    x, y = both.T
    is_inside = (x >= inside.x) & (x < inside.right) & (y >= inside.y) & (y < inside.bottom)
    kept: NDArray[np.int64] = both[is_new & is_inside]
    return kept


def _cut_one(
    labels: LabelMap,
    result: LabelMap,
    chosen: Chosen,
    line: NDArray[np.int64],
    found: tuple[Iterator[int], dict[int, int]],
) -> None:
    """Write one segment's new parts into a result, and add them to what has been found."""
    (segment,), frame, (free_ids, parents) = chosen.ids or (0,), chosen.frame or 0, found
    without = labels.snapshot()
    for window, mask in _by_tile(line):
        mask &= labels.read(window, 0, frame) == segment
        without.write(window, 0, mask, frame)
    parts = find_components(without, chosen, 8)
    owners = _owners(parts, find_components(labels, chosen, 8))
    is_off = ~are_largest(owners, parts.areas)
    is_off[0] = False
    new_ids, its_parents = _new_ids(parts, is_off, free_ids)
    if not its_parents:
        return
    parents.update(its_parents)
    for index in parts.indices():
        numbers = parts.on_tile(index)
        if isinstance(numbers, int) and is_off[numbers]:
            result.write(labels.tile_window(index), int(new_ids[numbers]), None, frame)
        elif not isinstance(numbers, int) and is_off[numbers].any():
            result.write(labels.tile_window(index), new_ids[numbers], is_off[numbers], frame)
    _close_seam(labels, result, without, (segment, frame), line)


def _owners(parts: Components, wholes: Components) -> Ids:
    """Return (count + 1,) of the parts: the number of the whole in which each one lies."""
    owners = np.zeros(parts.count + 1, np.int32)
    for index in parts.indices():
        owners[parts.on_tile(index)] = wholes.on_tile(index)
    owners[0] = 0
    return owners


def _close_seam(
    labels: LabelMap,
    result: LabelMap,
    without: LabelMap,
    key: tuple[int, int],
    line: NDArray[np.int64],
) -> None:
    """Give the pixels under the line that were a segment's to its nearest part."""
    segment, frame = key
    for window, mask in _by_tile(line):
        mask &= labels.read(window, 0, frame) == segment
        around = window.padded(_SEAM.rows)
        is_part = without.read(around, 0, frame) == segment
        nearest = nearest_ids(np.where(is_part, result.read(around, 0, frame), 0), _SEAM)
        result.write(window, np.where(nearest > 0, nearest, segment), mask, frame)


def _by_tile(line: NDArray[np.int64]) -> Iterator[tuple[Window, Mask]]:
    """Yield the smallest window around the pixels on each tile, and where they are in it."""
    tiles, number = np.unique(line // tile.TILE, axis=0, return_inverse=True)
    for which in range(len(tiles)):
        x, y = line[number.ravel() == which].T
        window = Window(int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1)
        mask = np.zeros(window.shape, np.bool_)
        mask[y - window.y, x - window.x] = True
        yield window, mask


def _new_ids(
    components: Components, is_off: Mask, free_ids: Iterator[int]
) -> tuple[Ids, dict[int, int]]:
    """Return the id of each component, a new one for those split off, and whose those were."""
    numbers = np.flatnonzero(is_off)
    free = np.fromiter(islice(free_ids, len(numbers)), np.int32)
    if len(free) < len(numbers):
        raise SegdeskError("There are no segment ids left: split fewer segments.")
    new_ids = components.segments.copy()
    parents = dict(zip(free.tolist(), new_ids[numbers].tolist(), strict=True))
    new_ids[numbers] = free
    return new_ids, parents


def _ids_of_objects(areas: NDArray[Any], segment: int, free_ids: Iterator[int]) -> Ids:
    """Return the id of each object of a segment, by number; the largest one keeps the segment's."""
    largest = int(areas[1:].argmax()) + 1
    new_ids = [segment if n == largest else next(free_ids) for n in range(1, len(areas))]
    return np.array([segment, *new_ids], np.int32)


def _objects(mask: Mask, waist: float) -> Ids:
    """Return numbers from 1 on of the objects in a mask; 0 elsewhere."""
    import cv2
    from skimage.segmentation import watershed

    inside = np.pad(mask, 1)  # what the image cuts off ends there
    distance = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = cv2.GaussianBlur(distance, (0, 0), 1.0) * inside
    objects: Ids = watershed(-distance, _seeds(distance, waist), mask=inside, connectivity=2)
    return objects[1:-1, 1:-1]


def _seeds(distance: NDArray[np.float32], waist: float) -> Ids:
    """Return numbered peaks that are separate at ``waist`` of their height."""
    import cc3d
    from skimage.morphology import local_maxima, reconstruction

    lowered = np.minimum(distance * waist, np.maximum(distance - 0.75, distance / 4))
    flooded = reconstruction(lowered, distance, method="dilation")
    plateaus = local_maxima(flooded, connectivity=2) & (distance > 0)
    seeds: Ids = cc3d.connected_components(plateaus, connectivity=8).astype(np.int32)
    return seeds
