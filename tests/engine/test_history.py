"""Any sequence of edits, undo and redo: every state comes back bit by bit."""

from unittest.mock import patch

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from segdesk.core import labelmap, overviews
from segdesk.core.geometry import Window
from segdesk.core.prompts import Text
from segdesk.engine import edits, proposals
from segdesk.engine.layer import LayerState
from tests.engine.frozen import CATEGORIES, document_of, freeze, pixels, result

WIDTH, HEIGHT = 11, 9
categories = st.sampled_from([0, 1, 2])
tasks = st.sampled_from(["semantic", "instance", "panoptic"])
windows = st.builds(
    Window, st.integers(-2, WIDTH), st.integers(-2, HEIGHT), st.integers(0, 8), st.integers(0, 8)
)


class DocumentMachine(RuleBasedStateMachine):
    """`states` holds the document after each step of its history."""

    @initialize(task=tasks)
    def start(self, task):
        self.patches = [
            patch.object(module, "TILE", 4) for module in (labelmap, overviews)
        ]  # meet borders
        for tile_patch in self.patches:
            tile_patch.start()
        self.document = document_of(WIDTH, HEIGHT)
        self.states = [freeze(self.document)]
        self.add_layer(task)

    def teardown(self):
        for tile_patch in getattr(self, "patches", ()):
            tile_patch.stop()

    def done(self, before):
        """Note the state after an edit; one that changed nothing is no step."""
        position = self.document.history.done
        if position == before:
            assert freeze(self.document) == self.states[before]
        else:
            assert position == before + 1
            self.states = [*self.states[:position], freeze(self.document)]

    def layer(self, data, proposal=False):
        fitting = [
            layer
            for layer in self.document.layers
            if layer.state.is_proposal == proposal and not layer.state.locked
        ]
        return data.draw(st.sampled_from(fitting)) if fitting else None

    def some_ids(self, data, layer):
        ids = sorted(layer.segments)
        return data.draw(st.sets(st.sampled_from(ids), min_size=1)) if ids else set()

    @rule(task=tasks)
    def add_layer(self, task):
        before = self.document.history.done
        edits.add_layer(self.document, LayerState("Layer", task, CATEGORIES))
        self.done(before)

    @rule(data=st.data())
    def remove_layer(self, data):
        before = self.document.history.done
        if layer := self.layer(data):
            edits.remove_layer(self.document, layer.id)
            self.done(before)

    @rule(data=st.data(), position=st.integers(0, 3))
    def move_layer(self, data, position):
        before = self.document.history.done
        if layer := self.layer(data, data.draw(st.booleans())):
            edits.move_layer(self.document, layer.id, position)
            self.done(before)

    @rule(data=st.data(), opacity=st.sampled_from([0.2, 0.5, 0.9]))
    def change_layer(self, data, opacity):
        before = self.document.history.done
        layer = self.layer(data)
        last = self.document.history.last
        if layer and not (last and last.key):  # equal keys join: another test
            edits.change_layer(self.document, layer.id, "Opacity", opacity=opacity)
            self.done(before)

    @rule(data=st.data(), category=categories, window=windows, second=windows)
    def paint(self, data, category, window, second):
        before = self.document.history.done
        if layer := self.layer(data):
            plane = data.draw(st.integers(0, len(layer.planes) - 1))
            expected = pixels(layer, plane)
            edit = self.document.begin("Brush stroke")
            segment = edits.segment_to_paint(edit, layer, category)
            for part in (window, second):
                edit.paint(layer, part, segment, None, plane)
                expected[part.intersection(Window(0, 0, WIDTH, HEIGHT)).slices] = segment
            edit.commit()
            np.testing.assert_array_equal(pixels(layer, plane), expected)
            self.done(before)

    @rule(data=st.data(), window=windows)
    def paint_and_fail(self, data, window):
        before = self.document.history.done
        if layer := self.layer(data):
            try:
                with self.document.edit("Fails") as edit:
                    edit.paint(layer, window, edits.segment_to_paint(edit, layer, 1))
                    edit.add_planes(layer, 1)
                    edit.paint(layer, window, 77, None, 1)
                    raise RuntimeError
            except RuntimeError:
                assert self.document.history.done == before
            self.done(before)

    @rule(data=st.data())
    def delete(self, data):
        before = self.document.history.done
        if layer := self.layer(data, data.draw(st.booleans())):
            ids = self.some_ids(data, layer)
            edits.delete_segments(self.document, layer.id, ids)
            assert not ids & (layer.segments.keys() | layer.areas.keys())
            self.done(before)

    @rule(data=st.data())
    def merge(self, data):
        before = self.document.history.done
        layer = self.layer(data)
        if layer and (ids := self.some_ids(data, layer)):
            covered = [np.isin(pixels(layer, n), list(ids)) for n in range(len(layer.planes))]
            kept = edits.merge_segments(self.document, layer.id, ids)
            assert ids & layer.segments.keys() == {kept}
            for number, mask in enumerate(covered):
                np.testing.assert_array_equal(pixels(layer, number) == kept, mask)
            self.done(before)

    @rule(data=st.data(), category=categories)
    def set_category(self, data, category):
        before = self.document.history.done
        layer = self.layer(data)
        if layer and (ids := self.some_ids(data, layer)):
            total = sum(layer.areas.get(i, 0) for i in layer.areas)
            edits.set_category(self.document, layer.id, ids, category)
            assert all(layer.segments[i].category == category for i in ids & set(layer.segments))
            assert category == 0 or sum(layer.areas.values()) == total
            self.done(before)

    @rule(data=st.data(), task=tasks, key=st.sampled_from(["", "live"]))
    def propose(self, data, task, key):
        before = self.document.history.done
        rng = np.random.default_rng(data.draw(st.integers(0, 99)))
        planes = rng.integers(0, 4, (data.draw(st.integers(1, 2)), HEIGHT, WIDTH))
        planes = [np.where(p, p + 10 * n, 0) for n, p in enumerate(planes)]
        segments = {i: i % 2 + 1 for p in planes for i in set(p.ravel().tolist()) - {0}}
        old = self.layer(data, proposal=True) if data.draw(st.booleans()) else None
        last = self.document.history.last
        if not (key and last and last.key == key):
            found = result(planes, segments, task)
            proposals.add_proposal(self.document, found, "model", old.id if old else 0, key)
            self.done(before)

    @rule(data=st.data(), whole=st.booleans(), accept=st.booleans())
    def answer_proposal(self, data, whole, accept):
        before = self.document.history.done
        if proposal := self.layer(data, proposal=True):
            ids = None if whole else self.some_ids(data, proposal)
            answer = proposals.accept if accept else proposals.reject
            answer(self.document, proposal.id, ids)
            self.done(before)

    @rule(clear=st.booleans())
    def prompt(self, clear):
        before = self.document.history.done
        if clear:
            edits.clear_prompts(self.document)
        else:
            edits.add_prompt(self.document, Text("cell"))
        self.done(before)

    @precondition(lambda self: len(self.states) > 1)
    @rule(steps=st.integers(1, 9))
    def undo(self, steps):
        for _ in range(min(steps, self.document.history.done)):
            self.document.undo()

    @rule(steps=st.integers(1, 9))
    def redo(self, steps):
        for _ in range(steps):
            self.document.redo()

    @invariant()
    def the_document_is_as_it_was_after_its_last_step(self):
        if hasattr(self, "document"):
            assert len(self.document.history.names) == len(self.states) - 1
            assert freeze(self.document) == self.states[self.document.history.done]


TestDocument = DocumentMachine.TestCase
TestDocument.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)


def test_undo_and_redo_name_the_step_or_nothing():
    document = document_of()
    assert (document.undo(), document.redo()) == ("", "")
    edits.add_layer(document, LayerState("Layer"))
    assert document.undo() == "Add layer"
    assert document.redo() == "Add layer"


def test_changes_of_the_opacity_join_and_undo_takes_all_back():
    document = document_of()
    layer = edits.add_layer(document, LayerState("Layer"))
    for opacity in (0.1, 0.2, 0.3):
        edits.change_layer(document, layer.id, "Opacity", opacity=opacity)
    edits.change_layer(document, layer.id, "Hide", visible=False)
    assert document.history.names == ("Add layer", "Opacity", "Hide")
    document.undo()
    document.undo()
    assert layer.state == LayerState("Layer")


def test_each_press_of_a_switch_is_a_step():
    document = document_of()
    layer = edits.add_layer(document, LayerState("Layer"))
    for shown in (False, True):
        edits.change_layer(document, layer.id, "Visibility", visible=shown)
    document.undo()
    assert not layer.state.visible
    document.undo()
    assert layer.state.visible


def test_live_results_that_replace_each_other_do_not_pile_up():
    document = document_of(600, 600, budget=200_000)
    edits.add_prompt(document, Text("cell"), key="prompt 1")
    noise = np.random.default_rng(0).integers(1, 9, (600, 600))
    last = 0
    for _ in range(5):
        found = result([noise], dict.fromkeys(range(1, 9), 1))
        last = proposals.add_proposal(document, found, "model", last, key="prompt 1").id
    assert document.history.last.nbytes < 2 * document.layers[0].nbytes
    document.undo()
    assert (document.layers, document.prompts) == ((), ())
    document.redo()
    assert [layer.id for layer in document.layers] == [last]


def test_a_spent_budget_forgets_old_strokes_but_leaves_the_pixels():
    document = document_of(600, 600, budget=60_000)
    layer = edits.add_layer(document, LayerState("Layer", "instance", CATEGORIES))
    noise = np.random.default_rng(0).integers(1, 200, (600, 600))
    for number in range(6):
        with document.edit(f"Noise {number}") as edit:
            edit.paint(layer, Window(0, 0, 150, 150), noise[number : number + 150, :150])
    names = document.history.names
    assert 1 <= len(names) < 6
    assert names[-1] == "Noise 5"
    before = freeze(document)
    for _ in names:
        document.undo()
    assert document.undo() == ""
    assert layer.areas
    for _ in names:
        document.redo()
    assert freeze(document) == before


def test_a_live_result_joins_the_step_of_its_prompt():
    document = document_of()
    edits.add_prompt(document, Text("cell"), key="prompt 1")
    found = result([np.ones((9, 12), int)], {1: 1})
    first = proposals.add_proposal(document, found, "model", key="prompt 1")
    assert document.history.names == ("Add text",)
    edits.add_prompt(document, Text("nucleus"), key="prompt 2")
    proposals.add_proposal(document, found, "model", first.id, key="prompt 2")
    assert len(document.layers) == 1
    document.undo()
    assert document.layers == (first,)
    document.undo()
    assert (document.layers, document.prompts) == ((), ())
