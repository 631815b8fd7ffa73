"""Operations on the pixels of segments: each function is one step that can be undone.

All work tile by tile on what holds the chosen segments, and may run on a draft of a document in
another thread. None takes pixels from a segment that was not chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from numpy.typing import NDArray

from segdesk.core import holes, interpolation, morphology, splitting
from segdesk.core.chosen import Chosen
from segdesk.core.components import Neighbours
from segdesk.core.errors import SegdeskError
from segdesk.core.labelmap import LabelMap
from segdesk.core.morphology import Reach
from segdesk.core.packed import AtRest
from segdesk.core.progress import Report, part, silent
from segdesk.core.splitting import Split
from segdesk.engine.document import Document
from segdesk.engine.edit import Edit
from segdesk.engine.edits import is_one_for_all, repaint
from segdesk.engine.layer import Layer


@dataclass(frozen=True)
class Target:
    """What an operation works on: segments of a layer."""

    layer_id: int
    segment_ids: frozenset[int] | None = None  # None: all
    frame: int | None = None  # None: every frame

    @property
    def chosen(self) -> Chosen:
        """The segments on their frames."""
        return Chosen(self.segment_ids, self.frame)


def grow(document: Document, target: Target, reach: Reach, report: Report = silent) -> None:
    """Grow segments onto free pixels within reach; they stop at others."""
    _reshape(document, target, "Grow", partial(morphology.grow, reach=reach), report)


def shrink(document: Document, target: Target, reach: Reach, report: Report = silent) -> None:
    """Take from segments what is within reach of other pixels."""
    _reshape(document, target, "Shrink", partial(morphology.shrink, reach=reach), report)


def smooth(document: Document, target: Target, radius: int, report: Report = silent) -> None:
    """Smooth the outlines of segments, without moving them much."""
    _reshape(document, target, "Smooth", partial(morphology.smooth, radius=radius), report)


def fill_holes(document: Document, target: Target, up_to: int = 0, report: Report = silent) -> None:
    """Fill holes of segments, of any size or up to some pixels."""
    _reshape(document, target, "Fill holes", partial(holes.fill_holes, up_to=up_to), report)


def remove_small_parts(
    document: Document,
    target: Target,
    below: int,
    neighbours: Neighbours = 8,
    report: Report = silent,
) -> None:
    """Remove what hangs together and has fewer pixels."""
    operation = partial(splitting.remove_small_parts, below=below, neighbours=neighbours)
    _reshape(document, target, "Remove small parts", operation, report)


def remove_small_segments(document: Document, target: Target, below: int) -> None:
    """Remove segments that have fewer pixels, over all frames."""
    layer = _layer(document, target)
    chosen = layer.segments if target.segment_ids is None else target.segment_ids
    small = {i for i in chosen if i in layer.segments and layer.areas.get(i, 0) < below}
    with document.edit("Remove small segments") as edit:
        repaint(edit, layer, dict.fromkeys(small, 0))


def split_parts(
    document: Document, target: Target, neighbours: Neighbours = 8, report: Report = silent
) -> dict[int, int]:
    """Make a segment of each part that hangs together; return {new id: id of the whole}."""
    operation = partial(splitting.split_parts, neighbours=neighbours)
    return _split(document, target, "Split into parts", operation, report)


def split_by_shape(
    document: Document, target: Target, waist: float = 0.75, report: Report = silent
) -> dict[int, int]:
    """Split objects that touch at their waists; return {new id: id of the whole}."""
    operation = partial(splitting.split_by_shape, waist=waist)
    return _split(document, target, "Split by shape", operation, report)


def cut(
    document: Document, target: Target, path: NDArray[Any], report: Report = silent
) -> dict[int, int]:
    """Split segments along an (N, 2) line on a frame; return {new id: id of the whole}."""
    return _split(document, target, "Cut", partial(splitting.cut, path=path), report)


def copy_to_next_frame(document: Document, target: Target, report: Report = silent) -> None:
    """Copy segments from a frame to free pixels of the next one."""
    _reshape(document, target, "Copy to next frame", interpolation.copy_to_next, report)


def fill_between_frames(document: Document, target: Target, report: Report = silent) -> None:
    """Interpolate segments on frames between two on which they are painted."""
    _reshape(document, target, "Fill between frames", interpolation.fill_between, report)


def put_map(edit: Edit, layer: Layer, plane: int, new: LabelMap) -> None:
    """Replace a plane by a label map of its size; only tiles that differ are touched."""
    old = layer.planes[plane]
    indices = set(old.indices()) | set(new.indices())
    pairs = {index: (old.packed(index), new.packed(index)) for index in indices}
    changed = {index: after for index, (before, after) in pairs.items() if _differ(before, after)}
    edit.put_tiles(layer, plane, changed)


def add_split_off(edit: Edit, layer: Layer, parents: dict[int, int]) -> None:
    """Add segments that have been split off others to the table."""
    known = {new: layer.segments[old] for new, old in parents.items()}
    edit.set_segments(layer, {new: replace(old, id=new) for new, old in known.items()})


def by_plane(layer: Layer, report: Report) -> Iterator[tuple[int, LabelMap, Report]]:
    """Yield each plane's number, a snapshot of it, and a report for its share of the work."""
    count = len(layer.planes)
    for number, plane in enumerate(tuple(layer.planes)):
        yield number, plane.snapshot(), part(report, number / count, (number + 1) / count)


def _reshape(
    document: Document,
    target: Target,
    name: str,
    operation: Callable[..., LabelMap],
    report: Report,
) -> None:
    layer = _layer(document, target)
    with document.edit(name) as edit:
        for number, plane, its_report in by_plane(layer, report):
            put_map(edit, layer, number, operation(plane, target.chosen, report=its_report))


def _split(
    document: Document,
    target: Target,
    name: str,
    operation: Callable[..., Split],
    report: Report,
) -> dict[int, int]:
    layer = _layer(document, target)
    _refuse_one_for_all(layer, target)
    free_ids, found = layer.free_ids(), dict[int, int]()
    with document.edit(name) as edit:
        for number, plane, its_report in by_plane(layer, report):
            new, parents = operation(plane, target.chosen, free_ids, report=its_report)
            add_split_off(edit, layer, parents)
            put_map(edit, layer, number, new)
            found.update(parents)
    return found


def _layer(document: Document, target: Target) -> Layer:
    layer = document.layer(target.layer_id)
    if layer.state.locked:
        raise SegdeskError(f"Layer {layer.state.name!r} is locked: unlock it to change it.")
    return layer


def _refuse_one_for_all(layer: Layer, target: Target) -> None:
    """Refuse to split where all pixels of a category are one segment."""
    chosen = layer.segments.keys() if target.segment_ids is None else target.segment_ids
    for segment_id in chosen & layer.segments.keys():
        if is_one_for_all(layer, layer.segments[segment_id].category):
            raise SegdeskError(
                f"In layer {layer.state.name!r} all pixels of a category are one segment: convert "
                "it to instances first."
            )


def _differ(a: AtRest, b: AtRest) -> bool:
    if isinstance(a, int) or isinstance(b, int):
        return a is not b and a != b
    return a is not b and a.data != b.data
