"""Stacks: every frame has pixels of its own, segments may span several."""

import json

import numpy as np
import pytest

from segdesk.core.display import Display
from segdesk.core.errors import PromptError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine import edits, proposals
from segdesk.engine.document import Document
from segdesk.engine.examples import finished, make_example
from segdesk.engine.export import export
from tests.engine.frozen import add_layer, freeze

PART = Window(2, 1, 4, 3)


@pytest.fixture
def document():
    return Document(ArrayImage(np.arange(3 * 9 * 12 * 3, dtype=np.uint8).reshape(3, 9, 12, 3)))


def paint(document, layer, frames, category=1):
    with document.edit("Paint") as edit:
        segment = edits.segment_to_paint(edit, layer, category)
        for frame in frames:
            edit.paint(layer, PART, segment, frame=frame)
    return segment


def test_a_segment_spans_frames_and_is_deleted_from_all(document):
    layer = add_layer(document, "instance")
    segment = paint(document, layer, (0, 2))
    assert layer.areas == {segment: 2 * PART.area}
    assert layer.bounds(segment) == {0: PART, 2: PART}
    assert [layer.segment_at(3, 2, frame) for frame in range(3)] == [segment, 0, segment]
    before = freeze(document)
    edits.delete_segments(document, layer.id, {segment})
    assert not layer.areas
    document.undo()
    assert freeze(document) == before


def test_listeners_hear_on_which_frame(document):
    layer, heard = add_layer(document), []
    document.changed.connect(lambda update: heard.append((update.what, update.frame)))
    paint(document, layer, (1,))
    assert ("tiles", 1) in heard
    document.undo()
    assert heard[-2:] == [("segments", None), ("history", None)]
    assert heard[-3] == ("tiles", 1)
    paint(document, layer, (0, 1))
    document.undo()
    assert ("tiles", None) in heard


def test_a_proposal_of_one_frame_is_accepted_there(document):
    layer = add_layer(document, "instance")
    paint(document, layer, (0,))
    with document.edit("Proposal") as edit:
        proposal = document.new_layer(layer.state)
        edit.set_layers((*document.layers, proposal))
    paint(document, proposal, (1,))
    edits.change_layer(document, proposal.id, "Propose", is_proposal=True)
    proposals.accept(document, proposal.id)
    assert layer.segmentation().frames == (0, 1)
    assert layer.areas == {1: PART.area, 2: PART.area}


def test_an_example_is_one_frame(document):
    layer = add_layer(document)
    paint(document, layer, (1,))
    example = make_example(finished(document, "stack"), Display(), 1)
    assert (example.labels[PART.slices] == 1).all()
    second = document.image.read(document.image.info.window, 0, 1)
    np.testing.assert_array_equal(example.pixels, second)
    with pytest.raises(PromptError, match="nothing is on frame 1"):
        make_example(finished(document, "stack"), Display(), 0)


def test_each_frame_that_holds_anything_is_exported(document, tmp_path):
    layer = add_layer(document, "instance")
    paint(document, layer, (0,))
    paint(document, layer, (2,))
    files = export(layer.segmentation(), document.image, ["png", "coco"], tmp_path, "stack")
    assert [file.name for file in files["coco"]] == ["stack_f1_coco.json", "stack_f3_coco.json"]
    held = [json.loads(file.read_text())["annotations"] for file in files["coco"]]
    assert [[entry["id"] for entry in entries] for entries in held] == [[1], [2]]
    empty = add_layer(document).segmentation()
    assert len(export(empty, document.image, ["coco"], tmp_path, "empty")["coco"]) == 1
