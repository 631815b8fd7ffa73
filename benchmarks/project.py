"""The project file: strokes kept a second, latency from an edit to the disk, size, time to open.

Beside it, in turns, the way of most programs: the whole label map written anew at each save, as a
NumPy file by way of a temporary name.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo, Pixels
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.engine import edits, proposals
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project

CELL = Category(1, "cell", (230, 159, 0))
STATE = LayerState("Cells", "instance", (CELL,))
BRUSH = 100  # pixels
GOAL_KEPT_MS, GOAL_OPEN_MS = 200.0, 300.0


class Blank:
    """An image of any size with nothing on it."""

    def __init__(self, side: int) -> None:
        self.info = ImageInfo("blank", side, side, 1, "uint8", "virtual")

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return zeros."""
        return np.zeros((*window.shape, 1), np.uint8)

    def close(self) -> None:
        """Nothing to let go of."""


def main() -> None:
    """Measure, print tables, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small image, few strokes")
    quick = parser.parse_args().quick
    figures: dict[str, float] = {}
    with folder() as place:
        figures |= report_painting(place, strokes=60 if quick else 400, side=2000)
        figures |= report_opening(place, side=4096 if quick else 32_768, quick=quick)
    print(json.dumps(figures))


@contextmanager
def folder() -> Iterator[Path]:
    """Yield an empty folder; SegDesk's own folders are in it too."""
    with tempfile.TemporaryDirectory() as name:
        os.environ["SEGDESK_HOME"] = name
        yield Path(name)


def report_painting(place: Path, strokes: int, side: int) -> dict[str, float]:
    """Paint at full speed, then as by hand; print rate, latency and size."""
    path = place / "painted.segdesk"
    with Project() as project:
        document = project.add(Blank(side))
        edits.add_layer(document, STATE)
        project.save_as(path)
        seconds = timed(lambda: paint_all(project, document, strokes))
        rate = strokes / seconds
        kept, copied = latencies(project, document, place / "whole.npy", strokes // 2)
        expected = pixels(document)
    with open_project(path) as project:
        assert np.array_equal(pixels(project.document(1)), expected), "not as it was painted"
        assert len(project.document(1).history.names) == 1 + strokes + strokes // 2
    a_stroke = path.stat().st_size / (1.5 * strokes)
    print(f"\nstrokes of {BRUSH} x 300 pixels on {side} x {side}\n")
    print(f"{rate:.0f} strokes a second painted and kept, {a_stroke / 1000:.1f} kB a stroke\n")
    print(f"{'ms to the disk':20}{'p50':>8}{'p95':>8}{'max':>8}{'min':>8}")
    figures = {"strokes_per_s": round(rate, 1), "bytes_per_stroke": round(a_stroke)}
    for name, values in (("segdesk", kept), ("whole file", copied)):
        p50, p95 = np.percentile(values, [50, 95])
        print(f"{name:20}{p50:8.1f}{p95:8.1f}{max(values):8.1f}{min(values):8.1f}")
        figures[f"kept_ms_p95_{name.replace(' ', '_')}"] = round(float(p95), 2)
    print(f"\n(goal {GOAL_KEPT_MS:g} ms)")
    return figures | {"kept_ms_max_segdesk": round(max(kept), 2)}


def paint_all(project: Project, document: Document, strokes: int) -> None:
    """Paint as fast as it goes, and wait until all is kept."""
    rng = np.random.default_rng(0)
    for _ in range(strokes):
        stroke(document, rng)
    assert project.flush()


def latencies(
    project: Project, document: Document, whole: Path, strokes: int
) -> tuple[list[float], list[float]]:
    """Return the milliseconds from an edit to the disk, of the project and of the whole file."""
    rng = np.random.default_rng(1)
    kept, copied = [], []
    for _ in range(strokes):
        stroke(document, rng)
        kept.append(1000 * timed(project.flush))
        ids = pixels(document)
        copied.append(1000 * timed(lambda ids=ids: save_whole(ids, whole)))
    return kept, copied


def stroke(document: Document, rng: np.random.Generator) -> None:
    """Paint a new segment of the brush's width with a ragged edge, as a tool does."""
    info = document.image.info
    x, y = (int(rng.integers(0, size - 300)) for size in (info.width, info.height))
    where = rng.random((BRUSH, 300)) < np.linspace(1, 0.2, BRUSH)[:, np.newaxis]
    layer = document.layers[0]
    with document.edit("Brush stroke") as edit:
        segment = edits.segment_to_paint(edit, layer, 1)
        edit.paint(layer, Window(x, y, 300, BRUSH), segment, where)


def pixels(document: Document) -> np.ndarray[Any, Any]:
    """Return all ids of the first layer."""
    plane = document.layers[0].planes[0]
    return plane.read(plane.window)


def save_whole(ids: np.ndarray[Any, Any], path: Path) -> None:
    """Write a label map to a temporary name, to the disk, and rename it."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.save(file, ids)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def report_opening(place: Path, side: int, quick: bool) -> dict[str, float]:
    """Print size and time to open a large project with very many segments."""
    path = place / "large.segdesk"
    count = make_large(path, side, cell=64 if quick else 103)
    times, first = [], []
    for _ in range(5):
        start = time.perf_counter()
        project = open_project(path)
        layer = project.document(1).layers[0]
        times.append(1000 * (time.perf_counter() - start))
        first.append(1000 * timed(lambda p=layer.planes[0]: p.read(Window(0, 0, 1920, 1080))))
        assert len(layer.segments) == len(layer.areas) == count
        painted = sum(layer.areas.values())
        project.close()
    megabytes = path.stat().st_size / 1e6
    middle = statistics.median(times)
    print(f"\n{count} segments, {painted:.2g} pixels of them, {megabytes:.0f} MB\n")
    print(f"opened in {middle:.0f} ms ({min(times):.0f}..{max(times):.0f}; goal {GOAL_OPEN_MS:g})")
    print(f"first 1920 x 1080 pixels of it in {statistics.median(first):.0f} ms")
    return {
        "segments": count,
        "painted_pixels": painted,
        "large_mb": round(megabytes, 1),
        "open_ms": round(middle, 1),
        "first_view_ms": round(statistics.median(first), 1),
    }


def make_large(path: Path, side: int, cell: int) -> int:
    """Save one image full of cells; return how many."""
    across = -(-side // cell)
    labels = LabelMap(side, side)
    rows = np.arange(side, dtype=np.int32) // cell
    for column, row in labels.window.tiles(256):
        window = labels.tile_window((column, row, 0))
        part = rows[window.y : window.bottom, np.newaxis] * across + rows[window.x : window.right]
        labels.write(window, part + 1)
    segments = {i: Segment(i, 1) for i in range(1, across * across + 1)}
    with Project() as project:
        document = project.add(Blank(side))
        found = Segmentation("instance", (labels,), segments, (CELL,))
        proposals.add_proposal(document, found, "cells")
        project.save_as(path)
    return len(segments)


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds something takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
