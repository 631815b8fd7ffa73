"""A document as plain values, so that two moments of it can be compared bit by bit."""

import numpy as np

from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState

CATEGORIES = (
    Category(0, "background", (0, 0, 0), is_thing=False),
    Category(1, "cell", (255, 0, 0)),
    Category(2, "tissue", (0, 255, 0), is_thing=False),
)


def document_of(width=12, height=9, **arguments):
    """Return a document on a black image."""
    return Document(ArrayImage(np.zeros((height, width, 3), np.uint8)), **arguments)


def add_layer(document, task="semantic", name="By hand"):
    return edits.add_layer(document, LayerState(name, task, CATEGORIES))


def paint(document, layer, window, category_id, name="Brush stroke"):
    """Paint a rectangle of a category, as a tool does; return the segment's id."""
    with document.edit(name) as edit:
        segment_id = edits.segment_to_paint(edit, layer, category_id)
        edit.paint(layer, window, segment_id)
    return segment_id


def result(planes, segments, task="instance", categories=CATEGORIES):
    """Return a model's result: arrays of ids, and the category of each id."""
    return Segmentation(
        task,
        tuple(LabelMap.of_array(np.asarray(plane)) for plane in planes),
        {i: Segment(i, category, 0.5, "proposed") for i, category in segments.items()},
        categories,
    )


def pixels(layer, plane=0):
    """Return all ids of a plane."""
    return layer.planes[plane].read(layer.planes[plane].window)


def freeze(document):
    """Return all that undo and redo have to put back; checks on the way that areas are right."""
    return tuple(_freeze_layer(layer) for layer in document.layers), document.prompts


def _freeze_layer(layer):
    counted = {}
    for plane in layer.planes:
        for segment_id, area in plane.areas().items():
            counted[segment_id] = counted.get(segment_id, 0) + area
    assert layer.areas == counted
    planes = tuple(pixels(layer, number).tobytes() for number in range(len(layer.planes)))
    return layer.id, layer.state, planes, frozenset(layer.segments.values())
