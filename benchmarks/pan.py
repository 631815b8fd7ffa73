"""Time of a frame while panning and zooming over the images of open.py, with a full overlay.

100 pans and 50 zoom steps on each image. A frame starts with the event that the user causes and
ends when its picture has been painted and handed to the display; what is not there yet of the
image is shown more coarsely, and "sharp" is the time from the last event until nothing is missing.
"CPU" is the time of the processor in it, which other programs lengthen less.
Every pixel belongs to a segment. A real window where DISPLAY is set, else one in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from _large_images import large_images
from canvas import VIEWPORT, Bench
from PySide6.QtCore import QEvent
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from segdesk.core.display import default_display
from segdesk.core.geometry import Window
from segdesk.core.image import ImageSource
from segdesk.core.palette import distinct_colour
from segdesk.core.progress import silent
from segdesk.core.segmentation import Category, Segment
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.images import open_image
from segdesk.engine.layer import LayerState
from segdesk.engine.overviews import make_overviews, ready_for_overviews
from segdesk.engine.pyramid import Pyramid
from segdesk.gui.canvas import Canvas
from segdesk.gui.editor import Editor

PANS, ZOOMS = 100, 50
GOAL_MS = 16.0
PATIENCE = 60  # seconds
CELL = 4096  # pixels of a block of the overlay

Steps = Iterator[Callable[[], None]]


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller images, one round")
    quick = parser.parse_args().quick
    app = QApplication([])
    figures: dict[str, list[float]] = {}
    sharp: dict[str, list[float]] = {}
    busy: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as home:
        os.environ["SEGDESK_HOME"] = home
        for name, path in large_images(quick).items():
            with closing(opened(path)) as image:
                bench = LargeBench(app, image)
                for scene in (pan, zoom) * (1 if quick else 3):
                    key = f"{name}, {scene.__name__}"
                    bench.forget_tiles()
                    figures.setdefault(key, []).extend(bench.measure(scene(bench)))
                    sharp.setdefault(key, []).append(bench.until_sharp())
                    busy.setdefault(key, []).extend(bench.busy)
                    bench.busy.clear()
                bench.close()
    report(figures, sharp, busy)


def opened(path: Path) -> ImageSource:
    """Return an image with its overviews."""
    image = ready_for_overviews(path, open_image(path))
    if isinstance(image, Pyramid):
        make_overviews(path, image, silent)
    return image


class LargeBench(Bench):
    """A window with a large image, all of it covered with segments."""

    def __init__(self, app: QApplication, image: ImageSource) -> None:
        self.app = app
        self.busy: list[float] = []  # seconds of the processor in each frame
        self.editor = Editor()
        self.canvas = Canvas(self.editor)
        self.canvas.resize(*VIEWPORT)
        self.canvas.show()
        self.document = covered(image)
        self.editor.show(self.document, default_display(image.info))
        self.settle(1.0)
        self.until_sharp()
        self.settle(1.0)
        plane = self.document.layers[0].planes[0]
        corners = [(0, 0), (image.info.width - 1, image.info.height - 1)]
        assert all(plane.at(x, y) for x, y in corners), "the overlay is not full"

    def measure(self, steps: Steps) -> list[float]:
        """Return the seconds of each frame; note the processor's share of them as well."""
        return super().measure(self._timed(step) for step in steps)

    def _timed(self, step: Callable[[], None]) -> Callable[[], None]:
        def timed() -> None:
            start = time.thread_time()
            step()
            self.app.processEvents()
            self.busy.append(time.thread_time() - start)

        return timed

    def forget_tiles(self) -> None:
        """Begin with an image of which nothing has been read yet."""
        self.editor.display_changed.emit()
        self.until_sharp()

    def until_sharp(self) -> float:
        """Return the seconds until nothing of the view is missing any more."""
        start = time.perf_counter()
        while not self.canvas.is_sharp:
            assert time.perf_counter() - start < PATIENCE, "the image is not on show"
            self.app.processEvents()
        return time.perf_counter() - start

    def close(self) -> None:
        """End the window and its lane."""
        self.editor.show(None, None)
        self.canvas.end_jobs()
        self.canvas.close()
        self.canvas.deleteLater()
        self.settle(0.1)


def covered(image: ImageSource) -> Document:
    """Return a document with blocks of segments, the ones in the middle with wavy borders."""
    document = Document(image)
    categories = (Category(0, "background", (0, 0, 0)), Category(1, "cell", distinct_colour(0)))
    layer = edits.add_layer(document, LayerState("Cells", "instance", categories))
    whole = image.info.window
    y, x = np.mgrid[:CELL, :CELL]
    cells = ((x + 40 * np.sin(y / 60)) // 256 + 20 * ((y + 40 * np.sin(x / 50)) // 256)) % 400 + 1
    cells = cells.astype(np.int32)
    with document.edit("Fill") as edit:
        edit.set_segments(layer, {i: Segment(i, 1) for i in range(1, 401)})
        middle = Window(
            whole.width // 2 - 2 * CELL, whole.height // 2 - 2 * CELL, 4 * CELL, 4 * CELL
        )
        for column, row in whole.tiles(CELL):
            window = Window(column * CELL, row * CELL, CELL, CELL).intersection(whole)
            if window.intersection(middle):
                edit.paint(layer, window, cells[: window.height, : window.width])
            else:
                edit.paint(layer, window, 1 + (column * 7 + row * 13) % 400)
    return document


def pan(bench: LargeBench) -> Steps:
    """Drag the image in circles at half its size, then at its own."""
    bench.editor.set_tool("pan")
    for scale in (0.5, 1.0):
        bench.look_at(scale)
        bench.mouse(QEvent.Type.MouseButtonPress, 800, 500, held=True)
        for turn in np.linspace(0, 2 * np.pi, PANS // 2):
            x, y = 800 + 600 * np.sin(turn), 500 + 400 * np.sin(2 * turn)
            yield lambda x=x, y=y: bench.mouse(QEvent.Type.MouseMove, x, y, held=True)
        bench.mouse(QEvent.Type.MouseButtonRelease, x, y, held=False)


def zoom(bench: LargeBench) -> Steps:
    """Turn the wheel from all of the image to single pixels and back."""
    bench.canvas.fit()
    bench.settle(0.2)
    there = ZOOMS // 2
    notch = np.log(32 / bench.canvas.scale) / np.log(1.25) / there
    for number in range(2 * there):
        turned = notch if number < there else -notch
        yield lambda turned=turned: bench.wheel(700, 600, turned)


def report(
    figures: dict[str, list[float]], sharp: dict[str, list[float]], busy: dict[str, list[float]]
) -> None:
    """Print the table and the JSON object."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    print(f"\n{VIEWPORT[0]} x {VIEWPORT[1]} at {ratio:g}x, {QGuiApplication.platformName()}\n")
    print(f"{'ms a frame':30}{'median':>8}{'p95':>8}{'max':>8}{'CPU p95':>9}{'sharp after':>13}")
    result: dict[str, dict[str, float]] = {}
    for name, seconds in figures.items():
        times = 1000 * np.array(seconds)
        row = {
            "median_ms": float(np.median(times)),
            "p95_ms": float(np.percentile(times, 95)),
            "max_ms": float(times.max()),
            "cpu_p95_ms": 1000 * float(np.percentile(busy[name], 95)),
            "sharp_ms": 1000 * float(np.median(sharp[name])),
        }
        result[name] = {key: round(value, 2) for key, value in row.items()}
        print(
            f"{name:30}{row['median_ms']:8.1f}{row['p95_ms']:8.1f}{row['max_ms']:8.1f}"
            f"{row['cpu_p95_ms']:9.1f}{row['sharp_ms']:13.0f}"
        )
    worst = max(row["p95_ms"] for row in result.values())
    print(f"\nworst p95 {worst:.1f} ms (goal {GOAL_MS:g})")
    print(json.dumps({"scenes": result, "p95_ms": worst}))


if __name__ == "__main__":
    main()
