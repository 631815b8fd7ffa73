from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage, QKeySequence
from PySide6.QtWidgets import QMessageBox, QToolButton

from segdesk.core.geometry import Window
from segdesk.gui import asking_projects
from segdesk.gui.brush_size import BrushSize
from segdesk.gui.dialogs.shortcuts import shortcut_table
from segdesk.gui.menus import TOOL_BAR, action_table
from segdesk.gui.recent_menu import RecentMenu
from segdesk.gui.settings import recent_files, remember_file, settings
from segdesk.gui.theme import DARK, LIGHT, choose_theme
from tests.gui.windows import on_show, open_image, paint, shown_window, write_image

GUIDE = Path(__file__).parents[2] / "docs" / "window.md"


@pytest.fixture
def window(qtbot):
    with shown_window(qtbot) as window:
        yield window


@pytest.fixture
def picture(tmp_path):
    return write_image(tmp_path / "cells.png")


class TestActions:
    def test_ids_and_keys_are_unique(self):
        table = action_table()
        ids = [entry.id for entry in table]
        keys = [key.toString() for entry in table for key in entry.shortcuts]
        assert len(set(ids)) == len(ids)
        assert len(set(keys)) == len(keys)
        assert all(keys), "every key is one that Qt knows"
        assert set(TOOL_BAR) - {""} <= set(ids)

    def test_guide_lists_the_shortcuts(self):
        rows = [
            f"| {menu} | {title} | {keys} |" for menu, title, keys in shortcut_table(action_table())
        ]
        text = GUIDE.read_text("utf-8")
        missing = [row for row in rows if row not in text]
        assert not missing, "\n".join(["docs/window.md lacks:", *missing])

    def test_without_an_image_only_what_can_be_done_is_enabled(self, window):
        enabled = {
            entry.id for entry in window.actions_.table if window.actions_[entry.id].isEnabled()
        }
        assert {"open", "open_folder", "paste", "quit", "plugins"} <= enabled
        assert not {"export", "undo", "fit", "accept", "run", "tool_brush"} & enabled

    def test_an_image_enables_tools_and_history_enables_undo(self, window, qtbot, picture):
        open_image(qtbot, window, picture)
        undo = window.actions_["undo"]
        qtbot.waitUntil(lambda: window.actions_["tool_brush"].isEnabled())
        assert not undo.isEnabled()
        paint(window, Window(0, 0, 5, 5))
        qtbot.waitUntil(undo.isEnabled)
        undo.trigger()
        assert not undo.isEnabled()
        assert window.actions_["redo"].isEnabled()

    def test_the_title_marks_work_that_no_project_has(self, window, qtbot, picture):
        open_image(qtbot, window, picture)
        paint(window, Window(0, 0, 5, 5))
        qtbot.waitUntil(window.isWindowModified)
        window.bench.undo()
        qtbot.waitUntil(lambda: not window.isWindowModified())

    def test_choosing_a_tool_checks_its_button(self, window, qtbot, picture):
        open_image(qtbot, window, picture)
        qtbot.waitUntil(lambda: window.actions_["tool_brush"].isEnabled())
        window.actions_["tool_brush"].trigger()
        assert window.editor.tool == "brush"
        assert window.actions_["tool_brush"].isChecked()
        assert not window.actions_["tool_pan"].isChecked()

    def test_digits_choose_categories(self, window, qtbot, picture):
        open_image(qtbot, window, picture)
        qtbot.waitUntil(lambda: window.actions_["category_0"].isEnabled())
        qtbot.keyClick(window, Qt.Key.Key_0)
        assert window.editor.category == 0
        qtbot.keyClick(window, Qt.Key.Key_1)
        assert window.editor.category == 1
        qtbot.keyClick(window, Qt.Key.Key_9)
        assert window.editor.category == 1

    def test_every_button_says_what_it_does(self, window):
        silent = [b for b in window.findChildren(QToolButton) if b.isVisible() and not b.toolTip()]
        assert not [button for button in silent if not button.text()]
        assert QKeySequence("Ctrl+Z").toString() in window.actions_["undo"].toolTip()


def test_brush_size_follows_its_keys_and_they_follow_it(window, qtbot, picture):
    open_image(qtbot, window, picture)
    size = window.findChild(BrushSize)
    assert not size.isEnabled()
    window.editor.set_tool("brush")
    assert size.isEnabled()
    window.editor.set_radius(33.5)
    assert size.number.value() == 33.5
    size.slider.setValue(size.slider.minimum())
    assert window.editor.radius == 0.5
    size.number.setValue(120)
    assert window.editor.radius == 120


class TestOpening:
    def test_an_image_is_shown_named_and_remembered(self, window, qtbot, picture):
        open_image(qtbot, window, picture)
        assert window.windowTitle() == "cells.png[*] - SegDesk"
        assert recent_files() == [picture]
        assert [layer.state.name for layer in window.editor.document.layers] == ["Layer 1"]
        assert not window.actions_["undo"].isEnabled()

    @pytest.mark.parametrize("kind", ["empty", "text", "header only", "torn"])
    def test_a_failed_open_says_why_and_changes_nothing(
        self, window, qtbot, picture, tmp_path, kind
    ):
        open_image(qtbot, window, picture)
        paint(window, Window(0, 0, 5, 5))
        document = window.editor.document
        broken = tmp_path / "broken.png"
        whole = picture.read_bytes()
        content = {"empty": b"", "text": b"no image", "header only": whole[:8], "torn": whole[:-90]}
        broken.write_bytes(content[kind])
        with qtbot.waitSignal(window.editor.failed) as signal:
            window.bench.opening.open([broken])
        assert "broken.png" in signal.args[0]
        assert window.message_bar.text == signal.args[0]
        assert window.editor.document is document
        assert on_show(window) == picture
        assert document.image.read(Window(0, 0, 1, 1)).shape == (1, 1, 3)
        assert recent_files() == [picture]

    def test_a_long_name_among_the_recent_files_leaves_the_window_narrow(self, qtbot, tmp_path):
        remember_file(write_image(tmp_path / f"{'n' * 240}.png"))
        with shown_window(qtbot) as window:
            assert window.minimumSizeHint().width() < 1200
            menu = RecentMenu(lambda path: None, window)
            menu.aboutToShow.emit()
            assert menu.sizeHint().width() < 1200

    def test_recent_files_that_are_gone_are_greyed_and_forgotten(
        self, window, qtbot, picture, tmp_path
    ):
        gone = write_image(tmp_path / "gone.png")
        open_image(qtbot, window, gone)
        open_image(qtbot, window, picture)
        gone.unlink()
        menu = window.findChild(RecentMenu)
        menu.aboutToShow.emit()
        entries = {action.text(): action for action in menu.actions()}
        assert entries["&1 cells.png"].isEnabled()
        assert not entries["&2 gone.png"].isEnabled()
        entries["Forget Missing Files"].trigger()
        assert recent_files() == [picture]

    def test_the_message_goes_with_the_next_success(self, window, qtbot, picture, tmp_path):
        with qtbot.waitSignal(window.editor.failed):
            window.bench.opening.open([tmp_path / "absent.png"])
        assert window.message_bar.text
        open_image(qtbot, window, picture)
        assert not window.message_bar.text

    def test_drop_of_a_file(self, window, qtbot, picture):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(picture))])
        event = QDropEvent(
            QPointF(9, 9),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        window.dropEvent(event)
        qtbot.waitUntil(lambda: on_show(window) == picture)

    def test_a_pasted_picture_has_its_pixels(self, window, qtbot):
        image = QImage(5, 3, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.black)
        image.setPixelColor(QPoint(4, 2), Qt.GlobalColor.red)
        QGuiApplication.clipboard().setImage(image)
        window.bench.paste()
        pixels = window.editor.document.image.read(Window(0, 0, 5, 3))
        assert pixels.shape == (3, 5, 3)
        assert pixels[2, 4].tolist() == [255, 0, 0]
        assert pixels.sum() == 255

    def test_a_text_on_the_clipboard_is_refused(self, window, qtbot):
        QGuiApplication.clipboard().setText("no image")
        with qtbot.waitSignal(window.editor.failed):
            window.bench.paste()
        assert window.editor.document is None


class TestBrowsing:
    @pytest.fixture
    def folder(self, tmp_path):
        for name in ("a2.png", "a10.png", "a1.png"):
            write_image(tmp_path / name)
        (tmp_path / "notes.txt").write_text("no image")
        return tmp_path

    def test_a_folder_opens_with_its_first_image(self, window, qtbot, folder):
        window.bench.opening.open([folder])
        qtbot.waitUntil(lambda: on_show(window) == folder / "a1.png")
        assert window.windowTitle() == "a1.png[*] (1 of 3) - SegDesk"

    def test_next_and_previous_in_the_order_of_counting(self, window, qtbot, folder):
        opening = window.bench.opening
        open_image(qtbot, window, folder / "a2.png")
        assert opening.place == "2 of 3"
        opening.step(1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a10.png")
        assert not opening.can_step(1)
        opening.step(-1)
        opening.step(-1)  # before the first of the two has arrived
        qtbot.waitUntil(lambda: on_show(window) == folder / "a1.png")

    def test_strokes_and_undo_survive_going_away(self, window, qtbot, folder):
        open_image(qtbot, window, folder / "a1.png")
        document = window.editor.document
        paint(window, Window(2, 2, 5, 5))
        window.bench.opening.step(1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a2.png")
        assert not window.editor.document.layers[0].areas
        window.bench.opening.step(-1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a1.png")
        assert window.editor.document is document
        assert document.layers[0].areas == {1: 25}
        assert document.image.read(Window(0, 0, 64, 48)).max() == 250
        window.bench.undo()
        assert not document.layers[0].areas

    def test_categories_go_along_to_the_next_image(self, window, qtbot, folder):
        open_image(qtbot, window, folder / "a1.png")
        window.docks.show("categories")
        panel = window.docks["categories"]
        panel.model.add()
        window.bench.opening.step(1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a2.png")
        names = [c.name for c in window.editor.document.active.state.categories]
        assert names == ["background", "object", "category 2"]

    def test_an_image_that_has_changed_keeps_its_strokes_away(self, window, qtbot, folder):
        open_image(qtbot, window, folder / "a1.png")
        paint(window, Window(2, 2, 5, 5))
        window.bench.opening.step(1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a2.png")
        write_image(folder / "a1.png", width=99)
        window.bench.opening.step(-1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a1.png")
        assert "a1.png has changed" in window.project_bars.image.text
        assert window.editor.document.image.info.width == 64
        assert not window.editor.document.image.read(Window(0, 0, 64, 48)).any()
        window.project_bars.image.buttons["Use It as It Is"].click()
        assert "99 x 48" in window.message_bar.text
        assert window.bench.shelf.unnamed() == ["a1.png"]

    def test_images_without_work_are_let_go(self, window, qtbot, folder):
        open_image(qtbot, window, folder / "a1.png")
        first = window.bench.shelf.current
        window.bench.opening.step(1)
        qtbot.waitUntil(lambda: on_show(window) == folder / "a2.png")
        assert not window.bench.shelf.holds(first.document)


class TestClosing:
    @pytest.fixture
    def answers(self, monkeypatch):
        asked = []
        monkeypatch.setattr(
            QMessageBox, "exec", lambda box: asked.append(box.text()) or asked.answer
        )
        asked = type("Asked", (list,), {"answer": None})()
        return asked

    def test_work_without_a_name_is_asked_for(self, window, qtbot, picture, answers):
        open_image(qtbot, window, picture)
        assert window.asking.may_discard()
        assert not answers
        paint(window, Window(0, 0, 5, 5))
        answers.answer = asking_projects.Button.Cancel
        assert not window.asking.may_discard()
        assert "cells.png" in answers[0]
        answers.answer = asking_projects.Button.Discard
        assert window.asking.may_discard()

    def test_work_taken_back_is_no_work(self, window, qtbot, picture, answers):
        open_image(qtbot, window, picture)
        paint(window, Window(0, 0, 5, 5))
        window.bench.undo()
        assert window.asking.may_discard()
        assert not answers

    def test_layout_is_remembered(self, qtbot):
        with shown_window(qtbot) as first:
            first.docks["history"].parent().hide()
        assert settings().value("layout")
        with shown_window(qtbot) as second:
            assert second.docks["history"].parent().isHidden()
            assert not second.docks["layers"].parent().isHidden()


def test_themes(window, qtbot):
    choose_theme("dark")
    assert window.palette().window().color().name() == DARK.window
    choose_theme("light")
    assert window.palette().window().color().name() == LIGHT.window
    window.actions_["theme_dark"].trigger()
    assert settings().value("theme") == "dark"
    window.actions_["theme_system"].trigger()


@pytest.mark.parametrize("shades", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_can_be_read(shades):
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5 for text."""
    for ground in (shades.window, shades.base, shades.alternate, shades.button, shades.hover):
        assert contrast(shades.text, ground) >= 7
        assert contrast(shades.muted, ground) >= 4.5
    assert contrast("#ffffff", shades.accent) >= 4.5
    assert contrast(shades.link, shades.window) >= 4.5
    assert contrast(shades.text, shades.warning) >= 7


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
