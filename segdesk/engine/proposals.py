"""Model results arrive in a layer of their own; nothing by hand changes until they are accepted."""

from __future__ import annotations

from dataclasses import replace

from segdesk.core.errors import SegdeskError
from segdesk.core.ids import map_ids
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import IGNORE, Segment, Segmentation
from segdesk.engine.document import Document
from segdesk.engine.edit import Edit
from segdesk.engine.edits import is_one_for_all, repaint
from segdesk.engine.layer import Layer, LayerState


def add_proposal(
    document: Document,
    segmentation: Segmentation,
    name: str,
    replaces: int = 0,
    key: str = "",
) -> Layer:
    """Add a result as a proposal layer on top; one that it replaces goes in the same step.

    Parameters
    ----------
    replaces
        Id of an older proposal layer; 0, or one that is gone: none.
    key
        Joins the step to the one before it with the same key: a stroke and its live result.
    """
    old = next((layer for layer in document.layers if layer.id == replaces), None)
    look = old.state if old else LayerState(name)
    state = replace(
        look, task=segmentation.task, categories=segmentation.categories, is_proposal=True
    )
    layer = document.new_layer(state, segmentation)
    with document.edit(f"Result of {name}", key) as edit:
        if old:
            edit.set_layers(tuple(layer if other is old else other for other in document.layers))
        else:
            edit.set_layers((*document.layers, layer))
    return layer


def accept(document: Document, layer_id: int, segment_ids: set[int] | None = None) -> Layer:
    """Accept a proposal, or some of its segments; return the layer in which they are now.

    They go into the topmost unlocked layer of the same task that is no proposal. Where there is
    none, a whole proposal becomes such a layer itself, and single segments found a new one.
    """
    proposal = _proposal(document, layer_id)
    target = _target(document, proposal)
    whole = segment_ids is None or segment_ids >= set(proposal.segments)
    with document.edit("Accept proposal" if whole else "Accept segment") as edit:
        if whole and target is None:
            _become_accepted(edit, proposal)
            target = proposal
        else:
            target = target or _found_layer(document, edit, proposal)
            chosen = set(proposal.segments) if segment_ids is None else segment_ids
            _move_segments(edit, proposal, target, chosen)
            if whole:
                edit.set_layers(tuple(o for o in document.layers if o is not proposal))
            else:
                repaint(edit, proposal, dict.fromkeys(chosen, 0))
    document.activate(target.id)
    return target


def reject(document: Document, layer_id: int, segment_ids: set[int] | None = None) -> None:
    """Reject a proposal (its layer goes) or some of its segments."""
    proposal = _proposal(document, layer_id)
    whole = segment_ids is None or segment_ids >= set(proposal.segments)
    with document.edit("Reject proposal" if whole else "Reject segment") as edit:
        if whole:
            edit.set_layers(tuple(o for o in document.layers if o is not proposal))
        else:
            repaint(edit, proposal, dict.fromkeys(segment_ids or (), 0))


def _proposal(document: Document, layer_id: int) -> Layer:
    layer = document.layer(layer_id)
    if not layer.state.is_proposal:
        raise SegdeskError(f"Layer {layer.state.name!r} is no proposal.")
    return layer


def _target(document: Document, proposal: Layer) -> Layer | None:
    fits = (
        layer
        for layer in reversed(document.layers)
        if not layer.state.is_proposal
        and not layer.state.locked
        and layer.state.task == proposal.state.task
    )
    return next(fits, None)


def _become_accepted(edit: Edit, proposal: Layer) -> None:
    edit.set_segments(
        proposal, {i: replace(s, state="accepted") for i, s in proposal.segments.items()}
    )
    edit.set_state(proposal, replace(proposal.state, is_proposal=False))


def _found_layer(document: Document, edit: Edit, proposal: Layer) -> Layer:
    state = replace(proposal.state, name="Accepted", is_proposal=False)
    layer = document.new_layer(state)
    below = tuple(other for other in document.layers if other is not proposal)
    edit.set_layers((*below, layer, proposal))
    return layer


def _move_segments(edit: Edit, proposal: Layer, target: Layer, chosen: set[int]) -> None:
    edit.add_planes(target, len(proposal.planes) - len(target.planes))
    new_ids = _new_ids(edit, proposal, target, chosen & set(proposal.segments))
    for number, plane in enumerate(proposal.planes):
        _paint_through(edit, plane, target, new_ids, number)


def _paint_through(
    edit: Edit, plane: LabelMap, target: Layer, new_ids: dict[int, int], number: int
) -> None:
    """Write the segments that get a new id into a plane of another layer."""
    for index in plane.indices_of(new_ids.keys()):
        window, frame = plane.tile_window(index), index[2]
        ids = map_ids(plane.read(window, 0, frame), lambda i: new_ids.get(i, 0))
        edit.paint(target, window, ids, ids > 0, number, frame)


def _new_ids(edit: Edit, proposal: Layer, target: Layer, chosen: set[int]) -> dict[int, int]:
    """Give each chosen segment an id in the target, and the target their categories."""
    segments = [proposal.segments[segment_id] for segment_id in sorted(chosen)]
    category_ids = _join_categories(edit, proposal, target, {s.category for s in segments})
    joined = {s.category: s.id for s in target.segments.values()}
    new_ids: dict[int, int] = {}
    added: dict[int, Segment | None] = {}
    for free, segment in zip(target.free_ids(), segments, strict=False):
        category = category_ids[segment.category]
        if category in joined and is_one_for_all(target, category):
            new_ids[segment.id] = joined[category]
        else:
            new_ids[segment.id] = joined[category] = free
            added[free] = replace(segment, id=free, category=category, state="accepted")
    edit.set_segments(target, added)
    return new_ids


def _join_categories(
    edit: Edit, proposal: Layer, target: Layer, wanted: set[int]
) -> dict[int, int]:
    """Give the target some of the proposal's categories, joined by name; return their new ids."""
    categories = list(target.state.categories)
    ids = {category.name: category.id for category in categories}
    chosen = [category for category in proposal.state.categories if category.id in wanted]
    for category in chosen:
        if category.name not in ids:
            ids[category.name] = _free_id(category.id, set(ids.values()))
            categories.append(replace(category, id=ids[category.name]))
    edit.set_state(target, replace(target.state, categories=tuple(categories)))
    return {category.id: ids[category.name] for category in chosen}


def _free_id(preferred: int, used: set[int]) -> int:
    """Return a category id that is not used: the preferred one, or one above all others."""
    if preferred not in used | {0, IGNORE}:
        return preferred
    free = max(used, default=0) + 1
    return free + 1 if free == IGNORE else free
