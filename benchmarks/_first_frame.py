"""Run by start.py: shows an image in one program, and tells when its first frame is painted.

Prints one line of JSON then, and ends once it reads a line. Imports nothing that the program does
not need itself.
"""

from __future__ import annotations

import sys
import time
from typing import Any

UNWANTED = ("torch", "transformers", "cv2", "scipy", "typer", "qtawesome", "sqlite3", "zstandard")
RED = 0xFFFF0000


def segdesk(path: str) -> None:
    """The window of SegDesk."""
    from pathlib import Path

    from segdesk.gui import app, main_window

    class Told(main_window.MainWindow):
        def complete(self) -> None:
            tell(self)  # and never come back

    app.MainWindow = Told
    app.run([Path(path)])


def bare(path: str) -> None:
    """A Qt window that shows the picture on a label."""
    from PySide6.QtGui import QPixmap
    from PySide6.QtWidgets import QApplication, QLabel, QMainWindow

    app = QApplication([])
    window, label = QMainWindow(), QLabel()
    label.setPixmap(QPixmap(path))
    window.setCentralWidget(label)
    window.resize(1440, 900)
    window.show()
    tell_once_red(app, window)
    app.exec()


def labelme(path: str) -> None:
    """The window of labelme."""
    from labelme.app import MainWindow

    app = qt("QtWidgets").QApplication([])
    window = MainWindow(file_or_dir=path)
    window.show()
    tell_once_red(app, window)
    app.exec()


def napari(path: str) -> None:
    """The window of napari."""
    import napari

    viewer = napari.Viewer()
    viewer.open(path, plugin="napari")
    app = qt("QtWidgets").QApplication.instance()
    tell_once_red(app, viewer.window._qt_window)
    napari.run()


def tell_once_red(app: Any, window: Any) -> None:
    """Tell as soon as the event loop is idle and the red disc of the picture is on show."""
    timer = qt("QtCore").QTimer(app)

    def look() -> None:
        if count_red(window):
            timer.stop()
            tell(window)

    timer.timeout.connect(look)
    timer.start(0)


def count_red(window: Any) -> int:
    """Return how many pixels of a coarse grid over the window are pure red."""
    picture = window.grab().toImage()
    return sum(
        picture.pixel(x, y) == RED
        for y in range(0, picture.height(), 8)
        for x in range(0, picture.width(), 8)
    )


def tell(window: Any) -> None:
    """Say when, and what has been loaded; then wait to be measured."""
    now = time.time()
    import json
    import os

    name = qt("QtGui").QGuiApplication.platformName()
    loaded = [name for name in UNWANTED if name in sys.modules]
    print(json.dumps({"time": now, "unwanted": loaded, "platform": name}), flush=True)
    sys.stdin.readline()
    print(json.dumps({"red": count_red(window)}), flush=True)
    os._exit(0)


def qt(module: str) -> Any:
    """Return a module of whichever Qt the program has loaded."""
    return next(sys.modules[name] for name in list(sys.modules) if name.endswith(f".{module}"))


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
