"""Results of models: apart from the hand work until they are accepted, and undoable."""

import numpy as np
import pytest

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.segmentation import IGNORE, Category
from segdesk.engine import edits
from segdesk.engine.layer import LayerState
from segdesk.engine.proposals import accept, add_proposal, reject
from tests.engine.frozen import CATEGORIES, add_layer, document_of, freeze, paint, pixels, result

LEFT, RIGHT = Window(0, 0, 6, 9), Window(6, 0, 6, 9)


def halves(left, right):
    """Return ids that split the image."""
    ids = np.full((9, 12), left)
    ids[:, 6:] = right
    return ids


@pytest.fixture
def document():
    return document_of()


@pytest.fixture
def undoable(document):
    """Afterwards, undo all and redo all: every state comes back."""
    yield
    states = [freeze(document)]
    while document.history.done:
        document.undo()
        states.append(freeze(document))
    for state in reversed(states[:-1]):
        document.redo()
        assert freeze(document) == state


pytestmark = pytest.mark.usefixtures("undoable")


def test_a_proposal_leaves_the_hand_work_alone(document):
    layer = add_layer(document, "instance")
    paint(document, layer, LEFT, 1)
    before = freeze(document)
    proposal = add_proposal(document, result([halves(1, 2)], {1: 1, 2: 2}), "model")
    assert freeze(document)[0][:1] == before[0]
    assert document.layers == (layer, proposal)
    assert document.active is layer
    assert proposal.state.is_proposal
    assert proposal.state.categories == CATEGORIES


def test_rejecting_all_leaves_no_trace(document):
    layer = add_layer(document, "instance")
    paint(document, layer, LEFT, 1)
    before = freeze(document)
    proposal = add_proposal(document, result([halves(1, 2)], {1: 1, 2: 2}), "model")
    reject(document, proposal.id)
    assert freeze(document) == before


def test_rejecting_one_segment_keeps_the_others(document):
    proposal = add_proposal(document, result([halves(1, 2)], {1: 1, 2: 2}), "model")
    reject(document, proposal.id, {1})
    assert set(proposal.segments) == {2}
    np.testing.assert_array_equal(pixels(proposal), halves(0, 2))
    reject(document, proposal.id, {2})
    assert document.layers == ()


def test_the_first_accepted_proposal_becomes_a_layer(document):
    proposal = add_proposal(document, result([halves(1, 2)], {1: 1, 2: 2}), "model")
    assert accept(document, proposal.id) is proposal
    assert document.layers == (proposal,)
    assert not proposal.state.is_proposal
    assert {segment.state for segment in proposal.segments.values()} == {"accepted"}
    assert document.active is proposal


def test_accepted_instances_join_the_hand_work_under_new_ids(document):
    layer = add_layer(document, "instance")
    paint(document, layer, LEFT, 1)
    proposal = add_proposal(document, result([halves(0, 1)], {1: 2}), "model")
    assert accept(document, proposal.id) is layer
    assert document.layers == (layer,)
    np.testing.assert_array_equal(pixels(layer), halves(1, 2))
    accepted = layer.segments[2]
    assert (accepted.category, accepted.score, accepted.state) == (2, 0.5, "accepted")
    assert layer.segments[1].score is None


def test_one_accepted_segment_moves_and_the_rest_waits(document):
    layer = add_layer(document, "instance")
    proposal = add_proposal(document, result([halves(4, 7)], {4: 1, 7: 2}), "model")
    assert accept(document, proposal.id, {7}) is layer
    np.testing.assert_array_equal(pixels(layer), halves(0, 1))
    np.testing.assert_array_equal(pixels(proposal), halves(4, 0))
    assert set(proposal.segments) == {4}
    assert document.layers == (layer, proposal)


def test_one_accepted_segment_founds_a_layer_where_there_is_none(document):
    proposal = add_proposal(document, result([halves(4, 7)], {4: 1, 7: 2}), "model")
    founded = accept(document, proposal.id, {4})
    assert document.layers == (founded, proposal)
    assert (founded.state.name, founded.state.is_proposal) == ("Accepted", False)
    np.testing.assert_array_equal(pixels(founded), halves(1, 0))


def test_accepting_the_last_segment_removes_the_proposal(document):
    layer = add_layer(document, "instance")
    proposal = add_proposal(document, result([halves(1, 2)], {1: 1, 2: 2}), "model")
    accept(document, proposal.id, {1})
    accept(document, proposal.id, {2})
    assert document.layers == (layer,)
    np.testing.assert_array_equal(pixels(layer), halves(1, 2))


def test_overlapping_segments_stay_whole(document):
    layer = add_layer(document, "instance")
    whole, left = halves(1, 1), halves(2, 0)
    proposal = add_proposal(document, result([whole, left], {1: 1, 2: 2}), "model")
    accept(document, proposal.id)
    assert layer.areas == {1: 108, 2: 54}
    np.testing.assert_array_equal(pixels(layer, 0), whole)
    np.testing.assert_array_equal(pixels(layer, 1), left)
    assert layer.segment_at(0, 0) == 2


def test_an_accepted_semantic_result_joins_the_categories_by_name(document):
    mine = (Category(0, "background", (0, 0, 0)), Category(1, "tissue", (1, 1, 1)))
    layer = edits.add_layer(document, LayerState("By hand", "semantic", mine))
    paint(document, layer, Window(0, 0, 3, 9), 1)
    found = result([halves(1, 2)], {1: 1, 2: 2}, "semantic")
    accept(document, add_proposal(document, found, "model").id)
    names = {category.id: category.name for category in layer.state.categories}
    assert names == {0: "background", 1: "tissue", 2: "cell"}
    of_name = {names[s.category]: s.id for s in layer.segments.values()}
    np.testing.assert_array_equal(pixels(layer), halves(of_name["cell"], of_name["tissue"]))
    assert len(layer.segments) == 2
    assert layer.state.categories[1].colour == (1, 1, 1)


def test_only_the_categories_of_accepted_segments_are_added(document):
    layer = edits.add_layer(document, LayerState("By hand", "instance"))
    proposal = add_proposal(document, result([halves(1, 2)], {1: 1, 2: 2}), "model")
    accept(document, proposal.id, {2})
    assert [category.name for category in layer.state.categories] == ["tissue"]


def test_a_joined_category_never_gets_the_id_of_nothing_or_of_ignored_pixels(document):
    mine = (Category(7, "a", (0, 0, 0)), Category(IGNORE - 1, "b", (1, 1, 1)))
    layer = edits.add_layer(document, LayerState("By hand", "semantic", mine))
    theirs = (
        Category(0, "wall", (2, 2, 2)),
        Category(7, "door", (3, 3, 3)),
        Category(IGNORE, "sky", (4, 4, 4)),
    )
    ids = halves(1, 8)
    ids[0, 0] = 9
    found = result([ids], {1: 0, 8: 7, 9: IGNORE}, "semantic", theirs)
    accept(document, add_proposal(document, found, "model").id)
    names = {category.name: category.id for category in layer.state.categories}
    assert names["wall"] not in (0, IGNORE) and names["door"] not in (7, IGNORE)
    assert names["sky"] != IGNORE
    assert len(set(names.values())) == 5


def test_two_categories_of_one_name_become_one_segment_in_a_semantic_layer(document):
    layer = add_layer(document)
    twins = (Category(1, "tree", (2, 2, 2)), Category(2, "tree", (3, 3, 3)))
    found = result([halves(1, 2)], {1: 1, 2: 2}, "semantic", twins)
    accept(document, add_proposal(document, found, "model").id)
    assert list(layer.areas.values()) == [108]


@pytest.mark.parametrize("why", ["locked", "other task", "a proposal"])
def test_a_layer_that_does_not_fit_is_passed_over(document, why):
    layer = add_layer(document, "semantic" if why == "other task" else "instance")
    paint(document, layer, LEFT, 1)
    if why == "locked":
        edits.change_layer(document, layer.id, "Lock", locked=True)
    if why == "a proposal":
        edits.change_layer(document, layer.id, "Propose", is_proposal=True)
    before = freeze(document)[0][0]
    proposal = add_proposal(document, result([halves(1, 2)], {1: 1, 2: 2}), "model")
    assert accept(document, proposal.id) is proposal
    assert freeze(document)[0][0] == before


def test_the_topmost_fitting_layer_takes_the_segments(document):
    low, high = (add_layer(document, "instance") for _ in "ab")
    proposal = add_proposal(document, result([halves(1, 1)], {1: 1}), "model")
    assert accept(document, proposal.id) is high
    assert low.segments == {}


def test_a_newer_result_takes_the_place_and_the_look_of_the_older(document):
    layer = add_layer(document, "instance")
    old = add_proposal(document, result([halves(1, 1)], {1: 1}), "model")
    add_layer(document)
    edits.change_layer(document, old.id, "Opacity", opacity=0.9)
    new = add_proposal(document, result([halves(2, 0)], {2: 1}), "model", replaces=old.id)
    assert document.layers[:2] == (layer, new)
    assert new.state.opacity == 0.9
    np.testing.assert_array_equal(pixels(new), halves(2, 0))


def test_a_result_may_replace_one_that_is_gone(document):
    new = add_proposal(document, result([halves(2, 0)], {2: 1}), "model", replaces=77)
    assert document.layers == (new,)


@pytest.mark.parametrize("answer", [accept, reject])
def test_hand_work_is_no_proposal(document, answer):
    layer = add_layer(document, "instance")
    paint(document, layer, LEFT, 1)
    before = freeze(document)
    with pytest.raises(SegdeskError, match="Layer 'By hand' is no proposal"):
        answer(document, layer.id)
    assert freeze(document) == before


def test_an_empty_result_can_be_answered(document):
    nothing = result([np.zeros((9, 12), int)], {})
    layer = add_layer(document, "instance")
    accept(document, add_proposal(document, nothing, "model").id)
    reject(document, add_proposal(document, nothing, "model").id)
    assert document.layers == (layer,)
    assert layer.segments == {}


def test_a_proposal_of_many_segments_over_tiles_and_planes_arrives_whole():
    document = document_of(600, 500)
    layer = add_layer(document, "instance")
    paint(document, layer, Window(0, 0, 600, 20), 1)
    rng = np.random.default_rng(1)
    low = np.kron(rng.permutation(3000).reshape(50, 60), np.ones((10, 10), int))
    high = np.where(rng.random((500, 600)) < 0.1, low + 3000, 0)
    ids = set(np.unique([low, high]).tolist()) - {0}
    proposal = add_proposal(document, result([low, high], dict.fromkeys(ids, 1)), "model")
    chosen = {i for i in ids if i % 3 == 0}
    before = freeze(document)
    areas = dict(proposal.areas)
    accept(document, proposal.id, chosen)
    for old, new in zip(sorted(chosen), range(2, 2 + len(chosen)), strict=True):
        assert layer.areas[new] == areas[old]
    assert proposal.areas == {i: n for i, n in areas.items() if i not in chosen}
    document.undo()
    assert freeze(document) == before
