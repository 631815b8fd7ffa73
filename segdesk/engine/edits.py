"""What a user can do to a document: each function is one step that can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from segdesk.core.errors import SegdeskError
from segdesk.core.ids import map_ids
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.engine.document import Document
from segdesk.engine.edit import Edit
from segdesk.engine.layer import Layer, LayerState


def add_layer(
    document: Document,
    state: LayerState,
    content: Segmentation | None = None,
    name: str = "Add layer",
) -> Layer:
    """Add a layer on top, by default an empty one, and make it the active one.

    Parameters
    ----------
    name
        What the step is called.
    """
    layer = document.new_layer(state, content)
    with document.edit(name) as edit:
        edit.set_layers((*document.layers, layer))
    document.activate(layer.id)
    return layer


def remove_layer(document: Document, layer_id: int) -> None:
    """Remove a layer with all that is on it."""
    layer = document.layer(layer_id)
    _refuse_locked(layer)
    with document.edit(f"Remove {layer.state.name}") as edit:
        edit.set_layers(tuple(other for other in document.layers if other is not layer))


def move_layer(document: Document, layer_id: int, position: int) -> None:
    """Move a layer to a position, 0 = bottom."""
    layer = document.layer(layer_id)
    others = [other for other in document.layers if other is not layer]
    others.insert(position, layer)
    if tuple(others) != document.layers:
        with document.edit("Move layer") as edit:
            edit.set_layers(tuple(others))


def change_layer(document: Document, layer_id: int, name: str, /, **fields: Any) -> None:
    """Change fields of a layer's state; changes of the opacity that follow join one step.

    Parameters
    ----------
    name
        What the step is called: "Opacity".
    """
    layer = document.layer(layer_id)
    key = f"opacity {layer_id}" if "opacity" in fields else ""
    with document.edit(name, key) as edit:
        edit.set_state(layer, replace(layer.state, **fields))


def set_categories(document: Document, layer_id: int, categories: tuple[Category, ...]) -> None:
    """Replace a layer's categories.

    Raises ``SegdeskError`` when one that segments still have is missing, or an id comes twice.
    """
    layer = document.layer(layer_id)
    ids = [category.id for category in categories]
    if len(set(ids)) < len(ids):
        raise SegdeskError("Two categories have the same id: give each its own.")
    used = {segment.category for segment in layer.segments.values()} - set(ids)
    if used:
        names = ", ".join(c.name for c in layer.state.categories if c.id in used)
        raise SegdeskError(
            f"Segments still have the category {names}: change or delete them first."
        )
    with document.edit("Edit categories") as edit:
        edit.set_state(layer, replace(layer.state, categories=categories))


def segment_to_paint(edit: Edit, layer: Layer, category_id: int) -> int:
    """Return the id that a tool paints for a category; 0 for the background.

    A semantic layer has one segment a category; elsewhere each call makes a new segment.
    """
    if _is_nothing(layer, category_id):
        return 0
    segment = layer.segment_of(category_id) if is_one_for_all(layer, category_id) else None
    if segment is None:
        segment = Segment(layer.next_id, category_id)
        edit.set_segments(layer, {segment.id: segment})
    return segment.id


def delete_segments(document: Document, layer_id: int, segment_ids: set[int]) -> None:
    """Remove segments and their pixels."""
    layer = document.layer(layer_id)
    _refuse_locked(layer)
    with document.edit("Delete segment" if len(segment_ids) == 1 else "Delete segments") as edit:
        repaint(edit, layer, dict.fromkeys(segment_ids, 0))


def merge_segments(document: Document, layer_id: int, segment_ids: set[int]) -> int:
    """Make one segment of several; the lowest id stays and is returned."""
    layer = document.layer(layer_id)
    _refuse_locked(layer)
    kept = min(segment_ids)
    with document.edit("Merge segments") as edit:
        repaint(edit, layer, dict.fromkeys(segment_ids - {kept}, kept))
    return kept


def set_category(
    document: Document, layer_id: int, segment_ids: set[int], category_id: int
) -> None:
    """Give segments another category; in a semantic layer they join the one of that category.

    What becomes background is deleted.
    """
    layer = document.layer(layer_id)
    _refuse_locked(layer)
    if _is_nothing(layer, category_id):
        delete_segments(document, layer_id, segment_ids)
        return
    if layer.state.category(category_id) is None:
        raise SegdeskError(f"Layer {layer.state.name!r} has no category {category_id}.")
    with document.edit("Change category") as edit:
        kept = segment_ids
        if is_one_for_all(layer, category_id):
            there = layer.segment_of(category_id)
            one = there.id if there else min(segment_ids)
            repaint(edit, layer, dict.fromkeys(segment_ids - {one}, one))
            kept = {one} - {there.id if there else 0}
        edit.set_segments(
            layer, {i: replace(layer.segments[i], category=category_id) for i in kept}
        )


def add_prompt(document: Document, prompt: Prompt, key: str = "") -> None:
    """Add a prompt."""
    with document.edit(f"Add {type(prompt).__name__.lower()}", key) as edit:
        edit.set_prompts((*document.prompts, prompt))


def clear_prompts(document: Document) -> None:
    """Remove all prompts."""
    if document.prompts:
        with document.edit("Clear prompts") as edit:
            edit.set_prompts(())


def repaint(edit: Edit, layer: Layer, new_ids: dict[int, int]) -> None:
    """Replace segment ids on all planes and drop their segments; ids that are no keys stay."""
    for number, plane in enumerate(layer.planes):
        for index in plane.indices_of(new_ids.keys()):
            window, frame = plane.tile_window(index), index[2]
            ids = map_ids(plane.read(window, 0, frame), lambda i: new_ids.get(i, i))
            edit.paint(layer, window, ids, None, number, frame)
    edit.set_segments(layer, dict.fromkeys(new_ids.keys() & layer.segments.keys()))
    clear_doubles(edit, layer, frozenset(new_ids.values()) - {0})


def clear_doubles(edit: Edit, layer: Layer, segment_ids: frozenset[int]) -> None:
    """Take segments off pixels of a plane where a plane below has the same segment."""
    for number in range(1, len(layer.planes)):
        plane, lower = layer.planes[number], layer.planes[:number]
        for index in plane.indices_of(segment_ids):
            window, frame = plane.tile_window(index), index[2]
            ids = plane.read(window, 0, frame)
            below = np.stack([other.read(window, 0, frame) for other in lower])
            doubled = (below == ids).any(0) & np.isin(ids, list(segment_ids))
            if doubled.any():
                edit.paint(layer, window, 0, doubled, number, frame)


def is_one_for_all(layer: Layer, category_id: int) -> bool:
    """Say whether all pixels of a category form one segment in a layer."""
    if layer.state.task == "semantic":
        return True
    category = layer.state.category(category_id)
    return layer.state.task == "panoptic" and category is not None and not category.is_thing


def _is_nothing(layer: Layer, category_id: int) -> bool:
    """Say whether a category is the background; some checkpoints have a real category 0."""
    category = layer.state.category(category_id)
    return category_id == 0 and (category is None or category.is_background)


def _refuse_locked(layer: Layer) -> None:
    if layer.state.locked:
        raise SegdeskError(f"Layer {layer.state.name!r} is locked: unlock it to change it.")
