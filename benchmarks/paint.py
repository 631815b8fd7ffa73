"""Time of a mouse move while painting a stroke, with a full overlay, on images of three sizes.

A move starts with the event and ends when its picture has been painted and handed to the display.
Beside it, with --napari PYTHON (an environment with ``pip install "napari[pyside6]"``), the same
strokes in napari's label layer: its paint call and the repainting of its canvas.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

import numpy as np
from _full_overlay import full_document
from _window import Bench
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

SIZES = 1000, 10_000, 100_000
DIAMETERS = 20, 100, 400
MOVES = 200
GOAL_MS = 4.0  # p99


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--napari", metavar="PYTHON", help="Python that has napari")
    given = parser.parse_args()
    rounds = 1 if given.quick else 5
    app = QApplication([])
    benches = {size: Bench(app, full_document(size, size)) for size in SIZES}
    times: dict[tuple[int, int], list[float]] = {}
    for _ in range(rounds):
        for diameter in DIAMETERS:
            for size, bench in benches.items():
                times.setdefault((size, diameter), []).extend(stroke(bench, diameter))
    for bench in benches.values():
        bench.canvas.end_jobs()
    report(times, napari(given.napari) if given.napari else {})


def stroke(bench: Bench, diameter: int) -> list[float]:
    """Paint a stroke of 200 moves, check it, undo it; return the seconds of each move."""
    document = bench.document
    bench.editor.set_tool("brush")
    bench.editor.set_radius(diameter / 2)
    bench.look_at(1.0)
    before = dict(document.layers[0].areas)
    bench.mouse(QEvent.Type.MouseButtonPress, 800, 500, held=True)
    turns = np.linspace(0, 2 * np.pi, MOVES)
    places = [(800 + 300 * np.sin(t), 500 + 200 * np.sin(2 * t)) for t in turns]
    steps = [
        lambda x=x, y=y: bench.mouse(QEvent.Type.MouseMove, x, y, held=True) for x, y in places
    ]
    times = bench.measure(iter(steps))
    bench.mouse(QEvent.Type.MouseButtonRelease, 800, 500, held=False)
    painted = document.history.last
    assert painted is not None and painted.name == "Brush stroke", "the brush did not paint"
    grown = [i for i, area in document.layers[0].areas.items() if area > before[i]]
    assert len(grown) == 1, "the stroke has to paint one segment"
    document.undo()
    assert document.layers[0].areas == before, "undo did not put everything back"
    return times


def napari(python: str) -> dict[int, dict[str, float]]:
    """Return napari's median and p99 in ms by diameter, measured by its own Python."""
    script = Path(__file__).with_name("_napari_paint.py")
    command = [python, str(script), *map(str, DIAMETERS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {int(d): found for d, found in json.loads(done.stdout.splitlines()[-1]).items()}


def report(times: dict[tuple[int, int], list[float]], peer: dict[int, dict[str, float]]) -> None:
    """Print the table and the JSON object."""
    print(f"{'ms a move':34}{'median':>8}{'p99':>8}{'max':>8}")
    result: dict[str, object] = {}
    worst = 0.0
    for (size, diameter), seconds in times.items():
        ms = np.array(seconds) * 1000
        median, p99 = (float(v) for v in np.percentile(ms, (50, 99)))
        worst = max(worst, p99)
        name = f"{size} x {size}, brush {diameter}"
        print(f"{name:34}{median:8.2f}{p99:8.2f}{ms.max():8.2f}")
        result[name] = {"median_ms": round(median, 3), "p99_ms": round(p99, 3)}
    for diameter, found in peer.items():
        ours = float(np.median(times[10_000, diameter])) * 1000
        print(
            f"napari, 10000 x 10000, brush {diameter:4} {found['median_ms']:8.2f}"
            f"{found['p99_ms']:8.2f}   ratio {found['median_ms'] / ours:.0f}"
        )
    print(f"\nworst p99 {worst:.2f} ms (goal {GOAL_MS:g})")
    print(json.dumps({"strokes": result, "napari": peer, "p99_ms": round(worst, 3)}))


if __name__ == "__main__":
    main()
