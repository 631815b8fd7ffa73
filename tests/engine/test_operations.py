"""The table of operations: every one has a form and runs; distances in the image's own unit."""

from dataclasses import replace

import numpy as np
import pytest

from segdesk.core.errors import SegdeskError, UsageError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.morphology import Reach
from segdesk.core.progress import silent
from segdesk.core.segmentation import Category
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.engine.operations import OPERATIONS, By, Parts, Small, difference, operate, reach_of
from segdesk.engine.options import fields_of
from segdesk.engine.regions import Target


def document_of(frames=3, task="instance", spacing=None):
    """Return a document with a ring on the first and the last frame, and a dot beside it."""
    document = Document(ArrayImage(np.zeros((frames, 30, 40, 1), np.uint8)))
    document.image.info = replace(document.image.info, spacing=spacing, unit="um")
    state = LayerState("By hand", task, (Category(1, "cell", (1, 2, 3)),))
    layer = edits.add_layer(document, state)
    with document.edit("Paint") as edit:
        segment_id = edits.segment_to_paint(edit, layer, 1)
        for frame in (0, frames - 1):
            edit.paint(layer, Window(5, 5, 12, 12), segment_id, None, 0, frame)
            edit.paint(layer, Window(10, 10, 2, 2), 0, None, 0, frame)
        edit.paint(layer, Window(30, 20, 2, 2), segment_id, None, 0, 0)
    return document, layer


CHANGES = {  # pixels that each gains or loses with its default options
    "grow": True,
    "shrink": True,
    "smooth": True,
    "fill_holes": 8,
    "remove_small": -4,
    "split_parts": 0,
    "split_by_shape": 0,
    "convert": 0,
    "copy_to_next_frame": 144,
    "fill_between_frames": True,
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation.id)
def test_every_operation_has_a_form_and_is_one_step(operation):
    assert all(field.help for field in fields_of(operation.options))
    document, layer = document_of(task="semantic" if operation.id == "convert" else "instance")
    before, steps = dict(layer.areas), document.history.done
    frame = 0 if operation.frames == "one" else None
    operate(document, operation.id, Target(layer.id, None, frame))
    gained = sum(layer.areas.values()) - sum(before.values())
    assert gained == CHANGES[operation.id] or (CHANGES[operation.id] is True and gained)
    assert document.history.done == steps + 1


def test_remove_small_counts_parts_or_whole_segments():
    for counted, area in (("parts", 280), ("whole segments", 284)):
        document, layer = document_of()
        operate(document, "remove_small", Target(layer.id), Small(50, counted))
        assert layer.areas == {1: area}


def test_parts_may_reach_over_frames():
    document, layer = document_of(frames=2)
    operate(document, "split_parts", Target(layer.id), Parts("sides", True))
    assert sorted(layer.areas.values()) == [4, 280]
    document, layer = document_of(frames=2)
    operate(document, "split_parts", Target(layer.id), Parts())
    assert sorted(layer.areas.values()) == [4, 140, 140]


def test_distances_are_in_the_unit_of_the_image():
    document, layer = document_of(spacing=(0.5, 2.0))
    by = By(2, "units of the image")
    assert reach_of(document, by) == Reach(2, 0.5, 2.0)
    operate(document, "grow", Target(layer.id, None, 2), by)
    labels = layer.planes[0]
    assert [labels.at(x, 8, 2) for x in (0, 1, 4, 20, 21)] == [0, 1, 1, 1, 0]
    assert [labels.at(8, y, 2) for y in (3, 4, 17, 18)] == [0, 1, 1, 0]


def test_an_image_without_spacing_refuses_units():
    document, layer = document_of()
    with pytest.raises(SegdeskError, match="does not say how large its pixels are"):
        operate(document, "grow", Target(layer.id), By(2, "units of the image"))


def test_a_distance_beyond_reason_is_refused():
    document, layer = document_of()
    with pytest.raises(SegdeskError, match="up to 1000 pixels at a time"):
        operate(document, "shrink", Target(layer.id), By(1001))


def test_an_unknown_operation_is_named():
    document, layer = document_of()
    with pytest.raises(UsageError, match="'melt'"):
        operate(document, "melt", Target(layer.id), None, silent)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({}, {}, "No segment changes."),
        ({1: 5}, {1: 5}, "No segment changes."),
        ({1: 5, 2: 3}, {1: 1005, 3: 3}, "Segments: 1 changed, 1 new, 1 gone, 1,000 pixels more."),
        ({1: 5, 2: 3}, {1: 5}, "Segments: 1 gone, 3 pixels fewer."),
        ({1: 5}, {1: 4}, "Segments: 1 changed, 1 pixel fewer."),
    ],
)
def test_a_difference_in_words(before, after, words):
    assert difference(before, after) == words
