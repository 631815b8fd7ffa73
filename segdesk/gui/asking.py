"""Opens the dialogs of the main window; each one is imported when it is first needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from segdesk.engine.operations import Operation
from segdesk.engine.registry import registry
from segdesk.gui.opening import PROJECT
from segdesk.gui.operating import Order
from segdesk.gui.settings import settings

if TYPE_CHECKING:
    from segdesk.gui.asking_projects import AskingProjects
    from segdesk.gui.main_window import MainWindow


class Asking:
    """What the window asks its user, and shows him."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    @cached_property
    def projects(self) -> AskingProjects:
        """What is asked about projects."""
        from segdesk.gui.asking_projects import AskingProjects

        return AskingProjects(self._window)

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

    def import_mask(self) -> None:
        """Let the user choose a mask that becomes a layer."""
        masks = "Index masks (*.png *.tif *.tiff);;All files (*)"
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Import a mask as a layer", self._folder(), masks
        )
        if name:
            self._window.bench.importing.start(Path(name))

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
        """Ask what to do with work that would be lost; return whether the window may be closed."""
        return not self.projects.is_waiting and self.projects.may_leave()

    def _open(self, paths: list[Path]) -> None:
        if paths:
            first = paths[0]
            settings().setValue("folder", str(first if first.is_dir() else first.parent))
            self._window.bench.opening.open(paths)

    def _folder(self) -> str:
        return str(settings().value("folder", ""))


def file_filter() -> str:
    """Return the filters of a file dialog: all that can be opened first, then each reader's."""
    readers = registry().readers.values()
    filters = [f"{reader.title} ({_patterns(reader.suffixes)})" for reader in readers]
    every = {suffix for reader in readers for suffix in reader.suffixes}
    images = _patterns(sorted(every))
    first = [f"Images and projects (*{PROJECT} {images})", f"SegDesk projects (*{PROJECT})"]
    return ";;".join([*first, f"Images ({images})", *filters, "All files (*)"])


def _patterns(suffixes: tuple[str, ...] | list[str]) -> str:
    return " ".join(f"*{suffix} *{suffix.upper()}" for suffix in suffixes)
