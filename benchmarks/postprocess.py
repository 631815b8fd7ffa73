"""How long it takes, and how much memory, from what a model says to a result at the image's size.

Both sides start from the same random answers: transformers' own post-processing, and what SegDesk
does instead. "Real-looking" scores are regions with borders, as of a trained model; "noise" is the
worst case. Both run in turn, in one process, after their results were compared. Peak memory is
that of a child process a side: its peak resident size, less what it held before.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import torch
import transformers
from torch.nn.functional import interpolate

from segdesk.core.upsample import winning_categories
from segdesk.ml.postprocess.contest import panoptic_segments
from segdesk.ml.postprocess.families import FAMILIES
from segdesk.ml.postprocess.instances import Limits, overlapping_instances
from segdesk.ml.postprocess.queries import QueryAnswer

CATEGORIES = 150
QUERIES = 100
THINGS = 80
GRID = (128, 128)
MASK2FORMER = FAMILIES["mask2former"]


@dataclass(frozen=True)
class Case:
    """One thing to do, in two ways."""

    name: str
    theirs: Callable[[], Any]
    ours: Callable[[], Any]
    differing: Callable[[Any, Any], int]  # pixels


def regions(count: int, seed: int = 0) -> torch.Tensor:
    """Return scores (categories, h, w) with some 40 regions of one category each."""
    random = np.random.default_rng(seed)
    seeds = random.uniform(0, GRID[0], (40, 2))
    rows, columns = np.indices(GRID)
    distances = (rows[..., None] - seeds[:, 0]) ** 2 + (columns[..., None] - seeds[:, 1]) ** 2
    region = random.integers(0, count, 40)[distances.argmin(-1)]
    scores = torch.from_numpy(random.normal(0, 0.5, (count, *GRID)).astype(np.float32))
    scores.scatter_add_(0, torch.from_numpy(region)[None], torch.full((1, *GRID), 8.0))
    return interpolate(interpolate(scores[None], scale_factor=0.5, mode="area"), GRID)[0]


def queries(noise: bool, seed: int = 0) -> SimpleNamespace:
    """Return a Mask2Former's answer: blobs of which a third is sure, or noise."""
    generator = torch.Generator().manual_seed(seed)
    kinds = torch.randn(1, QUERIES, THINGS + 1, generator=generator)
    sure = torch.arange(QUERIES) % 3 == 0
    kinds[0, :, -1] += torch.where(sure, 0.0, 12.0)
    kinds[0, sure, (torch.arange(QUERIES) % THINGS)[sure]] += 12
    masks = torch.randn(1, QUERIES, *GRID, generator=generator) * 3
    if not noise:
        place = torch.rand(QUERIES, 2, 1, 1, generator=generator) * GRID[0]
        rows, columns = torch.meshgrid(torch.arange(GRID[0]), torch.arange(GRID[1]), indexing="ij")
        distance = ((rows - place[:, 0]) ** 2 + (columns - place[:, 1]) ** 2).sqrt()
        radius = 6 + 14 * torch.rand(QUERIES, 1, 1, generator=generator)
        masks = (radius - distance)[None] + masks / 10
    return SimpleNamespace(class_queries_logits=kinds, masks_queries_logits=masks)


def semantic(noise: bool, side: int) -> Case:
    """Return the case of 150 categories."""
    scores = torch.randn(CATEGORIES, *GRID, generator=torch.Generator().manual_seed(1))
    scores = scores if noise else regions(CATEGORIES)
    processor = transformers.SegformerImageProcessor()
    outputs = SimpleNamespace(logits=scores[None])

    def theirs() -> Any:
        return processor.post_process_semantic_segmentation(outputs, [(side, side)])[0].numpy()

    def ours() -> Any:
        winners = np.empty((side, side), np.uint8)
        for first, band in winning_categories(scores.numpy(), (side, side)):
            winners[first : first + len(band)] = band
        return winners

    name = f"semantic, {'noise' if noise else 'real-looking'}"
    return Case(name, theirs, ours, lambda a, b: int((a != b).sum()))


def _answer(outputs: SimpleNamespace) -> QueryAnswer:
    kinds, masks = outputs.class_queries_logits[0], outputs.masks_queries_logits[0]
    return QueryAnswer(kinds, masks, MASK2FORMER.grid)


def instance(side: int) -> Case:
    """Return the case of instances: their flat map, our masks on crops with boxes."""
    outputs, processor = queries(noise=False), transformers.Mask2FormerImageProcessor()

    def theirs() -> Any:
        sizes = [(side, side)]
        return processor.post_process_instance_segmentation(outputs, target_sizes=sizes)[0]

    def ours() -> Any:
        return overlapping_instances(_answer(outputs), MASK2FORMER, Limits(), (side, side))

    def differing(theirs: Any, ours: Any) -> int:
        painted = np.full((side, side), -1)
        left = list(ours)
        for number, info in enumerate(theirs["segments_info"]):
            nearest = np.argmin([abs(region.score - info["score"]) for region in left])
            region = left.pop(int(nearest))
            painted[region.window.slices][region.mask] = number
        return int((painted != theirs["segmentation"].numpy()).sum()) + len(left) * side * side

    return Case("instance, 100 queries", theirs, ours, differing)


def panoptic(noise: bool, side: int) -> Case:
    """Return the case of things and stuff that compete."""
    outputs, processor = queries(noise), transformers.Mask2FormerImageProcessor()
    overlap = 0.01 if noise else 0.8

    def theirs() -> Any:
        return processor.post_process_panoptic_segmentation(
            outputs,
            target_sizes=[(side, side)],
            label_ids_to_fuse=set(),
            overlap_mask_area_threshold=overlap,
        )[0]["segmentation"].numpy()

    def ours() -> Any:
        limits = Limits(overlap=overlap)
        return panoptic_segments(_answer(outputs), MASK2FORMER, limits, (side, side)).ids

    name = f"panoptic, {'noise' if noise else '100 queries'}"
    return Case(name, theirs, ours, lambda a, b: int((a != b).sum()))


def pipeline_masks(side: int) -> Case:
    """Return the case of masks one by one, as transformers' pipeline makes them of a map."""
    outputs, processor = queries(noise=False), transformers.Mask2FormerImageProcessor()
    sizes = [(side, side)]

    def theirs() -> Any:
        (found,) = processor.post_process_instance_segmentation(outputs, target_sizes=sizes)
        ids = found["segmentation"].numpy()
        return [(ids == info["id"]) * 255 for info in found["segments_info"]]

    def ours() -> Any:
        return overlapping_instances(_answer(outputs), MASK2FORMER, Limits(), (side, side))

    return Case("instance masks one by one", theirs, ours, lambda a, b: len(a) != len(b))


MAKERS: dict[str, Callable[[int], Case]] = {
    "semantic real": lambda side: semantic(False, side),
    "semantic noise": lambda side: semantic(True, side),
    "instance": instance,
    "masks": pipeline_masks,
    "panoptic real": lambda side: panoptic(False, side),
    "panoptic noise": lambda side: panoptic(True, side),
}


def times(case: Case, repeats: int) -> tuple[list[float], list[float]]:
    """Return the seconds of both sides, taken in turn."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for act, noted in zip((case.theirs, case.ours), seconds, strict=True):
            start = time.perf_counter()
            act()
            noted.append(time.perf_counter() - start)
    return seconds


def peak_of(maker: str, side: int, whose: str) -> float:
    """Return the peak memory in MB of one side, in a process of its own."""
    command = [sys.executable, __file__, "--child", maker, str(side), whose]
    # Freed memory goes back to the system at once, or it would hide what is taken afterwards.
    env = os.environ | {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "262144"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else float("nan")


def child(maker: str, side: int, whose: str) -> None:
    """Print by how much one run raises the resident size of this process at most, in MB."""
    getattr(MAKERS[maker](64), whose)()  # what is loaded and made once does not count
    case, process = MAKERS[maker](side), psutil.Process()
    before = peak = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.0005):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = getattr(case, whose)()
    peak = max(peak, process.memory_info().rss)
    done.set()
    watcher.join()
    print((peak - before) / 2**20)
    del result


def measure(maker: str, side: int, repeats: int) -> dict[str, Any]:
    """Compare one case at one size; print a line of the table.

    Without repeats the run that is compared is the one that is timed.
    """
    case, found, once = MAKERS[maker](side), [], ([], [])
    for act, noted in zip((case.theirs, case.ours), once, strict=True):
        start = time.perf_counter()
        found.append(act())
        noted.append(time.perf_counter() - start)
    differing = case.differing(*found)
    found.clear()
    if differing > 1e-4 * side * side:
        raise SystemExit(f"{case.name} at {side}: {differing} pixels differ.")
    theirs, ours = times(case, repeats) if repeats else once
    mid = statistics.median(theirs), statistics.median(ours)
    memory = peak_of(maker, side, "theirs"), peak_of(maker, side, "ours")
    row = {
        "case": case.name,
        "megapixels": side * side / 2**20,
        "theirs_s": mid[0],
        "ours_s": mid[1],
        "ours_range_s": [min(ours), max(ours)],
        "times_faster": mid[0] / mid[1],
        "theirs_mb": memory[0],
        "ours_mb": memory[1],
        "differing_pixels": differing,
    }
    print(
        f"{case.name:27} {side:6} {mid[0]:9.3f} {min(theirs):8.3f}..{max(theirs):<8.3f}"
        f" {mid[1]:8.4f} {min(ours):8.4f}..{max(ours):<8.4f} {mid[0] / mid[1]:7.1f}x"
        f" {memory[0]:9.0f} {memory[1]:7.0f} {differing:6}",
        flush=True,
    )
    return row


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 and 16 megapixels, fewer repeats")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    if options.child:
        maker, side, whose = options.child
        child(maker, int(side), whose)
        return
    heads = ("case", "side", "theirs s", "min..max", "ours s", "min..max", "faster")
    print("{:27} {:>6} {:>9} {:^18} {:>8} {:^18} {:>8}".format(*heads), end="")
    print(f" {'MB':>9} {'MB':>7} {'differ':>6}")
    rows = []
    for maker in MAKERS:
        for side in sides_for(maker, options.quick):
            if side == 8192 and maker.startswith("semantic"):
                rows.append(measure_ours(maker, side))
                continue
            repeats = 3 if side < 4096 or not options.quick else 0
            rows.append(measure(maker, side, repeats))
    print(json.dumps({"postprocess": rows, "threads": torch.get_num_threads()}))


def sides_for(maker: str, quick: bool) -> list[int]:
    """Return the sizes; transformers takes up to a minute and 10 GB for the larger ones."""
    if not quick:
        return [1024, 2048, 4096, 8192]
    return [1024, 4096] if maker in ("semantic real", "instance", "panoptic real") else [1024]


def measure_ours(maker: str, side: int) -> dict[str, Any]:
    """Measure only what SegDesk does: transformers would need 38 GiB for it."""
    case = MAKERS[maker](side)
    start = time.perf_counter()
    case.ours()
    seconds, memory = time.perf_counter() - start, peak_of(maker, side, "ours")
    print(f"{case.name:27} {side:6} {'':28} {seconds:8.4f} {'':27} {'':9} {memory:7.0f}")
    row = {"case": case.name, "megapixels": side * side / 2**20}
    return row | {"ours_s": seconds, "ours_mb": memory}


if __name__ == "__main__":
    main()
