import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor

from segdesk.core.display import Display
from segdesk.core.errors import ProjectError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.engine.project.project import Project
from segdesk.gui.editor import Editor, default_categories
from segdesk.gui.panels.history import HistoryPanel, icon_of
from segdesk.gui.theme import shades

FORE = Qt.ItemDataRole.ForegroundRole


@pytest.fixture
def editor(qtbot):
    editor = Editor()
    document = Document(ArrayImage(np.zeros((60, 80, 3), np.uint8)))
    edits.add_layer(document, LayerState("cells", "instance", default_categories()))
    editor.show(document, Display())
    return editor


@pytest.fixture
def panel(editor, qtbot):
    panel = HistoryPanel(editor, QAction("Clear"))
    qtbot.addWidget(panel)
    return panel


def paint(document, place):
    with document.edit("Brush stroke") as edit:
        segment_id = edits.segment_to_paint(edit, document.active, 1)
        edit.paint(document.active, Window(10 * place, 0, 5, 5), segment_id)


def names(panel):
    return [panel.model.data(panel.model.index(row)) for row in range(panel.model.rowCount())]


def test_it_goes_where_one_clicks(editor, panel, qtbot):
    document = editor.document
    for place in range(3):
        paint(document, place)
    expected = ["Opened", "Add layer", *["Brush stroke"] * 3]
    qtbot.waitUntil(lambda: names(panel) == expected)
    panel.view.clicked.emit(panel.model.index(2))
    assert document.history.done == 2
    assert len(document.active.segments) == 1
    panel.view.clicked.emit(panel.model.index(4))
    assert len(document.active.segments) == 3
    qtbot.waitUntil(lambda: panel.view.currentIndex().row() == 4)


def test_steps_that_were_taken_back_are_greyed(editor, panel, qtbot):
    paint(editor.document, 0)
    editor.document.undo()
    qtbot.waitUntil(lambda: panel.model.rowCount() == 3)
    assert panel.view.currentIndex().row() == 1
    done, undone = (panel.model.index(row) for row in (1, 2))
    assert panel.model.data(done, FORE) is None
    assert panel.model.data(undone, FORE).color() == QColor(shades().faded)


def test_a_cleared_history_keeps_what_is_seen(editor, panel, qtbot):
    paint(editor.document, 0)
    before = editor.document.active.areas.copy()
    editor.document.clear_history()
    qtbot.waitUntil(lambda: names(panel) == ["Opened"])
    assert editor.document.active.areas == before
    assert editor.document.undo() == ""


def test_a_step_that_cannot_be_read_is_named_and_nothing_else_happens(editor, panel, qtbot):
    with Project() as project:
        document = project.add(ArrayImage(np.zeros((60, 80, 3), np.uint8)))
        edits.add_layer(document, LayerState("cells", "instance", default_categories()))
        paint(document, 0)
        project.flush()
        history = document.history
        history.budget = 0
        paint(document, 1)  # leaves the older steps to the project
        project.flush()
        paint(document, 2)
        lost = history.recorder.recall

        def fail(step):
            raise ProjectError(f"{step.name!r} is missing in the history of the project.")

        history.recorder.recall = fail
        editor.show(document, Display())
        with qtbot.waitSignal(editor.failed) as signal:
            panel.view.clicked.emit(panel.model.index(0))
        assert "missing in the history" in signal.args[0]
        done, segments = history.done, len(document.active.segments)
        assert done == segments + 1 > 1, "it stopped at that step"
        history.recorder.recall = lost
        panel.view.clicked.emit(panel.model.index(0))
        assert document.layers == ()


@pytest.mark.parametrize(
    ("name", "icon"),
    [
        ("Brush stroke", "paint-brush"),
        ("Erase", "eraser"),
        ("Add layer", "stack"),
        ("Convert to instance", "swap"),
        ("Fill between frames", "stack"),
        ("Odd", "circle"),
    ],
)
def test_icons_tell_kinds_of_steps_apart(name, icon):
    assert icon_of(name) == icon
