"""The menu of images opened last; those that are gone are greyed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from segdesk.gui.settings import forget_files, recent_files

WIDEST = 420  # logical pixels of a name


class RecentMenu(QMenu):
    """Filled anew whenever it opens."""

    def __init__(self, open_file: Callable[[Path], object], parent: QWidget | None = None) -> None:
        super().__init__("Open &Recent", parent)
        self._open_file = open_file
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        paths = recent_files()
        for number, path in enumerate(paths, start=1):
            key = f"&{number} " if number < 10 else ""
            name = self.fontMetrics().elidedText(path.name, Qt.TextElideMode.ElideMiddle, WIDEST)
            name = name.replace("&", "&&")
            action = self.addAction(f"{key}{name}", partial(self._open_file, path))
            action.setEnabled(path.exists())
            action.setToolTip(str(path))
            action.setStatusTip(str(path))
        self.addSeparator()
        gone = [path for path in paths if not path.exists()]
        self.addAction("Forget Missing Files", partial(forget_files, gone)).setEnabled(bool(gone))
        self.addAction("Forget All", partial(forget_files, paths)).setEnabled(bool(paths))
