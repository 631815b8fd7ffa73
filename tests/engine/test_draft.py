"""Drafts: edits made on a copy, in another thread, and taken over as if made here."""

import numpy as np
import pytest

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine import edits, proposals
from segdesk.engine.document import Document
from tests.engine.frozen import add_layer, document_of, freeze, paint, result

HERE, THERE = Window(1, 1, 4, 3), Window(6, 5, 3, 3)


@pytest.fixture
def document():
    document = document_of()
    layer = add_layer(document, "instance")
    paint(document, layer, HERE, 1)
    return document


def test_what_happens_to_a_draft_stays_there_until_it_is_adopted(document):
    before = freeze(document)
    draft = document.draft()
    paint(draft, draft.layers[0], THERE, 2)
    edits.delete_segments(draft, draft.layers[0].id, {1})
    added = add_layer(draft, name="New")
    paint(draft, added, HERE, 1)
    assert freeze(document) == before
    after = freeze(draft)
    document.adopt(draft)
    assert freeze(document) == after
    assert document.active.id == added.id
    assert document.history.names[-4:] == draft.history.names
    for _ in range(4):
        document.undo()
    assert freeze(document) == before
    for _ in range(4):
        document.redo()
    assert freeze(document) == after


def test_a_draft_forgets_no_step_however_small_the_budget(document):
    document.history.budget = 0
    draft = document.draft()
    added = add_layer(draft, name="New")
    paint(draft, added, HERE, 1)
    paint(draft, added, THERE, 2)
    after = freeze(draft)
    document.adopt(draft)
    assert freeze(document) == after


def test_undo_without_a_step_does_not_outdate_a_draft():
    document = document_of()
    draft = document.draft()
    add_layer(draft)
    assert not document.undo()
    assert not document.redo()
    document.adopt(draft)
    assert document.layers


def test_layers_keep_their_identity_when_a_draft_adds_and_removes_others(document):
    ours = document.layers[0]
    draft = document.draft()
    found = result([np.eye(9, 12, dtype=int)], {1: 2})
    proposal = proposals.add_proposal(draft, found, "model")
    proposals.accept(draft, proposal.id)
    document.adopt(draft)
    assert document.layers == (ours,)
    document.undo()
    assert document.layers[0] is ours
    assert add_layer(document).id > proposal.id


def test_a_draft_of_what_has_changed_meanwhile_is_refused(document):
    draft = document.draft()
    paint(draft, draft.layers[0], THERE, 2)
    paint(document, document.layers[0], THERE, 1)
    before = freeze(document)
    with pytest.raises(SegdeskError, match="edited meanwhile"):
        document.adopt(draft)
    assert freeze(document) == before
    with pytest.raises(SegdeskError, match="edited meanwhile"):
        Document(ArrayImage(np.zeros((9, 12)))).adopt(draft)


def test_an_edit_under_way_is_part_of_the_draft(document):
    edit = document.begin("Brush stroke")
    edit.paint(document.layers[0], THERE, 1)
    draft = document.draft()
    assert draft.layers[0].areas == {1: HERE.area + THERE.area}
    document.adopt(draft)
    assert document.history.names[-1] == "Brush stroke"
