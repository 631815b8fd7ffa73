"""Run by open.py: opens an image in a program that is already running, and tells how that went.

Prints one line of JSON: seconds to the first picture and to the sharp one, peak memory in MB before
opening and at the sharp picture, of the process and of those it has started.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import psutil

RED = 0xFFFF0000
IDLE_MS = 2000  # after which a window is complete and idle


def segdesk(path: Path) -> None:
    """The window of SegDesk, complete and idle."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from segdesk.gui import main_window
    from segdesk.gui.canvas import Canvas
    from segdesk.gui.canvas.picture import level_on_show

    told: dict[str, float] = {}

    class Watched(Canvas):
        def paintEvent(self, event: Any) -> None:
            super().paintEvent(event)
            tiles = self._scene.tiles
            if tiles and "first" not in told:
                keys = tiles.keys(self.view.window(), level_on_show(tiles, self.view))
                if all(tiles.best(key) for key in keys):
                    told["first"] = time.perf_counter()

    main_window.Canvas = Watched
    app = QApplication([])
    window = main_window.MainWindow()
    window.show()

    def start() -> None:
        told["before"] = peak()
        told["start"] = time.perf_counter()
        window.bench.opening.open([path])

    def sharp() -> None:
        now = time.perf_counter()
        end(window, told["start"], told["first"], now, told["before"])

    window.canvas.first_frame_painted.connect(sharp)
    QTimer.singleShot(IDLE_MS, start)
    app.exec()


def napari(path: Path) -> None:
    """The window of napari, complete and idle; the picture is there once its red band is."""
    import napari

    viewer = napari.Viewer()
    qt = next(sys.modules[name] for name in list(sys.modules) if name.endswith(".QtCore"))
    window = viewer.window._qt_window
    told: dict[str, float] = {}
    timer = qt.QTimer(window)

    def look() -> None:
        if "start" not in told:
            told["before"], told["start"] = peak(), time.perf_counter()
            show(viewer, path)
        elif count_red(window):
            timer.stop()
            now = time.perf_counter()
            end(window, told["start"], now, now, told["before"])

    timer.timeout.connect(look)
    timer.start(10)
    napari.run()


def show(viewer: Any, path: Path) -> None:
    """Open a file in napari: its levels as Zarr where it has some, which is its quickest way."""
    if path.name.startswith(("pyramid", "sparse")):
        import tifffile
        import zarr

        pages = tifffile.TiffFile(path).pages
        levels = [zarr.open(page.aszarr(), mode="r") for page in pages]
        viewer.add_image(levels, multiscale=True, rgb=True)
    else:
        viewer.open(str(path), plugin="napari")


def peak() -> float:
    """Return the most memory that this process has held, with those that it has started, in MB."""
    import resource

    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (own * 1024 + sum(child.memory_info().rss for child in children())) / 1e6


def children() -> list[psutil.Process]:
    """Return the processes that this one has started and that still run."""
    return psutil.Process().children(recursive=True)


def count_red(window: Any) -> int:
    """Return how many pixels of a coarse grid over the window are pure red."""
    picture = window.grab().toImage()
    return sum(
        picture.pixel(x, y) == RED
        for y in range(0, picture.height(), 8)
        for x in range(0, picture.width(), 8)
    )


def end(window: Any, start: float, first: float, sharp: float, before: float) -> None:
    """Tell, once it is sure that the picture is on show; then wait if that is asked for."""
    told = {"first_s": first - start, "sharp_s": sharp - start, "before_mb": before}
    told |= {"mb": peak(), "red": count_red(window)}
    print(json.dumps(told), flush=True)
    os._exit(0)


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
