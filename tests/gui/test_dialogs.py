import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QPushButton, QTreeWidget

from segdesk.core.geometry import Window
from segdesk.engine import devices, diagnosis, folders
from segdesk.engine.registry import find_plugins, forget_plugins
from segdesk.gui.dialogs.about import AboutDialog
from segdesk.gui.dialogs.export import ExportDialog
from segdesk.gui.dialogs.plugins import PluginsDialog
from segdesk.gui.dialogs.shortcuts import ShortcutsDialog
from segdesk.gui.lanes import Lane
from segdesk.gui.menus import action_table
from segdesk.gui.settings import settings
from tests.gui.windows import open_image, paint, shown_window, write_image


class TestExport:
    @pytest.fixture
    def dialog(self, qtbot, tmp_path):
        with shown_window(qtbot) as window:
            open_image(qtbot, window, write_image(tmp_path / "cells.png"))
            paint(window, Window(0, 0, 8, 8))
            dialog = ExportDialog(window.bench.exporting, window)
            qtbot.addWidget(dialog)
            dialog.show()
            yield dialog

    def test_begins_with_layer_folder_and_name_of_the_image(self, dialog, tmp_path):
        order = dialog.order()
        assert (order.folder, order.stem, order.formats) == (tmp_path, "cells-masks", ("png",))
        assert dialog.layers.currentText() == "Layer 1 (semantic)"

    def test_says_what_is_lost_before_anything_is_written(self, dialog, qtbot, tmp_path):
        qtbot.waitUntil(lambda: bool(dialog.losses.text()))
        before = sorted(tmp_path.iterdir())
        dialog.formats["overlay"].setChecked(True)
        qtbot.waitUntil(lambda: "Overlay" in dialog.losses.text())
        assert sorted(tmp_path.iterdir()) == before

    def test_needs_a_format_a_folder_and_a_name(self, dialog):
        for widget in (dialog.stem, dialog.folder):
            text = widget.text()
            widget.setText(" ")
            assert not dialog.export.isEnabled()
            widget.setText(text)
            assert dialog.export.isEnabled()
        dialog.formats["png"].setChecked(False)
        assert not dialog.export.isEnabled()

    def test_writes_and_remembers_the_choice(self, dialog, qtbot, tmp_path):
        out = tmp_path / "out"
        out.mkdir()
        dialog.folder.setText(str(out))
        dialog.export.click()
        assert not dialog.export.isEnabled()
        qtbot.waitUntil(dialog.open_folder.isVisible, timeout=10_000)
        assert "cells-masks.png" in dialog.outcome.text()
        assert (out / "cells-masks.png").is_file()
        assert settings().value("export_folder") == str(out)

    def test_a_failure_is_said_in_the_dialog(self, dialog, qtbot, tmp_path):
        dialog.folder.setText(str(tmp_path / "gone"))
        dialog.export.click()
        qtbot.waitUntil(lambda: "gone" in dialog.outcome.text())
        assert not dialog.open_folder.isVisible()
        assert dialog.export.isEnabled()


class TestPlugins:
    @pytest.fixture
    def dialog(self, qtbot):
        folders.plugin_folder().mkdir(parents=True)
        (folders.plugin_folder() / "torn.py").write_text("import nothing_like_this")
        forget_plugins()
        dialog = PluginsDialog()
        qtbot.addWidget(dialog)
        yield dialog
        forget_plugins()

    def item(self, dialog, name):
        (item,) = dialog.findChild(QTreeWidget).findItems(name, Qt.MatchFlag.MatchExactly)
        return item

    def test_names_what_works_and_why_the_rest_does_not(self, dialog):
        assert self.item(dialog, "pictures").text(2) == "loaded"
        assert "reader tiff" in self.item(dialog, "pictures").text(3)
        assert self.item(dialog, "torn").text(2) == "broken"
        assert "nothing_like_this" in self.item(dialog, "torn").text(3)

    def test_a_box_switches_a_plugin_off_and_on_for_the_next_start(self, dialog):
        item = self.item(dialog, "masks")
        item.setCheckState(0, Qt.CheckState.Unchecked)
        assert "png" not in find_plugins().writers
        assert any("masks" in label.text() for label in dialog.findChildren(QLabel))
        item.setCheckState(0, Qt.CheckState.Checked)
        assert "png" in find_plugins().writers


def test_shortcuts_can_be_searched(qtbot):
    dialog = ShortcutsDialog(action_table())
    qtbot.addWidget(dialog)
    dialog.phrase.setText("undo")
    tree = dialog.findChild(QTreeWidget)
    groups = [tree.topLevelItem(row) for row in range(tree.topLevelItemCount())]
    shown = [
        group.child(row).text(1)
        for group in groups
        if not group.isHidden()
        for row in range(group.childCount())
        if not group.child(row).isHidden()
    ]
    assert shown == ["Ctrl+Z"]


def test_about_says_what_the_doctor_finds(qtbot, monkeypatch):
    monkeypatch.setattr(diagnosis, "describe", lambda: {"cuda": {"available": False}})
    lane = Lane("disk")
    dialog = AboutDialog(lane)
    qtbot.addWidget(dialog)
    text = dialog.findChild(QPlainTextEdit)
    qtbot.waitUntil(lambda: "cuda" in text.toPlainText(), timeout=10_000)
    assert str(folders.plugin_folder()) in text.toPlainText()
    lane.close()


def test_about_measures_the_devices_when_asked(qtbot, monkeypatch):
    figures = {"cpu": {"float32": {"megapixels_per_second": 1.5, "gflops": 80.0}}}
    monkeypatch.setattr(diagnosis, "describe", lambda: {"cuda": {"available": False}})
    monkeypatch.setattr(devices, "self_test", lambda report: figures)
    lane = Lane("disk")
    dialog = AboutDialog(lane)
    qtbot.addWidget(dialog)
    text = dialog.findChild(QPlainTextEdit)
    qtbot.waitUntil(lambda: "cuda" in text.toPlainText(), timeout=10_000)
    (button,) = [b for b in dialog.findChildren(QPushButton) if b.text() == "Measure Devices"]
    button.click()
    assert not button.isEnabled()
    qtbot.waitUntil(button.isEnabled, timeout=10_000)
    assert "80 GFLOP/s" in text.toPlainText()
    dialog.reject()
    lane.close()
