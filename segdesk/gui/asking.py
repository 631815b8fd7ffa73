"""Opens the dialogs of the main window; each one is imported when it is first needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox

from segdesk.engine.operations import Operation
from segdesk.engine.registry import registry
from segdesk.gui.operating import Order
from segdesk.gui.settings import settings

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow

Button = QMessageBox.StandardButton


class Asking:
    """What the window asks its user, and shows him."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def open_files(self) -> None:
        """Let the user choose images."""
        names, _ = QFileDialog.getOpenFileNames(
            self._window, "Open images", self._folder(), file_filter()
        )
        self._open([Path(name) for name in names])

    def open_folder(self) -> None:
        """Let the user choose a folder of images."""
        name = QFileDialog.getExistingDirectory(
            self._window, "Open a folder of images", self._folder()
        )
        self._open([Path(name)] if name else [])

    def export(self) -> None:
        """Let the user export the document on show."""
        from segdesk.gui.dialogs.export import ExportDialog

        ExportDialog(self._window.bench.exporting, self._window).exec()

    def operate(self, operation: Operation) -> None:
        """Run an operation on segments, after asking how where there is a choice."""
        operating = self._window.bench.operating
        target = operating.target(operation)
        if not target:
            return
        if not operation.options:
            operating.run(Order(operation, target))
            return
        from segdesk.gui.dialogs.operation import OperationDialog

        OperationDialog(operating, operation, target, self._window).exec()

    def threshold(self) -> None:
        """Let the user paint where pixels lie in a range."""
        from segdesk.gui.dialogs.threshold import ThresholdDialog
        from segdesk.gui.thresholding import Thresholding

        window = self._window
        thresholding = Thresholding(window.editor, window.bench.operating, window.canvas)
        if thresholding.layer:
            ThresholdDialog(thresholding, window).exec()
        thresholding.deleteLater()

    def show_shortcuts(self) -> None:
        """Show all keyboard shortcuts."""
        from segdesk.gui.dialogs.shortcuts import ShortcutsDialog

        ShortcutsDialog(self._window.actions_.table, self._window).exec()

    def show_plugins(self) -> None:
        """Show the plugins."""
        from segdesk.gui.dialogs.plugins import PluginsDialog

        PluginsDialog(self._window).exec()

    def show_checkpoints(self) -> None:
        """Show the checkpoints."""
        from segdesk.gui.dialogs.checkpoints import CheckpointsDialog

        CheckpointsDialog(self._window.bench.checkpoints, self._window).exec()

    def show_about(self) -> None:
        """Show the program, its devices and folders."""
        from segdesk.gui.dialogs.about import AboutDialog

        AboutDialog(self._window.bench.disk, self._window).exec()

    def may_discard(self) -> bool:
        """Ask what to do with work that has not been exported; return whether it may go."""
        unsaved = self._window.bench.shelf.unsaved()
        if not unsaved:
            return True
        names = ", ".join(entry.name for entry in unsaved[:3]) + (", …" if len(unsaved) > 3 else "")
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "SegDesk",
            f"Work on {names} has not been exported.",
            Button.Save | Button.Discard | Button.Cancel,
            self._window,
        )
        box.setInformativeText("It is lost when you close the window.")
        box.button(Button.Save).setText("Export…")
        answer = box.exec()
        if answer == Button.Save:
            self._window.bench.opening.show_entry(unsaved[0])
            self.export()
            return not self._window.bench.shelf.unsaved()
        return answer == Button.Discard

    def _open(self, paths: list[Path]) -> None:
        if paths:
            first = paths[0]
            settings().setValue("folder", str(first if first.is_dir() else first.parent))
            self._window.bench.opening.open(paths)

    def _folder(self) -> str:
        return str(settings().value("folder", ""))


def file_filter() -> str:
    """Return the filters of a file dialog: all images first, then each reader's."""
    readers = registry().readers.values()
    filters = [f"{reader.title} ({_patterns(reader.suffixes)})" for reader in readers]
    every = {suffix for reader in readers for suffix in reader.suffixes}
    return ";;".join([f"Images ({_patterns(sorted(every))})", *filters, "All files (*)"])


def _patterns(suffixes: tuple[str, ...] | list[str]) -> str:
    return " ".join(f"*{suffix} *{suffix.upper()}" for suffix in suffixes)
