"""Fills of napari's label layer; history.py runs it with the Python of another environment."""

import json
import time

import numpy as np
import psutil
from napari.layers import Labels

SIZE, FILLS = 10_000, 5


def main() -> None:
    """Print time and memory of a fill and its undo, as JSON."""
    layer = Labels(np.ones((SIZE, SIZE), np.int32))
    process = psutil.Process()
    rss = process.memory_info().rss
    made = [timed(lambda label=number + 2: layer.fill((5, 5), label)) for number in range(FILLS)]
    grown = process.memory_info().rss - rss
    undone = [timed(layer.undo) for _ in range(FILLS)]
    figures = {
        "make_ms": float(np.median(made)),
        "make_max_ms": max(made),
        "undo_ms": float(np.median(undone)),
        "undo_max_ms": max(undone),
        "held_mb": grown / FILLS / 2**20,
        "rss_mb": grown / FILLS / 2**20,
        "steps": FILLS,
    }
    print(json.dumps(figures))


def timed(act) -> float:  # noqa: ANN001 - any callable
    """Return the ms that an act takes."""
    start = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
