"""Time and memory from the start of the process to the first painted frame of an image.

Beside SegDesk: a bare Qt window with the same picture, and other programs where an environment
variable names a Python that has them: LABELME_PYTHON, NAPARI_PYTHON. A virtual screen is started
where there is none; without Xvfb everything is drawn offscreen.
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
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

CHILD = Path(__file__).with_name("_first_frame.py")
PEERS = {"labelme": "LABELME_PYTHON", "napari": "NAPARI_PYTHON"}
GOAL_S, GOAL_MB = 0.35, 120.0
PATIENCE = 120  # seconds


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer starts")
    rounds = 5 if parser.parse_args().quick else 15
    pythons = _pythons()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in pythons}
    with _screen() as environment, tempfile.TemporaryDirectory() as folder:
        image = _write_image(Path(folder))
        environment["SEGDESK_HOME"] = folder
        for name, python in pythons.items():
            _check(name, _start(name, python, image, environment))  # also warms the caches
        for _ in range(rounds):
            for name, python in pythons.items():
                found[name].append(_start(name, python, image, environment))
    _report(found)


def _pythons() -> dict[str, str]:
    """Return the programs that can be started, each with its Python; say which cannot."""
    pythons = {"segdesk": sys.executable, "bare": sys.executable}
    for name, variable in PEERS.items():
        if python := os.environ.get(variable):
            pythons[name] = python
        else:
            print(f"{name} is left out: {variable} names no Python that has it")
    return pythons


@contextmanager
def _screen() -> Iterator[dict[str, str]]:
    """Yield an environment with a screen to draw on."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    if "DISPLAY" in environment or "QT_QPA_PLATFORM" in environment:
        yield environment
    elif program := shutil.which("Xvfb"):
        command = [program, "-displayfd", "1", "-screen", "0", "1600x1000x24"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert server.stdout is not None
        number = server.stdout.readline().decode().strip()
        try:
            yield {**environment, "DISPLAY": f":{number}"}
        finally:
            server.terminate()
            server.wait()
    else:
        yield {**environment, "QT_QPA_PLATFORM": "offscreen"}


def _write_image(folder: Path) -> Path:
    """Write a picture of 1024 x 768 pixels with a red disc in its middle."""
    rows, columns = np.mgrid[:768, :1024]
    waves = [127 + 100 * np.sin(rows / (20 + k) + columns / (30 - 5 * k)) for k in range(3)]
    pixels = np.stack(waves, axis=-1).astype(np.uint8)
    pixels[(rows - 384) ** 2 + (columns - 512) ** 2 < 150**2] = (255, 0, 0)
    path = folder / "picture.png"
    Image.fromarray(pixels).save(path)
    return path


def _start(name: str, python: str, image: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Start a program, and return how long its first frame took and what it holds then."""
    command = [python, str(CHILD), name, str(image)]
    start = time.time()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(environment),
    ) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise SystemExit(f"{name} did not start: {child.communicate()[1][-600:]}")
        memory = psutil.Process(child.pid).memory_info().rss
        rest, _ = child.communicate("end\n", timeout=PATIENCE)
    told = json.loads(line)
    return {
        "s": told["time"] - start,
        "mb": memory / 1e6,
        "unwanted": told["unwanted"],
        "platform": told["platform"],
        "red": json.loads(rest)["red"],
    }


def _check(name: str, outcome: dict[str, Any]) -> None:
    """Make sure that the picture was really on show, and that SegDesk loaded nothing heavy."""
    if not outcome["red"]:
        raise SystemExit(f"{name}: the first frame does not show the image.")
    if name == "segdesk" and outcome["unwanted"]:
        raise SystemExit(f"segdesk has loaded {', '.join(outcome['unwanted'])} at its start.")


def _report(found: dict[str, list[dict[str, Any]]]) -> None:
    print(f"\nfirst frame of 1024 x 768 pixels, {found['segdesk'][0]['platform']}\n")
    print(f"{'':12}{'s':>8}{'(min..max)':>16}{'MB':>8}{'(min..max)':>16}")
    result: dict[str, float] = {}
    for name, runs in found.items():
        row = f"{name:12}"
        for unit, digits in (("s", 2), ("mb", 0)):
            values = [run[unit] for run in runs]
            middle = statistics.median(values)
            span = f"({min(values):.{digits}f}..{max(values):.{digits}f})"
            row += f"{middle:8.{digits}f}{span:>16}"
            result[f"{name}_{unit}"] = round(middle, 3)
        print(row)
    print(
        f"\nsegdesk {result['segdesk_s']:.2f} s (goal {GOAL_S:g}), "
        f"{result['segdesk_mb']:.0f} MB (goal {GOAL_MB:g})"
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
