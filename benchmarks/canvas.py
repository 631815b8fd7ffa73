"""Time of a frame while panning, zooming and painting over 4000 x 3000 pixels full of segments.

A frame starts with the event that the user causes and ends when its picture has been painted and
handed to the display: a real window where DISPLAY is set, else one in memory.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from _window import VIEWPORT, Bench
from PySide6.QtCore import QEvent
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from segdesk.core.image import ArrayImage
from segdesk.core.palette import distinct_colour
from segdesk.core.segmentation import Category, Segment
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState

WIDTH, HEIGHT, SEGMENTS = 4000, 3000, 5000
GOAL_MS, LIMIT_MS = 16.0, 50.0


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer frames")
    frames, rounds = (40, 2) if parser.parse_args().quick else (150, 5)
    app = QApplication([])
    bench = Bench(app, full_document())
    check_painting(bench)
    figures: dict[str, list[list[float]]] = {name: [] for name in SCENES}
    for _ in range(rounds):
        for name, scene in SCENES.items():
            figures[name].append(bench.measure(scene(bench, frames)))
    bench.canvas.end_jobs()
    report({name: np.array(times) * 1000 for name, times in figures.items()})


def full_document() -> Document:
    """Return an image in which every pixel belongs to one of thousands of segments."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    pixels = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    ids = cells(rng)
    document = Document(ArrayImage(pixels))
    categories = (Category(0, "background", (0, 0, 0)), Category(1, "cell", distinct_colour(0)))
    layer = edits.add_layer(document, LayerState("Cells", "instance", categories))
    with document.edit("Fill") as edit:
        edit.set_segments(layer, {i: Segment(i, 1) for i in range(1, int(ids.max()) + 1)})
        edit.paint(layer, document.image.info.window, ids)
    return document


def cells(rng: np.random.Generator) -> np.ndarray:
    """Return the Voronoi cells of random points."""
    no_seed = np.ones((HEIGHT, WIDTH), np.uint8)
    no_seed[rng.integers(0, HEIGHT, SEGMENTS), rng.integers(0, WIDTH, SEGMENTS)] = 0
    _, ids = cv2.distanceTransformWithLabels(no_seed, cv2.DIST_L2, 5)
    return ids


def check_painting(bench: Bench) -> None:
    """Make sure that what is measured does what it should."""
    bench.look_at(1.0)
    bench.editor.set_tool("brush")
    before = bench.document.history.done
    bench.mouse(QEvent.Type.MouseButtonPress, 800, 500, held=True)
    bench.mouse(QEvent.Type.MouseButtonRelease, 800, 500, held=False)
    assert bench.document.history.done == before + 1, "the brush did not paint"
    bench.document.undo()


def pan(bench: Bench, frames: int, scale: float) -> Iterator[Callable[[], None]]:
    """Drag the image in circles."""
    bench.editor.set_tool("pan")
    bench.look_at(scale)
    bench.mouse(QEvent.Type.MouseButtonPress, 800, 500, held=True)
    for turn in np.linspace(0, 4 * np.pi, frames):
        x, y = 800 + 400 * np.sin(turn), 500 + 300 * np.sin(2 * turn)
        yield lambda x=x, y=y: bench.mouse(QEvent.Type.MouseMove, x, y, held=True)
    bench.mouse(QEvent.Type.MouseButtonRelease, x, y, held=False)


def zoom(bench: Bench, frames: int) -> Iterator[Callable[[], None]]:
    """Turn the wheel from all of the image to single pixels and back."""
    bench.canvas.fit()
    bench.settle(0.2)
    there = frames // 2
    notch = np.log(64 / bench.canvas.scale) / np.log(1.25) / there
    for number in range(2 * there):
        turned = notch if number < there else -notch
        yield lambda turned=turned: bench.wheel(700, 600, turned)


def paint(bench: Bench, frames: int, scale: float, radius: float) -> Iterator[Callable[[], None]]:
    """Draw one long stroke, and undo it."""
    bench.editor.set_tool("brush")
    bench.editor.set_radius(radius)
    bench.look_at(scale)
    yield lambda: bench.mouse(QEvent.Type.MouseButtonPress, 800, 500, held=True)
    for turn in np.linspace(0, 4 * np.pi, frames):
        x, y = 800 + 400 * np.sin(turn), 500 + 300 * np.sin(2 * turn)
        yield lambda x=x, y=y: bench.mouse(QEvent.Type.MouseMove, x, y, held=True)
    yield lambda: bench.mouse(QEvent.Type.MouseButtonRelease, x, y, held=False)
    yield lambda: bench.document.undo()


def with_contours(
    scene: Callable[[Bench, int], Iterator[Callable[[], None]]],
) -> Callable[[Bench, int], Iterator[Callable[[], None]]]:
    """Return a scene in which the layer shows contours."""

    def contoured(bench: Bench, frames: int) -> Iterator[Callable[[], None]]:
        edits.change_layer(bench.document, bench.layer.id, "Display", display="contour")
        yield from scene(bench, frames)
        edits.change_layer(bench.document, bench.layer.id, "Display", display="fill")

    return contoured


SCENES: dict[str, Callable[[Bench, int], Iterator[Callable[[], None]]]] = {
    "pan, 1:1": lambda bench, frames: pan(bench, frames, 1.0),
    "pan, 0.55:1": lambda bench, frames: pan(bench, frames, 0.55),
    "zoom": zoom,
    "paint, radius 20, 1:1": lambda bench, frames: paint(bench, frames, 1.0, 20),
    "paint, radius 200, 0.55:1": lambda bench, frames: paint(bench, frames, 0.55, 200),
    "pan, 1:1, contours": with_contours(lambda bench, frames: pan(bench, frames, 1.0)),
    "zoom, contours": with_contours(zoom),
}


def report(figures: dict[str, np.ndarray]) -> None:
    """Print the table; p95 with its least and greatest value of a round."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio()
    print(f"{VIEWPORT[0]} x {VIEWPORT[1]} at {ratio:g}x, {QGuiApplication.platformName()}\n")
    print(f"{'ms a frame':28}{'median':>8}{'p95':>8}{'(rounds)':>16}{'max':>8}")
    result: dict[str, object] = {}
    for name, times in figures.items():
        rounds = np.percentile(times, 95, axis=1)
        median, p95 = np.percentile(times, 50), np.percentile(times, 95)
        span = f"({rounds.min():.1f}..{rounds.max():.1f})"
        print(f"{name:28}{median:8.1f}{p95:8.1f}{span:>16}{times.max():8.1f}")
        result[name] = {
            "median_ms": round(float(median), 2),
            "p95_ms": round(float(p95), 2),
            "max_ms": round(float(times.max()), 2),
        }
    worst = max(float(np.percentile(times, 95)) for times in figures.values())
    longest = max(float(times.max()) for times in figures.values())
    print(
        f"\nworst p95 {worst:.1f} ms (goal {GOAL_MS:g}), "
        f"longest {longest:.1f} ms (limit {LIMIT_MS:g})"
    )
    print(json.dumps({"scenes": result, "p95_ms": round(worst, 2), "max_ms": round(longest, 2)}))


if __name__ == "__main__":
    main()
