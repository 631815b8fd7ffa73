"""From a segment for all pixels of a category to one for each object, and back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from segdesk.core.chosen import Chosen
from segdesk.core.components import Neighbours
from segdesk.core.errors import SegdeskError
from segdesk.core.progress import Report, silent
from segdesk.core.segmentation import Task
from segdesk.core.splitting import merge, split_parts
from segdesk.engine.document import Document
from segdesk.engine.edit import Edit
from segdesk.engine.edits import clear_doubles, is_one_for_all
from segdesk.engine.layer import Layer
from segdesk.engine.regions import add_split_off, by_plane, put_map


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
        _join(edit, layer, after - before, report)


def _join(edit: Edit, layer: Layer, segment_ids: set[int], report: Report) -> None:
    """Make one segment of those of the same category; the lowest id stays."""
    by_category: dict[int, list[int]] = defaultdict(list)
    for segment_id in sorted(segment_ids):
        by_category[layer.segments[segment_id].category].append(segment_id)
    new_ids = {other: first for first, *others in by_category.values() for other in others}
    for number, plane, its_report in by_plane(layer, report) if new_ids else ():
        put_map(edit, layer, number, merge(plane, new_ids, its_report))
    edit.set_segments(layer, dict.fromkeys(new_ids))
    clear_doubles(edit, layer, frozenset(new_ids.values()))


def _split(
    edit: Edit, layer: Layer, segment_ids: frozenset[int], neighbours: Neighbours, report: Report
) -> None:
    free_ids, chosen = layer.free_ids(), Chosen(segment_ids)
    for number, plane, its_report in by_plane(layer, report) if segment_ids else ():
        new, parents = split_parts(plane, chosen, free_ids, neighbours, its_report)
        add_split_off(edit, layer, parents)
        put_map(edit, layer, number, new)
