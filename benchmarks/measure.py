"""Time and memory to measure segments, beside scikit-image's ``regionprops_table``.

Both sides get the same ids and pixels and measure the same: area, perimeter, centroid, box,
diameter, eccentricity, solidity, and mean, min, max and std of a band. Each run is a process of
its own, one side after the other, so that peak memory can be told apart; the results are compared
before anything is counted. Ours reads ids from a tiled label map, theirs from an array; memory is
that of the ids as they are kept and of the peak above it, without the pixels.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import multiprocessing
import resource
import statistics
import time
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import regionprops_table

from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.measure import measure
from segdesk.core.segmentation import Segment, Segmentation

SIDE, ACROSS, RUNS = 8000, 100, 3
QUICK_SIDE, QUICK_ACROSS, QUICK_RUNS = 2000, 25, 1
SIDES = "segdesk", "skimage"
GRAIN = 64  # pixels of the random field that bends the outlines
COLUMNS = {  # ours by theirs, and what is to be added to theirs
    "label": ("id", 0.0),
    "area": ("area_px", 0.0),
    "perimeter": ("perimeter_px", 0.0),
    "centroid-0": ("centroid_y_px", 0.5),
    "centroid-1": ("centroid_x_px", 0.5),
    "bbox-0": ("bbox_y_px", 0.0),
    "bbox-1": ("bbox_x_px", 0.0),
    "equivalent_diameter_area": ("equivalent_diameter_px", 0.0),
    "eccentricity": ("eccentricity", 0.0),
    "solidity": ("solidity", 0.0),
} | {f"intensity_{kind}": (f"{kind}_band_1", 0.0) for kind in ("mean", "min", "max", "std")}

Array = NDArray[Any]


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller image, one run")
    quick = parser.parse_args().quick
    side, across = (QUICK_SIDE, QUICK_ACROSS) if quick else (SIDE, ACROSS)
    seconds: dict[str, list[float]] = {name: [] for name in SIDES}
    mebibytes: dict[str, list[float]] = {name: [] for name in SIDES}
    for _ in range(QUICK_RUNS if quick else RUNS):
        found = {name: _in_a_process(name, side, across) for name in SIDES}
        _check_equal(*(found[name][0] for name in SIDES))
        for name, (_, taken, peak) in found.items():
            seconds[name].append(taken)
            mebibytes[name].append(peak)
    _report(side, across, seconds, mebibytes)


def scene(side: int, across: int) -> tuple[Array, Array]:
    """Return ids, ``across`` x ``across`` bent cells with gaps between them, and pixels."""
    import cv2

    random = np.random.default_rng(0)
    bend = random.random((2, side // GRAIN, side // GRAIN)).astype(np.float32) - 0.5
    cell = side / across
    dx, dy = (cv2.resize(b, (side, side), interpolation=cv2.INTER_CUBIC) * cell for b in bend)
    y, x = (np.arange(side, dtype=np.float32)[:, None], np.arange(side, dtype=np.float32)[None])
    column, row = ((x + dx) / cell).clip(0, across - 1), ((y + dy) / cell).clip(0, across - 1)
    ids = (row.astype(np.int32) * across + column.astype(np.int32) + 1).astype(np.int32)
    ids[(column % 1 < 0.1) | (row % 1 < 0.1)] = 0
    return ids, random.integers(0, 256, (side, side), np.uint8)


def segdesk_side(ids: Array, pixels: Array) -> tuple[dict[str, Array], float, float]:
    """Return our columns, seconds and MiB."""
    labels = LabelMap.of_array(ids)
    segments = {int(i): Segment(int(i), 1) for i in np.unique(ids) if i}
    segmentation = Segmentation("instance", (labels,), segments, ())
    start, base = time.perf_counter(), _reset_peak()
    columns = measure(segmentation, ArrayImage(pixels)).columns
    taken, peak = time.perf_counter() - start, _peak() - base + labels.nbytes / 2**20
    return {theirs: columns[ours] for theirs, (ours, _) in COLUMNS.items()}, taken, peak


def skimage_side(ids: Array, pixels: Array) -> tuple[dict[str, Array], float, float]:
    """Return their columns, seconds and MiB."""
    names = [*{name.partition("-")[0] for name in COLUMNS}]
    start, base = time.perf_counter(), _reset_peak()
    columns = regionprops_table(ids, pixels, properties=names)
    taken, peak = time.perf_counter() - start, _peak() - base + ids.nbytes / 2**20
    return {name: columns[name] + shift for name, (_, shift) in COLUMNS.items()}, taken, peak


def _in_a_process(name: str, side: int, across: int) -> tuple[dict[str, Array], float, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (name, side, across))


def _run(name: str, side: int, across: int) -> tuple[dict[str, Array], float, float]:
    measure_it = segdesk_side if name == "segdesk" else skimage_side
    measure_it(*scene(300, 4))  # imports and caches
    return measure_it(*scene(side, across))


def _reset_peak() -> float:
    """Forget the peak so far, where the system can; return what is in use now, MiB."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # else the peak hides in what was freed before
    try:
        with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123 - it is no real file
            file.write("5")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return _status("VmRSS")


def _peak() -> float:
    try:
        return _status("VmHWM")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _status(key: str) -> float:
    with open("/proc/self/status") as file:  # noqa: PTH123 - it is no real file
        return next(int(line.split()[1]) for line in file if line.startswith(key)) / 1024


def _check_equal(ours: dict[str, Array], theirs: dict[str, Array]) -> None:
    for name in COLUMNS:
        np.testing.assert_allclose(ours[name], theirs[name], 1e-9, 1e-6, err_msg=name)


def _report(
    side: int, across: int, seconds: dict[str, list[float]], mebibytes: dict[str, list[float]]
) -> None:
    print(f"{across * across:,} segments on {side:,} x {side:,} pixels, all values equal")
    print(f"{'':10}{'seconds':>10}{'min':>8}{'max':>8}{'peak MiB':>10}")
    for name in SIDES:
        times, peak = seconds[name], statistics.median(mebibytes[name])
        middle = statistics.median(times)
        print(f"{name:10}{middle:10.2f}{min(times):8.2f}{max(times):8.2f}{peak:10.0f}")
    speed, memory = (
        statistics.median(numbers["skimage"]) / max(statistics.median(numbers["segdesk"]), 1e-9)
        for numbers in (seconds, mebibytes)
    )
    print(f"{speed:.1f} times as fast, 1/{memory:.1f} of the memory")
    summary = {"segments": across**2, "side": side, "seconds": seconds, "peak_mib": mebibytes}
    print(json.dumps({"benchmark": "measure", **summary, "speedup": speed, "memory_ratio": memory}))


if __name__ == "__main__":
    main()
