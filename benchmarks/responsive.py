"""How long the window stands still while a model loads and runs, and while one scribbles.

The event loop is asked for a tick every few milliseconds; the longest wait for one is the longest
frame that a user could see. A tiny SegFormer with random weights is loaded and run in its worker
process, then strokes are drawn one after the other with the live segmenter answering.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from segdesk.core.prompts import Scribble
from segdesk.engine.registry import registry
from segdesk.gui.main_window import MainWindow

LIMIT_MS = 50.0
TICK_MS = 2
PATIENCE = 180  # seconds
WIDTH, HEIGHT = 1500, 1000
TINY_MODEL = """
import sys
from transformers import SegformerConfig, SegformerForSemanticSegmentation, SegformerImageProcessor
config = SegformerConfig(
    num_labels=7, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1],
    num_attention_heads=[1, 1, 1, 1], decoder_hidden_size=16,
)
SegformerForSemanticSegmentation(config).save_pretrained(sys.argv[1])
SegformerImageProcessor(size={"height": 512, "width": 512}).save_pretrained(sys.argv[1])
"""


class Pauses(QObject):
    """Notes how long each turn of the event loop takes."""

    def __init__(self) -> None:
        super().__init__()
        self._last = 0.0
        self._waits: list[float] = []
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)

    def watch(self, act: Callable[[], object], is_done: Callable[[], bool]) -> np.ndarray:
        """Act, and return the pauses in milliseconds until it is done."""
        self._waits, self._last = [], time.perf_counter()
        self._timer.start()
        act()
        end = time.monotonic() + PATIENCE
        while not is_done():
            QApplication.processEvents()
            time.sleep(0.0005)
            if time.monotonic() > end:
                raise SystemExit("It took too long.")
        self._timer.stop()
        return np.array(self._waits) * 1000

    def _on_tick(self) -> None:
        now = time.perf_counter()
        self._waits.append(now - self._last)
        self._last = now


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs and strokes")
    runs, strokes = (2, 5) if parser.parse_args().quick else (5, 20)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEGDESK_HOME"] = folder
        model, picture = _prepare(Path(folder))
        app = QApplication([])
        window = _open_window(app, picture)
        pauses = Pauses()
        found = {"idle": _idle(pauses)}
        found |= _model(pauses, window, str(model), runs)
        if "scribble" in registry().segmenters:
            found["live scribbling"] = _live(pauses, window, strokes)
        window.asking.may_discard = lambda: True
        window.close()
    _report(found)


def _prepare(folder: Path) -> tuple[Path, Path]:
    """Write a checkpoint and a picture."""
    model, picture = folder / "model", folder / "picture.png"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", TINY_MODEL, str(model)]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(0).integers(0, 40, (HEIGHT, WIDTH, 3))
    discs = np.where(np.hypot(rows % 200 - 100, columns % 200 - 100) < 60, 180, 60)
    Image.fromarray((discs[..., None] + noise).astype(np.uint8)).save(picture)
    return model, picture


def _open_window(app: QApplication, picture: Path) -> MainWindow:
    window = MainWindow()
    window.bench.opening.open_now(picture)
    window.show()
    while not (window.is_complete and window.canvas.is_sharp):
        app.processEvents()
    return window


def _idle(pauses: Pauses) -> np.ndarray:
    """Return the pauses while nothing happens: what the machine itself does."""
    end = time.monotonic() + 2
    return pauses.watch(lambda: None, lambda: time.monotonic() > end)


def _model(pauses: Pauses, window: MainWindow, model: str, runs: int) -> dict[str, np.ndarray]:
    segmenting = window.bench.segmenting
    segmenting.choice.choose("semantic")
    segmenting.choice.set_checkpoint(model)

    def is_done() -> bool:
        return not segmenting.is_running and window.bench.proposal is not None

    def run_again() -> np.ndarray:
        window.bench.reject()
        return pauses.watch(segmenting.run, is_done)

    first = pauses.watch(segmenting.run, is_done)
    again = np.concatenate([run_again() for _ in range(runs)])
    window.bench.reject()
    return {"model loads and runs": first, "model runs": again}


def _live(pauses: Pauses, window: MainWindow, strokes: int) -> np.ndarray:
    """Return the pauses while strokes follow each other, each as soon as the last is answered."""
    bench, editor = window.bench, window.editor
    bench.segmenting.choice.choose("scribble")
    editor.add_prompt(_stroke(0))  # has no answer: a category is missing
    found = []
    for number in range(1, strokes + 1):
        last, stroke = bench.proposal, _stroke(number)
        found.append(
            pauses.watch(
                lambda stroke=stroke: editor.add_prompt(stroke),
                lambda last=last: bench.proposal is not last and not bench.segmenting.is_busy,
            )
        )
    return np.concatenate(found)


def _stroke(number: int) -> Scribble:
    """Return a stroke on the background (even numbers) or on a disc."""
    x = 100 + 200 * (number // 2 % 7) if number % 2 else 20
    return Scribble(np.linspace((x, 90.0), (x + 30, 110.0), 20), 4.0, number % 2)


def _report(found: dict[str, np.ndarray]) -> None:
    print(f"{'pauses in ms':24}{'median':>8}{'p99':>8}{'longest':>9}{'over 50 ms':>12}")
    result = {}
    for name, waits in found.items():
        longest, p99 = float(waits.max()), float(np.percentile(waits, 99))
        over = int((waits > LIMIT_MS).sum())
        print(f"{name:24}{np.median(waits):8.1f}{p99:8.1f}{longest:9.1f}{over:12}")
        result[name.replace(" ", "_") + "_max_ms"] = round(longest, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
