"""Work goes on in a window that shows a project of which a part is damaged."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from segdesk.core.display import default_display
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine import edits
from segdesk.engine.layer import LayerState
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project
from tests.gui.conftest import BLUE, NOTHING, RED

WHOLE, DAMAGED = Window(10, 10, 40, 30), Window(300, 10, 40, 30)  # on two tiles


@pytest.fixture
def project(tmp_path):
    """Return an open project in which one of two tiles is damaged, with an undone step on it."""
    path = tmp_path / "a.segdesk"
    with Project() as project:
        document = project.add(ArrayImage(np.full((90, 600, 3), 100, np.uint8), "picture"))
        layer = edits.add_layer(document, LayerState("Layer", categories=(NOTHING, RED, BLUE)))
        for window, category in ((WHOLE, 1), (DAMAGED, 2)):
            with document.edit("Paint") as edit:
                segment = edits.segment_to_paint(edit, layer, category)
                edit.paint(layer, window, segment)
        project.save_as(path)
    with closing(sqlite3.connect(path)) as db, db:
        rows = db.execute("SELECT id FROM ids WHERE high = 2").fetchall()
        assert len(rows) == 1
        db.execute("UPDATE ids SET data = zeroblob(length(data)) WHERE high = 2")
    with open_project(path) as project:
        yield project


@pytest.fixture
def reader(project, user):
    document = project.document(project.images[0].id)
    user.editor.show(document, default_display(document.image.info))
    user.look(0.5)
    return user


def test_a_damaged_tile_is_empty_and_told_of_once(reader, qtbot):
    for scale in (0.5, 1, 0.25):
        reader.look(scale)
        seen, level = reader.see(), 1 / scale
        assert tuple(seen[int(25 / level), int(30 / level)]) != (100, 100, 100)
        if scale < 1:
            assert tuple(seen[int(25 / level), int(320 / level)]) == (100, 100, 100)
    qtbot.waitUntil(lambda: bool(reader.messages), timeout=2000)
    reader.move(320, 20)
    assert reader.layer.segment_at(320, 20) == 0
    reader.wait_for_tiles()
    assert len(reader.messages) == 1
    assert "recover" in reader.messages[0]
    assert "empty" in reader.messages[0]


@pytest.mark.parametrize("tool", ["brush", "eraser", "fill", "lasso"])
def test_a_damaged_tile_is_not_painted_over(reader, qtbot, tool):
    qtbot.waitUntil(lambda: bool(reader.messages), timeout=2000)
    reader.editor.set_tool(tool)
    reader.editor.set_radius(3)
    areas, done = dict(reader.layer.areas), reader.document.history.done
    reader.drag((320, 20), (330, 20), (330, 30), (310, 30))
    assert "damaged" in reader.messages[-1]
    assert len(reader.messages) <= 3
    assert reader.layer.areas == areas
    assert reader.document.history.done == done
    reader.drag((20, 60), (60, 60), (60, 80), (30, 80))
    assert reader.document.history.done == done + (tool in ("brush", "lasso"))


def test_other_tiles_can_be_edited_and_undone(reader):
    reader.editor.set_tool("brush")
    reader.drag((20, 60), (60, 60))
    assert reader.document.undo() == "Brush stroke"
    assert reader.document.undo() == "Paint"
    assert reader.layer.areas == {1: WHOLE.area}
    assert reader.document.redo() == "Paint"
