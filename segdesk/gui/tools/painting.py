"""Where tools paint, and with which segment: the rules are the same for all of them."""

from __future__ import annotations

from math import floor

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.segmentation import Category, Segment
from segdesk.engine import edits
from segdesk.engine.edit import Edit
from segdesk.engine.layer import Layer
from segdesk.gui.editor import Editor, default_categories


def image_window(editor: Editor) -> Window:
    """Return the pixels that there are."""
    return editor.document.image.info.window if editor.document else Window(0, 0, 0, 0)


def categories_of(editor: Editor) -> tuple[Category, ...]:
    """Return the categories of the active layer, else those of a first layer."""
    layer = editor.document.active if editor.document else None
    return layer.state.categories if layer else default_categories()


def layer_for(editor: Editor) -> Layer | None:
    """Return the layer to paint the chosen category on; say why there is none."""
    layer = editor.layer_to_paint()
    if layer and editor.category and layer.state.category(editor.category) is None:
        editor.message.emit(f"Layer {layer.state.name!r} has no category {editor.category}.")
        return None
    return layer


def begin_painting(
    editor: Editor, layer: Layer, name: str, start: tuple[float, float] | None, is_new: bool
) -> Brushload:
    """Start an edit that paints the chosen category; commit or roll back ``edit`` of the result.

    Where each segment stands for itself, the one segment that is selected goes on to grow, or
    else the one at ``start``, if it is of the chosen category; otherwise a new one begins.
    """
    document = editor.document
    assert document is not None
    edit = document.begin(name)
    segment = None if is_new else continued(editor, layer, start)
    segment_id = segment.id if segment else edits.segment_to_paint(edit, layer, editor.category)
    return Brushload(edit, layer, segment_id, editor.frame)


class Brushload:
    """An edit under way that paints one segment on one frame."""

    def __init__(self, edit: Edit, layer: Layer, segment_id: int, frame: int) -> None:
        self.edit, self.layer, self.segment_id, self.frame = edit, layer, segment_id, frame
        every = range(len(layer.planes))
        self._planes = [plane_of(layer, segment_id)] if segment_id else every

    def paint(self, window: Window, mask: NDArray[np.bool_]) -> None:
        """Paint the segment where a mask of the window's shape is true."""
        for plane in self._planes if window else ():
            self.edit.paint(self.layer, window, self.segment_id, mask, plane, self.frame)


def plane_of(layer: Layer, segment_id: int) -> int:
    """Return the plane on which a segment lies; the topmost one for one that is nowhere."""
    planes = range(len(layer.planes))
    if len(layer.planes) == 1 or segment_id not in layer.areas:
        return planes[-1]
    return next(n for n in planes if any(True for _ in layer.planes[n].indices_of({segment_id})))


def continued(editor: Editor, layer: Layer, start: tuple[float, float] | None) -> Segment | None:
    """Return the segment that goes on to grow."""
    if edits.is_one_for_all(layer, editor.category):
        return None
    under = layer.segment_at(floor(start[0]), floor(start[1]), editor.frame) if start else 0
    segment_id = next(iter(editor.selection)) if len(editor.selection) == 1 else under
    segment = layer.segments.get(segment_id)
    return segment if segment and segment.category == editor.category else None
