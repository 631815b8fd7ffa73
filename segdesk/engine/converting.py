"""From a segment for all pixels of a category to one for each object, and back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from segdesk.core.chosen import Chosen
from segdesk.core.components import Neighbours
from segdesk.core.errors import SegdeskError
from segdesk.core.progress import Report, part, silent
from segdesk.core.segmentation import Task
from segdesk.core.splitting import split_parts
from segdesk.engine.document import Document
from segdesk.engine.edit import Edit
from segdesk.engine.edits import is_one_for_all, repaint
from segdesk.engine.layer import Layer
from segdesk.engine.regions import add_split_off, put_map


def convert(
    document: Document,
    layer_id: int,
    task: Task,
    neighbours: Neighbours = 8,
    report: Report = silent,
) -> None:
    """Make a layer of another task.

    Where the new task has a segment for each object, a category's segment is split into the parts
    that hang together; the largest part keeps its id. Where it has one for all, segments of a
    category are joined, and the lowest id stays: so the way there and back changes nothing.
    Segments that overlap stay on their planes.
    """
    layer = document.layer(layer_id)
    if layer.state.locked:
        raise SegdeskError(f"Layer {layer.state.name!r} is locked: unlock it to change it.")
    if layer.state.task == task:
        raise SegdeskError(f"Layer {layer.state.name!r} is {task} already.")
    with document.edit(f"Convert to {task}") as edit:
        before = {i for i, s in layer.segments.items() if is_one_for_all(layer, s.category)}
        edit.set_state(layer, replace(layer.state, task=task))
        after = {i for i, s in layer.segments.items() if is_one_for_all(layer, s.category)}
        _split(edit, layer, frozenset(before - after), neighbours, report)
        join_categories(edit, layer, after - before)


def join_categories(edit: Edit, layer: Layer, segment_ids: set[int]) -> None:
    """Make one segment of those of the same category; the lowest id stays."""
    by_category: dict[int, list[int]] = defaultdict(list)
    for segment_id in sorted(segment_ids):
        by_category[layer.segments[segment_id].category].append(segment_id)
    new_ids = {other: first for first, *others in by_category.values() for other in others}
    repaint(edit, layer, new_ids)
    clear_doubles(edit, layer, frozenset(new_ids.values()))


def clear_doubles(edit: Edit, layer: Layer, segment_ids: frozenset[int]) -> None:
    """Take segments off pixels of a plane where a plane below has the same segment."""
    chosen = Chosen(segment_ids)
    for number in range(1, len(layer.planes)):
        for index in chosen.indices(layer.planes[number]):
            window, frame = layer.planes[number].tile_window(index), index[2]
            ids = layer.planes[number].read(window, 0, frame)
            doubled = np.zeros(ids.shape, np.bool_)
            for below in layer.planes[:number]:
                doubled |= below.read(window, 0, frame) == ids
            doubled &= chosen.mask(ids)
            if doubled.any():
                edit.paint(layer, window, 0, doubled, number, frame)


def _split(
    edit: Edit, layer: Layer, segment_ids: frozenset[int], neighbours: Neighbours, report: Report
) -> None:
    free_ids, count = layer.free_ids(), len(layer.planes)
    for number, plane in enumerate(layer.planes) if segment_ids else ():
        its_report = part(report, number / count, (number + 1) / count)
        chosen = Chosen(segment_ids)
        new, parents = split_parts(plane.snapshot(), chosen, free_ids, neighbours, its_report)
        add_split_off(edit, layer, parents)
        put_map(edit, layer, number, new)
