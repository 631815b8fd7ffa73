"""Time and memory of steps that can be undone: fills of a whole layer, and brush strokes.

Beside it, with --napari PYTHON (an environment with ``pip install napari``), fills of napari's
label layer of the same size, and their undo.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
from _full_overlay import full_document

from segdesk.core.geometry import Window
from segdesk.core.raster import capsule
from segdesk.engine import edits
from segdesk.engine.document import Document

SIZE, FILLS, STROKES = 10_000, 20, 1000
FILL_GOAL_MS, FILL_GOAL_MB = 50.0, 1.0
UNDO_GOAL_MS, STROKES_GOAL_MB = 1.0, 200.0


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200 strokes, not 1,000")
    parser.add_argument("--napari", metavar="PYTHON", help="Python that has napari")
    given = parser.parse_args()
    document = full_document(SIZE, SIZE)
    figures = {
        "fill": measure(document, fills(document)),
        "stroke": measure(document, strokes(document, 200 if given.quick else STROKES)),
    }
    peer = napari(given.napari) if given.napari else {}
    report(figures, peer)


def fills(document: Document) -> Iterator[Callable[[], None]]:
    """Fill the whole layer with one segment after the other."""
    layer = document.layers[0]

    def fill() -> None:
        with document.edit("Fill") as edit:
            segment_id = edits.segment_to_paint(edit, layer, 1)
            edit.paint(layer, document.image.info.window, segment_id)

    yield from [fill] * FILLS


def strokes(document: Document, count: int) -> Iterator[Callable[[], None]]:
    """Draw strokes of 30 moves with a brush of 40 pixels, each with a segment of its own."""
    layer, rng = document.layers[0], np.random.default_rng(0)
    inside = document.image.info.window
    for _ in range(count):
        path = rng.uniform(500, SIZE - 500, 2) + np.cumsum(rng.normal(0, 12, (30, 2)), axis=0)

        def stroke(path: np.ndarray = path) -> None:
            with document.edit("Brush stroke") as edit:
                segment_id = edits.segment_to_paint(edit, layer, 1)
                for start, end in pairwise(path):
                    window, mask = capsule(tuple(start), tuple(end), 20, inside)
                    edit.paint(layer, window, segment_id, mask)

        yield stroke


def measure(document: Document, steps: Iterator[Callable[[], None]]) -> dict[str, float]:
    """Return ms and MB of steps, made, undone, redone and undone again; all comes back."""
    before = freeze(document)
    process = psutil.Process()
    rss = process.memory_info().rss
    made = [timed(step) for step in steps]
    grown = process.memory_info().rss - rss
    held = sum(step.nbytes for step in document.history.steps[-len(made) :])
    after = freeze(document)
    undone = [timed(act) for act in [document.undo] * len(made)]
    assert freeze(document) == before, "undo did not put everything back"
    for _ in made:
        document.redo()
    assert freeze(document) == after, "redo did not make everything again"
    for _ in made:
        document.undo()
    return {
        "make_ms": float(np.median(made)),
        "make_max_ms": max(made),
        "undo_ms": float(np.median(undone)),
        "undo_max_ms": max(undone),
        "held_mb": held / len(made) / 2**20,
        "rss_mb": grown / len(made) / 2**20,
        "steps": len(made),
    }


def timed(act: Callable[[], object]) -> float:
    """Return the ms that an act takes."""
    start = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - start)


def freeze(document: Document) -> tuple[object, ...]:
    """Return the areas, and the ids of a part."""
    layer = document.layers[0]
    part = layer.planes[0].read(Window(4000, 4000, 1500, 1500)).tobytes()
    return dict(layer.areas), part, frozenset(layer.segments)


def napari(python: str) -> dict[str, float]:
    """Return napari's figures for fills, measured by its own Python."""
    script = Path(__file__).with_name("_napari_fill.py")
    done = subprocess.run([python, str(script)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def report(figures: dict[str, dict[str, float]], peer: dict[str, float]) -> None:
    """Print the table and the JSON object."""
    rows = {f"{name}, {int(f['steps'])} steps": f for name, f in figures.items()}
    if peer:
        rows[f"napari fill, {int(peer['steps'])} steps"] = peer
    print(
        f"{'a step':28}{'make ms':>9}{'max':>8}{'undo ms':>9}{'max':>8}{'held MB':>9}{'RSS MB':>8}"
    )
    for name, f in rows.items():
        print(
            f"{name:28}{f['make_ms']:9.2f}{f['make_max_ms']:8.1f}{f['undo_ms']:9.2f}"
            f"{f['undo_max_ms']:8.1f}{f['held_mb']:9.3f}{f['rss_mb']:8.2f}"
        )
    fill, stroke = figures["fill"], figures["stroke"]
    print(
        f"\nfill {fill['make_ms']:.1f} ms (goal {FILL_GOAL_MS:g}), {fill['held_mb']:.2f} MB"
        f" (goal {FILL_GOAL_MB:g}); undo of a stroke {stroke['undo_ms']:.2f} ms"
        f" (goal {UNDO_GOAL_MS:g}), 1,000 strokes {1000 * stroke['held_mb']:.0f} MB"
        f" (goal {STROKES_GOAL_MB:g})"
    )
    if peer:
        times, sizes = peer["make_ms"] / fill["make_ms"], peer["rss_mb"] / fill["held_mb"]
        print(f"napari takes {times:.0f} times as long and {sizes:.0f} times the memory for a fill")
    print(json.dumps(figures | ({"napari": peer} if peer else {})))


if __name__ == "__main__":
    main()
