"""Projects in the window: real files, real crashes of a project, and what the user is told."""

import os
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from segdesk.core.geometry import Window
from segdesk.engine.project.check import check
from segdesk.engine.project.journal import unsaved_folder
from segdesk.engine.project.opening import open_project
from segdesk.gui.settings import recent_files
from tests.gui.windows import (
    on_show,
    open_image,
    open_project_in,
    paint,
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


class TestKeeping:
    def test_images_that_are_looked_at_make_no_project(self, window, qtbot, folder):
        open_image(qtbot, window, folder / "a.png")
        open_image(qtbot, window, folder / "b.png")
        assert project_of(window) is None
        assert not unsaved_folder().exists()
        assert window.status.kept.text() == ""

    def test_the_first_edit_is_on_the_disk_at_once(self, window, qtbot, folder):
        open_image(qtbot, window, folder / "a.png")
        open_image(qtbot, window, folder / "b.png")
        paint(window, Window(2, 2, 5, 5))
        qtbot.waitUntil(lambda: window.status.kept.text() == "Kept")
        project = project_of(window)
        assert [image.name for image in project.images] == ["b.png"]
        assert project.path.parent == unsaved_folder()
        assert check(project.path).findings == ()
        assert check(project.path).counts["step"] == 1
        qtbot.waitUntil(window.isWindowModified)

    def test_the_file_has_the_layer_that_was_there_before_the_first_edit(
        self, window, qtbot, folder, choose
    ):
        path = saved_project(qtbot, window, folder, choose, ["a.png"])
        window.bench.undo()
        assert project_of(window).flush()
        copy = open_project(path)  # this window has the lock
        assert copy.read_only_origin
        with copy:
            document = copy.document(copy.images[0].id)
            assert [layer.state.name for layer in document.layers] == ["Layer 1"]
            assert not document.layers[0].areas
            assert document.redo() == "Brush stroke"
            assert document.layers[0].areas == {1: 25}

    def test_a_pasted_picture_is_kept_with_its_pixels(self, window, qtbot, folder, choose):
        from PySide6.QtGui import QGuiApplication, QImage

        image = QImage(50, 30, QImage.Format.Format_RGB32)
        image.fill(0xFF102030)
        QGuiApplication.clipboard().setImage(image)
        window.bench.paste()
        paint(window, Window(2, 2, 5, 5))
        choose(folder / "pasted.segdesk")
        assert window.asking.projects.save_as()
        window.asking.projects.close()
        window.bench.opening.open([folder / "pasted.segdesk"])
        qtbot.waitUntil(lambda: window.editor.document is not None)
        pixels = window.editor.document.image.read(Window(0, 0, 50, 30))
        assert (pixels == (0x10, 0x20, 0x30)).all()
        assert on_show(window) is None

    def test_edits_that_cannot_be_written_are_named_and_tried_again(
        self, window, qtbot, folder, monkeypatch
    ):
        open_image(qtbot, window, folder / "a.png")
        paint(window, Window(0, 0, 5, 5))
        qtbot.waitUntil(lambda: window.status.kept.text() == "Kept")
        store = project_of(window)._store
        write = store.write

        def fail(jobs):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(store, "write", fail)
        paint(window, Window(9, 9, 5, 5))
        bar = window.project_bars.keeping
        qtbot.waitUntil(lambda: "No space left" in bar.text)
        assert window.status.kept.text() == "Not kept"
        assert window.isWindowModified()
        monkeypatch.setattr(store, "write", write)
        bar.buttons["Retry"].click()
        qtbot.waitUntil(lambda: window.status.kept.text() == "Kept")
        assert not bar.text
        assert check(project_of(window).path).counts["step"] == 2

    def test_a_file_that_was_deleted_is_written_anew_and_that_is_said(
        self, window, qtbot, folder, choose
    ):
        path = saved_project(qtbot, window, folder, choose)
        paint(window, Window(30, 30, 5, 5))
        assert project_of(window).flush()
        path.unlink()
        paint(window, Window(40, 40, 5, 5))
        qtbot.waitUntil(lambda: "was deleted" in window.message_bar.text)
        assert project_of(window).flush()
        assert check(path).counts["step"] == 4
        assert window.status.kept.text() == "Kept"


class TestNames:
    def test_save_as_names_the_project_and_nothing_is_modified_any_more(
        self, window, qtbot, folder, choose
    ):
        path = saved_project(qtbot, window, folder, choose)
        assert path.exists()
        assert not list(unsaved_folder().glob("*.segdesk"))
        assert window.windowTitle() == "b.png[*] (2 of 3) - cells - SegDesk"
        qtbot.waitUntil(lambda: not window.isWindowModified())
        assert recent_files()[0] == path
        paint(window, Window(20, 20, 5, 5))
        qtbot.waitUntil(lambda: window.status.kept.text() == "Kept")
        assert not window.isWindowModified()

    def test_save_says_that_all_is_kept(self, window, qtbot, folder, choose):
        saved_project(qtbot, window, folder, choose)
        paint(window, Window(20, 20, 5, 5))
        with qtbot.waitSignal(window.editor.message) as signal:
            window.actions_["save_project"].trigger()
        assert signal.args[0] == "All changes are kept in cells.segdesk."
        assert project_of(window).is_kept

    def test_save_without_a_name_asks_for_one_and_adds_its_ending(
        self, window, qtbot, folder, choose
    ):
        open_image(qtbot, window, folder / "a.png")
        choose(folder / "looked at")
        window.actions_["save_project"].trigger()
        assert (folder / "looked at.segdesk").exists()
        assert [image.name for image in project_of(window).images] == ["a.png"]

    def test_a_place_that_cannot_be_written_to_is_named(self, window, qtbot, folder, choose):
        open_image(qtbot, window, folder / "a.png")
        paint(window, Window(0, 0, 5, 5))
        choose(folder / "gone" / "a.segdesk")
        assert not window.asking.projects.save_as()
        assert "gone" in window.message_bar.text
        assert project_of(window).is_unsaved

    def test_a_new_project_takes_the_images_that_are_edited_from_now_on(
        self, window, qtbot, folder, choose
    ):
        saved_project(qtbot, window, folder, choose, ["a.png"])
        choose(folder / "new.segdesk")
        window.actions_["new_project"].trigger()
        assert window.editor.document is None
        assert project_of(window).images == ()
        open_image(qtbot, window, folder / "c.png")
        paint(window, Window(0, 0, 5, 5))
        assert project_of(window).flush()
        names = [image.name for image in project_of(window).images]
        assert names == ["c.png"]
        assert window.windowTitle().endswith("- new - SegDesk")


class TestOpening:
    def test_a_project_comes_back_as_it_was(self, window, qtbot, folder, choose):
        path = saved_project(qtbot, window, folder, choose)
        window.canvas.zoom_by(3)
        place = window.canvas.place
        window.asking.projects.close()
        assert window.editor.document is None
        assert project_of(window) is None
        open_project_in(qtbot, window, path, folder / "b.png")
        document = window.editor.document
        assert document.layers[0].areas == {1: 25}
        assert np.allclose(window.canvas.place, place, atol=1)
        assert document.history.names == ("Brush stroke",)
        window.bench.undo()
        assert not document.layers[0].areas
        window.bench.redo()
        assert document.layers[0].areas == {1: 25}

    def test_a_step_that_was_undone_comes_back_undone(self, window, qtbot, folder, choose):
        path = saved_project(qtbot, window, folder, choose, ["a.png"])
        window.bench.undo()
        for _ in range(2):
            window.asking.projects.close()
            open_project_in(qtbot, window, path, folder / "a.png")
            assert not window.editor.document.layers[0].areas
            assert window.editor.document.history.done == 0
        window.bench.redo()
        assert window.editor.document.layers[0].areas == {1: 25}

    def test_page_up_and_down_go_through_its_images(self, window, qtbot, folder, choose):
        path = saved_project(qtbot, window, folder, choose)
        window.asking.projects.close()
        open_project_in(qtbot, window, path, folder / "b.png")
        assert window.bench.opening.place == "2 of 2"
        window.bench.opening.step(-1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a.png")
        first = window.editor.document
        window.bench.opening.step(1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "b.png")
        window.bench.opening.step(-1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a.png")
        assert window.editor.document is first

    def test_opening_one_of_its_images_by_name_shows_its_work(self, window, qtbot, folder, choose):
        path = saved_project(qtbot, window, folder, choose)
        window.asking.projects.close()
        open_project_in(qtbot, window, path, folder / "b.png")
        open_image(qtbot, window, folder / "a.png")
        assert window.editor.document.layers[0].areas == {1: 25}
        assert len(project_of(window).images) == 2

    def test_display_frame_and_layer_are_remembered(self, window, qtbot, folder, choose):
        frames = [Image.fromarray(np.full((40, 50), 1000 * n, np.uint16)) for n in range(1, 5)]
        frames[0].save(folder / "stack.tif", save_all=True, append_images=frames[1:])
        open_image(qtbot, window, folder / "stack.tif")
        paint(window, Window(0, 0, 5, 5))
        window.editor.set_frame(2)
        window.bench.displaying.set_gamma(1.7)
        choose(folder / "stack.segdesk")
        assert window.asking.projects.save_as()
        window.asking.projects.close()
        open_project_in(qtbot, window, folder / "stack.segdesk", folder / "stack.tif")
        assert window.editor.frame == 2
        assert window.editor.display.gamma == 1.7

    def test_one_that_is_open_elsewhere_opens_as_a_copy_that_says_so(
        self, window, qtbot, folder, choose
    ):
        path = saved_project(qtbot, window, folder, choose, ["a.png"])
        assert project_of(window).flush()
        before = path.read_bytes()
        with shown_window(qtbot) as second:
            open_project_in(qtbot, second, path, folder / "a.png")
            text = second.project_bars.copy.text
            assert text.startswith(
                f"cells.segdesk: it is open in another window (process {os.getpid()}"
            )
            assert "copy" in text
            assert not second.isWindowModified()
            assert second.asking.may_discard(), "nothing was changed: nothing is asked"
            paint(second, Window(30, 30, 5, 5))
            qtbot.waitUntil(second.isWindowModified)
            assert project_of(second).flush()
            assert path.read_bytes() == before
            choose(folder / "mine.segdesk")
            second.project_bars.copy.buttons["Save As…"].click()
            assert not second.project_bars.copy.text
            qtbot.waitUntil(lambda: not second.isWindowModified())
        assert check(folder / "mine.segdesk").counts["step"] == 2

    def test_the_same_one_twice_is_no_second_window(self, window, qtbot, folder, choose):
        path = saved_project(qtbot, window, folder, choose)
        document = window.editor.document
        with qtbot.waitSignal(window.editor.message) as signal:
            window.bench.opening.open([path])
        assert "open already" in signal.args[0]
        assert window.editor.document is document

    def test_a_text_file_is_no_project_and_changes_nothing(self, window, qtbot, folder):
        open_image(qtbot, window, folder / "a.png")
        (folder / "no.segdesk").write_text("no project")
        window.bench.opening.open([folder / "no.segdesk"])
        qtbot.waitUntil(lambda: "no SegDesk project" in window.project_bars.damage.text)
        assert on_show(window) == folder / "a.png"

    def test_a_damaged_one_is_recovered_into_a_new_file(
        self, window, qtbot, folder, choose, answer
    ):
        path = saved_project(qtbot, window, folder, choose, ["a.png"])
        window.asking.projects.close()
        qtbot.waitUntil(lambda: not window.bench.projects._left)
        content = bytearray(path.read_bytes())
        content[:4096] = bytes(4096)
        path.write_bytes(content)
        window.bench.opening.open([path])
        bar = window.project_bars.damage
        qtbot.waitUntil(lambda: "damaged" in bar.text)
        choose(folder / "new.segdesk")
        asked = answer("OK")
        bar.buttons["Recover into a New File…"].click()
        qtbot.waitUntil(lambda: on_show(window) == folder / "a.png")
        assert "cells.segdesk" in asked[0]
        assert window.editor.document.layers[0].areas == {1: 25}
        assert path.read_bytes() == content

    def test_a_damaged_tile_is_named_and_the_rest_is_there(self, window, qtbot, folder, choose):
        path = saved_project(qtbot, window, folder, choose)
        window.asking.projects.close()
        qtbot.waitUntil(lambda: not window.bench.projects._left)
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE ids SET data = zeroblob(40) WHERE id = (SELECT max(id) FROM ids)")
            db.commit()
        window.bench.opening.open([path])
        qtbot.waitUntil(lambda: "project is damaged" in window.message_bar.text)
        assert on_show(window) == folder / "b.png"
        window.bench.opening.step(-1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a.png")
        qtbot.waitUntil(lambda: window.canvas.is_sharp)
        assert not window.message_bar.text
        assert window.editor.document.layers[0].segment_at(2, 2)


class TestClosing:
    def test_a_named_project_asks_nothing(self, window, qtbot, folder, choose, answer):
        asked = answer("Cancel")
        saved_project(qtbot, window, folder, choose)
        paint(window, Window(30, 30, 5, 5))
        assert window.asking.may_discard()
        assert not asked
        assert project_of(window).is_kept

    def test_unnamed_work_can_be_saved(self, window, qtbot, folder, choose, answer):
        open_image(qtbot, window, folder / "a.png")
        paint(window, Window(0, 0, 5, 5))
        asked = answer("Save As…")
        choose(folder / "kept.segdesk")
        window.actions_["close_project"].trigger()
        assert "a.png" in asked[0]
        assert (folder / "kept.segdesk").exists()
        assert project_of(window) is None

    def test_discarded_work_is_gone_from_the_disk(self, window, qtbot, folder, answer):
        open_image(qtbot, window, folder / "a.png")
        paint(window, Window(0, 0, 5, 5))
        answer("Discard")
        window.actions_["close_project"].trigger()
        qtbot.waitUntil(lambda: not list(unsaved_folder().glob("*.segdesk")))
        assert window.editor.document is None

    def test_a_cancelled_opening_changes_nothing(self, window, qtbot, folder, choose, answer):
        path = saved_project(qtbot, window, folder, choose, ["a.png"])
        window.asking.projects.close()
        open_image(qtbot, window, folder / "b.png")
        paint(window, Window(0, 0, 5, 5))
        document, project = window.editor.document, project_of(window)
        asked = answer("Cancel")
        window.bench.opening.open([path])
        qtbot.waitUntil(lambda: bool(asked))
        assert window.editor.document is document
        assert project_of(window) is project

    def test_closing_the_window_tidies_up_work_that_was_taken_back(self, qtbot, folder):
        with shown_window(qtbot) as window:
            open_image(qtbot, window, folder / "a.png")
            paint(window, Window(0, 0, 5, 5))
            window.bench.undo()
        assert not list(unsaved_folder().glob("*"))


def test_a_cleared_history_is_cleared_in_the_file_too(window, qtbot, folder, choose, answer):
    path = saved_project(qtbot, window, folder, choose, ["a.png"])
    answer("Clear History")
    window.actions_["clear_history"].trigger()
    assert not window.bench.undoable
    paint(window, Window(30, 30, 4, 4))
    window.asking.projects.close()
    qtbot.waitUntil(lambda: not window.bench.projects._left)
    assert check(path).findings == ()
    open_project_in(qtbot, window, path, folder / "a.png")
    assert window.editor.document.history.names == ("Brush stroke",)
    assert sum(window.editor.document.layers[0].areas.values()) == 41
