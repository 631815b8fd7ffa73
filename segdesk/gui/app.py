"""Starts the window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from segdesk.gui.crash_log import CrashLog
from segdesk.gui.main_window import MainWindow
from segdesk.gui.theme import apply_theme


def run(paths: Sequence[Path] = ()) -> int:
    """Show the window until it is closed.

    Parameters
    ----------
    paths
        Images, or folders of them, to begin with.

    Returns
    -------
    int
        The exit code.
    """
    QApplication.setStyle("Fusion")
    QGuiApplication.setDesktopFileName("segdesk")
    app = QApplication(sys.argv[:1])
    app.setApplicationName("SegDesk")
    app.styleHints().colorSchemeChanged.connect(apply_theme)
    apply_theme()
    log = CrashLog()
    log.open()
    window = MainWindow()
    window.bench.opening.open_at_start(paths)
    window.show()
    code = app.exec()
    log.close()
    return code
