"""What the window says of unsaved work, of images that are missing, and of all images."""

import pytest
from PySide6.QtWidgets import QMessageBox

from segdesk.core.geometry import Window
from segdesk.engine import edits
from segdesk.engine.images import open_image as open_source
from segdesk.engine.layer import LayerState
from segdesk.engine.project.journal import list_unsaved
from segdesk.engine.project.project import Project
from segdesk.gui.asking_projects import Button
from segdesk.gui.dialogs.unsaved import UnsavedDialog
from tests.gui.windows import (
    on_show,
    open_project_in,
    project_of,
    saved_project,
    shown_window,
    write_image,
)


@pytest.fixture
def window(qtbot):
    with shown_window(qtbot) as window:
        yield window


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        write_image(tmp_path / name)
    return tmp_path


class TestUnsaved:
    @pytest.fixture
    def left(self, qtbot, folder):
        """Leave two projects without a name behind, as two crashes do."""

        for name in ("a.png", "b.png"):
            with Project() as project:
                document = project.add(open_source(folder / name))
                layer = edits.add_layer(document, LayerState("Layer 1", categories=()))
                with document.edit("Brush stroke") as edit:
                    edit.paint(layer, Window(0, 0, 3, 3), edits.segment_to_paint(edit, layer, 1))
        return folder

    def test_it_is_offered_and_recovered(self, left, qtbot, monkeypatch):
        with shown_window(qtbot) as window:
            bar = window.project_bars.unsaved
            qtbot.waitUntil(lambda: "2 windows (4 steps)" in bar.text)

            def recover(dialog):
                assert dialog.list.topLevelItemCount() == 2
                dialog.recover.click()

            monkeypatch.setattr(UnsavedDialog, "exec", recover)
            newest = list_unsaved()[0].images[0]
            bar.buttons["Show…"].click()
            qtbot.waitUntil(lambda: on_show(window) == left / newest)
            assert window.editor.document.layers[0].areas == {1: 9}
            window.bench.undo()
            assert not window.editor.document.layers[0].areas
            window.bench.redo()
            assert window.bench.shelf.unnamed() == [newest]
            assert not bar.text

    def test_it_is_discarded_only_once_that_is_confirmed(self, left, qtbot, window, monkeypatch):
        dialog = UnsavedDialog(window.bench.projects, window)
        monkeypatch.setattr(QMessageBox, "question", lambda *_: Button.Cancel)
        dialog.discard.click()
        assert len(list_unsaved()) == 2
        monkeypatch.setattr(QMessageBox, "question", lambda *_: Button.Discard)
        dialog.discard.click()
        assert len(list_unsaved()) == 1
        assert dialog.list.topLevelItemCount() == 1
        dialog.deleteLater()


class TestMissingImages:
    @pytest.fixture
    def moved(self, window, qtbot, folder, choose):
        """A project of two images that were moved after it was closed."""
        path = saved_project(qtbot, window, folder, choose)
        window.asking.projects.close()
        (folder / "elsewhere").mkdir()
        for name in ("a.png", "b.png"):
            (folder / name).rename(folder / "elsewhere" / name)
        open_project_in(qtbot, window, path, folder / "b.png")
        return folder / "elsewhere"

    def test_it_is_named_and_its_work_is_there(self, window, moved):
        assert "b.png is missing" in window.project_bars.image.text
        assert window.editor.document.layers[0].areas == {1: 25}
        assert window.bench.shelf.current.problem

    def test_locate_shows_it_again(self, window, qtbot, moved, choose):
        choose(moved / "b.png")
        window.project_bars.image.buttons["Locate…"].click()
        assert on_show(window) == moved / "b.png"
        assert not window.project_bars.image.text
        assert window.editor.document.image.read(Window(0, 0, 64, 48)).max() == 250
        assert window.editor.document.layers[0].areas == {1: 25}

    def test_another_file_is_taken_only_when_the_user_says_so(
        self, window, qtbot, moved, choose, answer
    ):
        other = write_image(moved / "other.png", level=7)
        choose(other)
        asked = answer("Cancel")
        window.project_bars.image.buttons["Locate…"].click()
        assert "other.png is not the file" in asked[0]
        assert "missing" in window.project_bars.image.text
        answer("Use It")
        window.project_bars.image.buttons["Locate…"].click()
        assert on_show(window) == other
        assert window.editor.document.image.read(Window(0, 0, 1, 1)).max() == 7

    def test_a_folder_is_looked_through_for_all_of_them(self, window, qtbot, moved, choose):
        buttons = window.project_bars.image.buttons
        qtbot.waitUntil(lambda: len(project_of(window).lost) == 2)
        qtbot.waitUntil(lambda: "Look in Folder…" in window.project_bars.image.buttons)
        choose(moved)
        buttons = window.project_bars.image.buttons
        buttons["Look in Folder…"].click()
        assert project_of(window).lost == ()
        assert not window.project_bars.image.text
        window.bench.opening.step(-1)
        qtbot.waitUntil(lambda: on_show(window) == moved / "a.png")
        assert window.editor.document.image.read(Window(0, 0, 64, 48)).max() == 250

    def test_the_panel_says_so(self, window, qtbot, moved):
        model = window.docks["images"].model
        qtbot.waitUntil(lambda: model.count() == 2)

        def states():
            return [model.data(model.index(row, 1)) for row in range(2)]

        qtbot.waitUntil(lambda: states() == ["missing", "missing"])


class TestImagesPanel:
    def test_a_click_shows_an_image(self, window, qtbot, folder, choose):
        saved_project(qtbot, window, folder, choose)
        panel = window.docks["images"]
        qtbot.waitUntil(lambda: panel.model.count() == 2)
        panel.view.clicked.emit(panel.model.index(0, 0))
        qtbot.waitUntil(lambda: on_show(window) == folder / "a.png")
        assert window.bench.opening.place == "1 of 2"

    def test_an_image_is_removed_only_once_that_is_confirmed(
        self, window, qtbot, folder, choose, answer
    ):
        path = saved_project(qtbot, window, folder, choose)
        panel = window.docks["images"]
        qtbot.waitUntil(lambda: panel.model.count() == 2)
        asked = answer("Cancel")
        panel.remove.click()
        assert "b.png" in asked[0]
        assert len(project_of(window).images) == 2
        answer("Remove")
        panel.remove.click()
        assert [image.name for image in project_of(window).images] == ["a.png"]
        assert window.editor.document is None
        window.asking.projects.close()
        open_project_in(qtbot, window, path, folder / "a.png")
        assert (folder / "b.png").exists()
