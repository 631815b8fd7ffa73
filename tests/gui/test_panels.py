import numpy as np
import pytest
from PySide6.QtCore import QModelIndex, Qt

from segdesk.core.display import Display
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.engine import edits, proposals
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.gui.category_keys import category_of_key, key_of
from segdesk.gui.editor import Editor, default_categories
from segdesk.gui.lanes import Lane
from segdesk.gui.measuring import Measuring
from segdesk.gui.panels.categories import CategoriesPanel
from segdesk.gui.panels.category_model import CategoryModel
from segdesk.gui.panels.history import HistoryPanel
from segdesk.gui.panels.layer_model import LOCKED, NAME, SHOWN, LayerModel
from segdesk.gui.panels.layers import LayersPanel
from segdesk.gui.panels.segment_model import AREA, CATEGORY, ID, SCORE, SegmentModel
from segdesk.gui.panels.segments import SegmentsPanel
from segdesk.gui.shelf import Entry, Shelf

CATEGORIES = (*default_categories(), Category(2, "tissue", (1, 2, 3), is_thing=False))


@pytest.fixture
def editor(qtbot):
    editor = Editor()
    document = Document(ArrayImage(np.zeros((60, 80, 3), np.uint8)))
    edits.add_layer(document, LayerState("below", "instance", CATEGORIES))
    edits.add_layer(document, LayerState("above", "instance", CATEGORIES))
    editor.show(document, Display())
    return editor


def paint(editor, window, category=1):
    document = editor.document
    with document.edit("Paint") as edit:
        segment_id = edits.segment_to_paint(edit, document.active, category)
        edit.paint(document.active, window, segment_id)
    return segment_id


def propose(editor, count=2):
    ids = np.zeros((60, 80), np.int32)
    for number in range(1, count + 1):
        ids[number * 3 : number * 3 + 2, 10:20] = number
    segments = {n: Segment(n, 1, score=n / 10, state="proposed") for n in range(1, count + 1)}
    found = Segmentation("instance", (LabelMap.of_array(ids),), segments, CATEGORIES)
    layer = proposals.add_proposal(editor.document, found, "Finder")
    editor.document.activate(layer.id)
    return layer


class TestLayers:
    @pytest.fixture
    def model(self, editor):
        return LayerModel(editor)

    def test_topmost_layer_comes_first(self, model):
        assert [model.index(row, NAME).data() for row in range(2)] == ["above", "below"]

    def test_rename_in_place_is_one_step(self, model, editor):
        assert model.setData(model.index(1, NAME), " ground ")
        assert editor.document.layers[0].state.name == "ground"
        assert editor.document.history.last.name == "Rename layer"
        assert not model.setData(model.index(1, NAME), "  ")

    def test_clicks_on_eye_and_lock_toggle(self, model, editor):
        model.toggle(model.index(0, SHOWN))
        model.toggle(model.index(1, LOCKED))
        below, above = editor.document.layers
        assert (above.state.visible, below.state.locked) == (False, True)
        editor.document.undo()
        assert not below.state.locked

    @pytest.mark.parametrize(
        ("dragged", "row", "order"),
        [(0, 3, "bca"), (0, 2, "bac"), (2, 0, "cab"), (1, 1, "abc"), (2, -1, "abc")],
    )
    def test_drag_to_another_position(self, model, editor, dragged, row, order):
        document = editor.document
        edits.add_layer(document, LayerState("top"))
        for layer, name in zip(document.layers[::-1], "abc", strict=True):
            edits.change_layer(document, layer.id, "Rename", name=name)
        data = model.mimeData([model.index(dragged, NAME)])
        model.dropMimeData(data, Qt.DropAction.MoveAction, row, 0, QModelIndex())
        assert "".join(layer.state.name for layer in document.layers[::-1]) == order

    def test_choosing_a_row_activates_its_layer(self, editor, qtbot):
        panel = LayersPanel(editor)
        qtbot.addWidget(panel)
        panel.view.setCurrentIndex(panel.view.model().index(1, NAME))
        assert editor.document.active.state.name == "below"

    def test_opacity_slider_makes_one_step_of_many_changes(self, editor, qtbot):
        panel = LayersPanel(editor)
        qtbot.addWidget(panel)
        before = editor.document.history.done
        for percent in (60, 70, 80):
            panel.looks.opacity.setValue(percent)
        assert editor.document.active.state.opacity == 0.8
        assert editor.document.history.done == before + 1

    def test_only_a_proposal_can_be_judged(self, editor, qtbot):
        panel = LayersPanel(editor)
        qtbot.addWidget(panel)
        panel.show()
        assert not panel.accept.isVisible()
        layer = propose(editor)
        assert panel.accept.isVisible()
        with qtbot.waitSignal(panel.accepted) as signal:
            panel.accept.click()
        assert signal.args == [layer.id]

    def test_a_locked_layer_is_not_removed_and_the_user_hears_why(self, editor, qtbot):
        panel = LayersPanel(editor)
        qtbot.addWidget(panel)
        edits.change_layer(editor.document, editor.document.active.id, "Lock", locked=True)
        with qtbot.waitSignal(editor.failed) as signal:
            panel.remove.click()
        assert "locked" in signal.args[0]
        assert len(editor.document.layers) == 2


class TestCategories:
    @pytest.fixture
    def model(self, editor):
        return CategoryModel(editor)

    def test_added_category_has_its_own_id_name_and_colour(self, model, editor):
        new = model.add()
        categories = editor.document.active.state.categories
        assert categories[-1].id == new == 3
        assert len({category.colour for category in categories}) == 4
        editor.document.undo()
        assert model.count() == 3

    def test_rename_refuses_a_name_that_is_taken(self, model, editor, qtbot):
        with qtbot.waitSignal(editor.failed):
            assert not model.setData(model.index(1, 2), "tissue")
        assert model.setData(model.index(1, 2), "cell")
        assert editor.document.active.state.category(1).name == "cell"

    def test_a_category_in_use_stays(self, model, editor, qtbot):
        paint(editor, Window(0, 0, 5, 5))
        with qtbot.waitSignal(editor.failed) as signal:
            model.remove(model.row_of(1))
        assert "object" in signal.args[0]
        model.remove(model.row_of(2))
        assert model.row_of(2) == -1

    def test_row_and_choice_follow_each_other(self, editor, qtbot):
        panel = CategoriesPanel(editor)
        qtbot.addWidget(panel)
        panel.view.setCurrentIndex(panel.view.model().index(2, 2))
        assert editor.category == 2
        editor.set_category(1)
        assert panel.view.currentIndex().row() == 1

    def test_digits(self):
        assert [key_of(CATEGORIES, i) for i in (0, 1, 2)] == [0, 1, 2]
        many = tuple(Category(i * 10, str(i), (0, 0, 0)) for i in range(1, 12))
        assert category_of_key(many, 9) == 90
        assert key_of(many, 110) is None
        assert category_of_key(CATEGORIES, 7) is None
        assert category_of_key(CATEGORIES, 0) == 0


class TestSegments:
    @pytest.fixture
    def panel(self, editor, qtbot):
        lane, shelf = Lane("disk"), Shelf()
        shelf.put(Entry(editor.document, Display(), "key"))
        panel = SegmentsPanel(editor, Measuring(editor, shelf, lane), [])
        qtbot.addWidget(panel)
        yield panel
        lane.close()

    def cells(self, model, column):
        return [model.index(row, column).data() for row in range(model.rowCount())]

    def test_rows_follow_the_document(self, panel, editor, qtbot):
        paint(editor, Window(0, 0, 5, 4))
        paint(editor, Window(10, 10, 2, 3), category=2)
        qtbot.waitUntil(lambda: panel.model.count() == 2)
        assert self.cells(panel.model, ID) == ["1", "2"]
        assert self.cells(panel.model, CATEGORY) == ["object", "tissue"]
        assert self.cells(panel.model, AREA) == ["20", "6"]
        editor.document.undo()
        qtbot.waitUntil(lambda: panel.model.count() == 1)

    def test_sort_and_filter(self, editor, qtbot):
        model = SegmentModel()
        model.show_layer(propose(editor, count=12))
        model.sort(SCORE, Qt.SortOrder.DescendingOrder)
        assert model.ids[0] == 12
        model.set_phrase("proposed")
        assert model.count() == 12
        model.set_phrase("tissue")
        assert model.count() == 0
        model.set_phrase("11 ")
        assert model.ids.tolist() == [11]

    def test_click_selects_and_shows_the_place(self, panel, editor, qtbot):
        paint(editor, Window(7, 8, 5, 4))
        qtbot.waitUntil(lambda: panel.model.count() == 1)
        panel.show()
        index = panel.model.index(0, ID)
        with qtbot.waitSignal(panel.segment_shown) as signal:
            place = panel.view.visualRect(index).center()
            qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert signal.args == [Window(7, 8, 5, 4)]
        assert editor.selection == {1}

    def test_selection_of_the_editor_selects_rows(self, panel, editor, qtbot):
        propose(editor, count=9)
        qtbot.waitUntil(lambda: panel.model.count() == 9)
        editor.select(frozenset({2, 3, 4, 8}))
        rows = {index.row() for index in panel.view.selectionModel().selectedRows()}
        assert rows == {1, 2, 3, 7}

    def test_selection_survives_a_change_of_the_rows(self, panel, editor, qtbot):
        layer = propose(editor, count=5)
        qtbot.waitUntil(lambda: panel.model.count() == 5)
        editor.select(frozenset({4}))
        proposals.reject(editor.document, layer.id, {1})
        qtbot.waitUntil(lambda: panel.model.count() == 4)
        assert editor.selection == {4}
        assert [i.row() for i in panel.view.selectionModel().selectedRows()] == [2]

    def test_accept_hands_over_the_selected_ones(self, panel, editor, qtbot):
        layer = propose(editor, count=3)
        editor.select(frozenset({1, 3}))
        with qtbot.waitSignal(panel.accepted) as signal:
            panel.buttons["accept"].click()
        assert signal.args == [layer.id, {1, 3}]

    def test_category_is_changed_in_the_cell(self, panel, editor, qtbot):
        paint(editor, Window(0, 0, 5, 4))
        qtbot.waitUntil(lambda: panel.model.count() == 1)
        index = panel.model.index(0, CATEGORY)
        delegate = panel.view.itemDelegateForColumn(CATEGORY)
        combo = delegate.createEditor(panel, None, index)
        delegate.setEditorData(combo, index)
        assert combo.currentText() == "object"
        combo.setCurrentText("tissue")
        delegate.setModelData(combo, panel.model, index)
        assert editor.document.active.segments[1].category == 2

    def test_a_hundred_thousand_rows_cost_no_widget_and_no_call_a_row(self, panel, editor):
        """The view asks for visible cells only, and a selection of all rows is one range."""
        segments = {n: Segment(n, 1) for n in range(1, 100_001)}
        layer = editor.document.active
        layer.segments.update(segments)
        panel.model.show_layer(layer)
        panel.resize(300, 400)
        panel.show()
        assert panel.model.count() == 100_000
        editor.select(frozenset(segments))
        assert len(panel.view.selectionModel().selection()) == 1


def test_history_goes_where_one_clicks(editor, qtbot):
    panel = HistoryPanel(editor)
    qtbot.addWidget(panel)
    for place in range(3):
        paint(editor, Window(10 * place, 0, 5, 5))
    names = ["Opened", "Add layer", "Add layer", "Paint", "Paint", "Paint"]
    qtbot.waitUntil(lambda: panel.model.stringList() == names)
    panel.view.clicked.emit(panel.model.index(3))
    assert editor.document.history.done == 3
    assert len(editor.document.active.segments) == 1
    panel.view.clicked.emit(panel.model.index(5))
    assert len(editor.document.active.segments) == 3
    qtbot.waitUntil(lambda: panel.view.currentIndex().row() == 5)
