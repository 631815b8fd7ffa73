"""Strokes in napari's label layer; paint.py runs it with the Python of another environment."""

import json
import sys
import time

import napari
import numpy as np

SIZE, MOVES = 10_000, 200


def main() -> None:
    """Print median and p99 of a move by diameter, as JSON."""
    rng = np.random.default_rng(0)
    viewer = napari.Viewer(show=True)
    block = rng.integers(1, 1600, (64, 64)).repeat(32, 0).repeat(32, 1)
    ids = np.tile(block, (-(-SIZE // 2048),) * 2)[:SIZE, :SIZE].astype(np.int32)
    layer = viewer.add_labels(ids)
    app = napari.qt.get_qapp()
    canvas = viewer.window._qt_viewer.canvas
    canvas.native.resize(1600, 1000)
    viewer.camera.center, viewer.camera.zoom = (SIZE / 2, SIZE / 2), 1
    found = {}
    for diameter in map(int, sys.argv[1:]):
        layer.brush_size = diameter
        times = []
        for turn in np.linspace(0, 2 * np.pi, MOVES):
            place = SIZE / 2 + 200 * np.sin(2 * turn), SIZE / 2 + 300 * np.sin(turn)
            start = time.perf_counter()
            layer.paint(place, 1700)
            canvas.native.update()
            app.processEvents()
            times.append(1000 * (time.perf_counter() - start))
        median, p99 = np.percentile(times, (50, 99))
        found[diameter] = {"median_ms": float(median), "p99_ms": float(p99)}
    print(json.dumps(found))
    viewer.close()


if __name__ == "__main__":
    main()
