"""Time from asking for a large image to its first and to its sharp picture, and peak memory.

Measured in a window that is complete and has been idle for two seconds, so without the start of
the program (that is start.py): from the call behind File > Open until the first frame in which all
of the canvas shows the image, however roughly, and until the one in which nothing is missing.
Memory is the peak of the process since its start, and what the processes hold that it has started.
"first" is the first time a file is opened; then overviews are made of those that have none, and
"again" is any later time.

Beside it napari, where NAPARI_PYTHON names a Python that has it
(python -m venv peer; peer/bin/pip install "napari[all]" imagecodecs zarr;
NAPARI_PYTHON=peer/bin/python).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from _large_images import large_images
from start import _screen

CHILD = Path(__file__).with_name("_open_child.py")
GOAL_MS, GOAL_MB = 200.0, 300.0
PATIENCE = 300  # seconds
FIGURES = {"first_s": 3, "sharp_s": 3, "mb": 0}  # and their digits

Runs = dict[tuple[str, str], list[dict[str, Any]]]


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller images, fewer rounds")
    quick = parser.parse_args().quick
    rounds = 2 if quick else 3
    images = large_images(quick)
    napari = os.environ.get("NAPARI_PYTHON")
    if not napari:
        print("napari is left out: NAPARI_PYTHON names no Python that has it")
    runs: Runs = {}
    with _screen() as environment, tempfile.TemporaryDirectory() as home:
        environment["SEGDESK_HOME"] = home
        for _ in range(rounds):
            shutil.rmtree(Path(home) / "cache", ignore_errors=True)
            for name, image in images.items():
                for when in ("first", "again"):
                    told = open_once("segdesk", sys.executable, image, environment)
                    runs.setdefault((name, when), []).append(told)
                if napari:
                    told = open_once("napari", napari, image, environment)
                    runs.setdefault((name, "napari"), []).append(told)
    report(runs)


def open_once(
    program: str, python: str, image: Path, environment: Mapping[str, str]
) -> dict[str, Any]:
    """Open an image in a program of its own; make sure that it was really on show."""
    done = subprocess.run(
        [python, str(CHILD), program, str(image)],
        capture_output=True,
        text=True,
        env=dict(environment),
        timeout=PATIENCE,
    )
    if not done.stdout:
        raise SystemExit(f"{program} did not open {image}: {done.stderr[-600:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if not told["red"]:
        raise SystemExit(f"{program}: the red band of {image} is not on show.")
    return told


def report(runs: Runs) -> None:
    """Print the table and the JSON object."""
    print(f"\n{'':22}{'':8}{'first picture':>24}{'sharp':>24}{'peak':>18}")
    result: dict[str, dict[str, float]] = {}
    for (name, when), found in runs.items():
        row, figures = f"{name:22}{when:8}", {}
        for figure, digits in FIGURES.items():
            values = [told[figure] for told in found]
            middle = figures[figure] = round(statistics.median(values), digits)
            unit = "MB" if figure == "mb" else "s"
            span = f"({min(values):.{digits}f}..{max(values):.{digits}f})"
            row += f"  {middle:.{digits}f} {unit} {span:>14}"
        print(row)
        result[f"{name} {when}"] = figures
    worst = [figures for name, figures in result.items() if is_with_overviews(name)]
    slowest, largest = max(f["sharp_s"] for f in worst), max(f["mb"] for f in worst)
    print(
        f"\nwith overviews: sharp after {slowest * 1000:.0f} ms at most (goal {GOAL_MS:g}),"
        f" {largest:.0f} MB (goal {GOAL_MB:g})"
    )
    print(json.dumps({"runs": result, "sharp_s": slowest, "mb": largest}))


def is_with_overviews(name: str) -> bool:
    """Say whether a row is of SegDesk and of an image that has overviews by then."""
    has_its_own = name.startswith(("pyramid", "sparse"))
    return name.endswith("again") or (has_its_own and name.endswith("first"))


if __name__ == "__main__":
    main()
