"""How fast images of any size are segmented in tiles, and in how much memory.

A small convolutional network (19 categories, a score for 4 x 4 pixels) segments a texture of 1 to
256 megapixels, which is computed as it is read, so that the image itself takes no memory. Before
anything is timed, tiles and whole image are compared at 1 megapixel. Beside it runs MONAI's
``sliding_window_inference`` with the same tiles, overlap and network where it is installed
(``pip install monai``) and where its result fits: it holds image and scores of the whole. Each
measurement is a process of its own; peak memory is what it held at most, less what it held before,
and less the label map. "Bare" is the network alone on as many tiles.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np
import psutil
import torch
from torch import nn

from segdesk.api import Category, CategoryScores, ImageInfo, SegmenterSpec, Window
from segdesk.core.upsample import winning_categories
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.engine.resolve import segment_ids
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun

TILE, OVERLAP = 512, 128
CATEGORIES = tuple(Category(n, f"category {n}", (n, n, n), False) for n in range(1, 20))
MEGAPIXELS = 2**20
MONAI_LIMIT = 2**30  # bytes of its image and scores, more is not tried


class Texture:
    """An image that repeats one of 1024 x 1024 pixels."""

    def __init__(self, side: int) -> None:
        random = np.random.default_rng(0)
        small = random.integers(0, 256, (1024 // 64, 1024 // 64, 3)).repeat(64, 0).repeat(64, 1)
        noise = random.integers(-10, 10, small.shape)
        self._pixels = np.clip(small + noise, 0, 255).astype(np.uint8)
        self.info = ImageInfo("texture", side, side, 3, "uint8")

    def read(self, window: Window, level: int = 0, frame: int = 0) -> np.ndarray:
        """Return the pixels of a window."""
        rows = np.arange(window.y, window.bottom) % 1024
        columns = np.arange(window.x, window.right) % 1024
        return self._pixels[np.ix_(rows, columns)]

    def close(self) -> None:
        """Nothing to let go of."""


class Network:
    """A session with a network of random weights, the same ones every time."""

    def __init__(self, *_: object) -> None:
        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for channels, wanted, stride in ((3, 16, 2), (16, 32, 2), (32, 32, 1)):
            layers += [nn.Conv2d(channels, wanted, 3, stride, 1), nn.ReLU()]
        last = nn.Conv2d(32, len(CATEGORIES), 1)
        self.layers = nn.Sequential(*layers, last).eval().requires_grad_(False)
        scores = self.scores(Texture(1024).read(Window(0, 0, TILE, TILE))).flatten(1)
        last.weight /= scores.std(1)[:, None, None, None]  # so that every category wins somewhere
        last.bias -= scores.mean(1)
        last.bias /= scores.std(1)

    def scores(self, rgb: np.ndarray) -> torch.Tensor:
        """Return (categories, h, w)."""
        with torch.inference_mode():
            return self.layers(tensor_of(rgb))[0]

    def segment(self, request: Any, report: Any) -> CategoryScores:
        """Answer for a window."""
        return CategoryScores(self.scores(request.rgb).numpy(), CATEGORIES)

    def close(self) -> None:
        """Nothing to let go of."""


def tensor_of(rgb: np.ndarray) -> torch.Tensor:
    """Return (1, 3, rows, columns) in 0..1."""
    return torch.from_numpy(rgb.transpose(2, 0, 1)[None].astype(np.float32) / 255)


def tiled(side: int) -> TiledRun:
    """Segment in tiles; return the finished run."""
    registry().segmenters["bench"] = SegmenterSpec("bench", "", "semantic", Network, tile=TILE)
    run = TiledRun(Texture(side), SegmentJob("bench"), Tiling(overlap=OVERLAP))
    with Sessions() as sessions:
        run.go(sessions)
    return run


def bare(side: int) -> None:
    """Run the network alone on as many tiles."""
    registry().segmenters["bench"] = SegmenterSpec("bench", "", "semantic", Network, tile=TILE)
    count = len(TiledRun(Texture(side), SegmentJob("bench"), Tiling(overlap=OVERLAP)).plan)
    network, rgb = Network(), Texture(TILE).read(Window(0, 0, TILE, TILE))
    for _ in range(count):
        network.scores(rgb)


def monai(side: int) -> np.ndarray:
    """Segment as MONAI does, and scale the scores up in bands as one would."""
    from monai.inferers import sliding_window_inference

    image = tensor_of(Texture(side).read(Window(0, 0, side, side)))
    with torch.inference_mode():
        scores = sliding_window_inference(
            image, (TILE, TILE), 1, Network().layers, overlap=OVERLAP / TILE, mode="gaussian"
        )
    found = np.empty((side, side), np.uint8)
    for first, band in winning_categories(scores[0].numpy(), (side, side)):
        found[first : first + len(band)] = band
    return found


def differing(side: int) -> int:
    """Return in how many pixels tiles and whole image differ."""
    found = tiled(side).segmentation().planes[0]
    whole = Network().scores(Texture(side).read(Window(0, 0, side, side))).numpy()
    bands = [band for _, band in winning_categories(whole, (side, side))]
    wanted = segment_ids(CATEGORIES)[np.concatenate(bands)]
    assert len(np.unique(wanted)) > len(CATEGORIES) / 2, (
        "a label map of few categories proves little"
    )
    return int((found.read(found.window) != wanted).sum())


@contextmanager
def peak() -> Iterator[Callable[[], int]]:
    """Give the peak of the memory of this process since now, in bytes, once it is over."""
    process, done = psutil.Process(), threading.Event()
    start, most = process.memory_info().rss, 0

    def look() -> None:
        nonlocal most
        while not done.wait(0.002):
            most = max(most, process.memory_info().rss - start)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: most
    finally:
        done.set()
        thread.join()


def measure(what: str, side: int) -> dict[str, float]:
    """Return seconds and peak memory of one run, in this process."""
    work: Callable[[int], Any] = {"tiles": tiled, "bare": bare, "monai": monai}[what]
    work(TILE)
    with peak() as most:
        start = time.perf_counter()
        result = work(side)
        seconds = time.perf_counter() - start
    output = result.segmentation().planes[0].nbytes if what == "tiles" else 0
    if what == "monai":
        output = result.nbytes
    return {"seconds": seconds, "peak": max(0, most() - output), "output": output}


def measured(what: str, side: int, runs: int) -> dict[str, float]:
    """Return the medians of some runs, each in a process of its own."""
    command = [sys.executable, __file__, "--child", what, str(side)]
    found = [
        json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        for _ in range(runs)
    ]
    seconds = [each["seconds"] for each in found]
    return {
        "megapixels_per_second": side * side / MEGAPIXELS / statistics.median(seconds),
        "seconds": statistics.median(seconds),
        "least": min(seconds),
        "most": max(seconds),
        "peak_mib": statistics.median(each["peak"] for each in found) / 2**20,
        "output_mib": found[0]["output"] / 2**20,
    }


def fits_monai(side: int) -> bool:
    """Say whether MONAI is here, and its image and two sets of scores are not too much."""
    bytes_needed = side * side * (3 * 4 + 2 * 4 * len(CATEGORIES) / 16)
    return find_spec("monai") is not None and bytes_needed < MONAI_LIMIT


def main() -> None:
    """Print a table, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", nargs=2)
    parsed = parser.parse_args()
    if parsed.child:
        print(json.dumps(measure(parsed.child[0], int(parsed.child[1]))))
        return
    wrong = differing(1024)
    print(f"tiles and whole image differ in {wrong} of 1048576 pixels")
    print(f"{'megapixels':>10} {'':<6} {'Mpx/s':>7} {'seconds (min..max)':>22} {'peak MiB':>9}")
    rows = []
    for megapixels in (1, 4, 16) if parsed.quick else (1, 4, 16, 64, 256):
        side = round((megapixels * MEGAPIXELS) ** 0.5)
        sides = ["tiles", "bare", *(["monai"] if fits_monai(side) else [])]
        for what in sides:
            row = measured(what, side, 1 if parsed.quick or megapixels > 16 else 3)
            rows.append({"megapixels": megapixels, "side": what, **row})
            spread = f"{row['seconds']:.2f} ({row['least']:.2f}..{row['most']:.2f})"
            speed = row["megapixels_per_second"]
            print(f"{megapixels:>10} {what:<6} {speed:>7.2f} {spread:>22} {row['peak_mib']:>9.0f}")
    if find_spec("monai") is None:
        print("MONAI is not installed (pip install monai): no comparison with it")
    print(json.dumps({"benchmark": "tiles", "differing_pixels": wrong, "rows": rows}))


if __name__ == "__main__":
    main()
