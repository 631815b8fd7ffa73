"""Quality and time of learning from strokes, beside scikit-image's trainable segmentation.

The strokes are simulated: each lies inside one category of the known truth. Both sides get the
same pixels and the same strokes, one after the other on each image, and both keep their features
between strokes. scikit-image's side is ``multiscale_basic_features`` with a random forest, as in
its own example of trainable segmentation.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program itself does

import cv2
import numpy as np
from numpy.typing import NDArray
from segdesk_plugins.scribble.training import stroke_targets
from skimage.feature import multiscale_basic_features
from skimage.future import fit_segmenter, predict_segmenter
from sklearn.ensemble import RandomForestClassifier

from segdesk.api import IGNORE, ArrayImage, Category, Scribble, SegmentRequest
from segdesk.engine.job import SegmentJob, make_request
from segdesk.engine.sessions import Sessions

DATA = Path(os.environ.get("SEGDESK_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
STROKES = 1, 3, 10  # a category
RADIUS, LENGTH = 2.0, 40  # of a stroke, pixels
RARE = 0.002  # a category that covers less of an image is neither painted nor counted
SIDES = "segdesk", "skimage"
GOAL_MS = 150.0  # a megapixel
LARGE = 3000, 4000

Array = NDArray[Any]


@dataclass(frozen=True)
class Scene:
    """An image with its truth, and strokes on it."""

    pixels: Array  # (rows, columns, bands) uint8
    truth: Array  # (rows, columns) uint8 category ids, 255 = ignore
    strokes: tuple[tuple[Scribble, ...], ...]  # one of each category at a time

    @property
    def megapixels(self) -> float:
        """Size of the image."""
        return self.truth.size / 1e6

    def request(self, count: int) -> SegmentRequest:
        """Return the question after ``count`` strokes of each category."""
        prompts = tuple(stroke for turn in self.strokes[:count] for stroke in turn)
        found = sorted({stroke.category for stroke in self.strokes[0]})
        categories = tuple(Category(i, f"category {i}", (40 * i, 200, 90)) for i in found)
        job = SegmentJob("scribble", prompts=prompts, categories=categories)
        return make_request(ArrayImage(self.pixels), job, image_key="image")


@dataclass(frozen=True)
class Outcome:
    """What one side made of one scene after some strokes."""

    iou: float
    ms: float  # features are known unless ``first``
    megapixels: float
    first: bool


Outcomes = dict[tuple[str, str, int], list[Outcome]]  # (data, side, strokes)


def main() -> None:
    """Measure, print tables, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer images")
    quick = parser.parse_args().quick
    warnings.filterwarnings("ignore", message=".*max_samples")  # of few pixels are very few
    data = {"nuclei": nuclei(6 if quick else 24), "dubai": dubai(2 if quick else 9)}
    run(data["nuclei"][0])  # loads and compiles whatever is loaded and compiled late
    outcomes: Outcomes = {}
    for name, scenes in data.items():
        for scene in scenes:
            for (side, count), outcome in run(scene).items():
                outcomes.setdefault((name, side, count), []).append(outcome)
    figures = report_quality(outcomes, data) | report_time(outcomes, data)
    figures |= report_large(3 if quick else 9)
    print(json.dumps(figures))


def nuclei(count: int) -> list[Scene]:
    """Return microscopy of nuclei and background."""
    return [
        make_scene(read(path), (ids > 0).astype(np.uint8))
        for path, ids in pairs(DATA / "nuclei", count)
    ]


def dubai(count: int) -> list[Scene]:
    """Return aerial images of water, land, road, building and vegetation."""
    return [
        make_scene(read(path), np.where(ids == 0, IGNORE, ids).astype(np.uint8))
        for path, ids in pairs(DATA / "satellite" / "dubai", count)
    ]


def pairs(folder: Path, count: int) -> Iterable[tuple[Path, Array]]:
    """Yield ``count`` images, evenly from all of a folder, with their masks."""
    paths = sorted((folder / "images").glob("*"))
    if not paths:
        raise SystemExit(f"No images in {folder}: set SEGDESK_TEST_DATA to the folder of real data")
    for path in paths[len(paths) // count // 2 :: len(paths) // count][:count]:
        mask = (folder / "labels" / path.name).with_suffix(".png")
        yield path, cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)


def read(path: Path) -> Array:
    """Return (rows, columns, 3) RGB, or one band if it is gray."""
    rgb = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return rgb[..., :1].copy() if (rgb == rgb[..., :1]).all() else rgb


def make_scene(pixels: Array, truth: Array) -> Scene:
    """Draw strokes on an image; rare categories become ignore."""
    ids, areas = np.unique(truth, return_counts=True)
    found = [
        int(i) for i, n in zip(ids, areas, strict=True) if i != IGNORE and n > RARE * truth.size
    ]
    truth = np.where(np.isin(truth, found), truth, IGNORE).astype(np.uint8)
    rng = np.random.default_rng(0)
    inner = {category: inside(truth == category) for category in found}
    strokes = [
        tuple(stroke(inner[category], category, rng) for category in found)
        for _ in range(max(STROKES))
    ]
    return Scene(pixels, truth, tuple(strokes))


def inside(mask: Array) -> tuple[Array, float]:
    """Return where the centre of a stroke stays off the edge, and the radius that allows it."""
    distance = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    for radius in (RADIUS, 1.0):
        if (distance > radius + 1).sum() > 100:
            return distance > radius + 1, radius
    return mask, 0.6


def stroke(inner: tuple[Array, float], category: int, rng: np.random.Generator) -> Scribble:
    """Return a curved path from a random place on, until it would leave its category."""
    mask, radius = inner
    rows, columns = np.nonzero(mask)
    start = rng.integers(len(rows))
    at = np.array([columns[start], rows[start]]) + 0.5
    path, angle = [at], rng.uniform(0, 2 * np.pi)
    for _ in range(LENGTH):
        angle += rng.normal(0, 0.15)
        at = at + np.array([np.cos(angle), np.sin(angle)])
        x, y = np.floor(at).astype(int)
        if not (0 <= x < mask.shape[1] and 0 <= y < mask.shape[0] and mask[y, x]):
            break
        path.append(at)
    return Scribble(np.array(path), radius, category)


def run(scene: Scene) -> dict[tuple[str, int], Outcome]:
    """Let both sides learn the same strokes, in turns."""
    sides = {"segdesk": Segdesk(scene), "skimage": Skimage(scene)}
    results: dict[tuple[str, int], Outcome] = {}
    for count in STROKES:
        request = scene.request(count)
        painted = check_strokes(scene, request)
        for name, side in sides.items():
            ms, found = timed(lambda side=side, r=request, p=painted: side(r, p))
            iou = mean_iou(found, scene.truth)
            results[name, count] = Outcome(iou, ms, scene.megapixels, count == STROKES[0])
    return results


def check_strokes(scene: Scene, request: SegmentRequest) -> Array:
    """Return the category of each painted pixel, -1 elsewhere; make sure that it is the true one.

    scikit-image learns from these very pixels, and from the pixels of the request.
    """
    painted = stroke_targets(request)
    known = painted >= 0
    assert (painted[known] == scene.truth[known]).all(), "a stroke leaves its category"
    assert set(np.unique(painted[known])) == set(np.unique(scene.truth)) - {IGNORE}
    assert np.array_equal(request.pixels, scene.pixels)
    return painted


class Segdesk:
    """The whole way from a request to the result's label map."""

    def __init__(self, scene: Scene) -> None:
        self._sessions = Sessions()
        self._job = SegmentJob("scribble")

    def __call__(self, request: SegmentRequest, painted: Array) -> Array:
        """Return the category of each pixel."""
        result = self._sessions.segment(self._job, request)
        return result.planes[0].read(request.window)


class Skimage:
    """Trainable segmentation."""

    def __init__(self, scene: Scene) -> None:
        self._pixels = scene.pixels
        self._features: Array | None = None

    def __call__(self, request: SegmentRequest, painted: Array) -> Array:
        """Return the category of each pixel."""
        if self._features is None:
            self._features = multiscale_basic_features(
                self._pixels,
                intensity=True,
                edges=False,
                texture=True,
                sigma_min=1,
                sigma_max=16,
                channel_axis=-1,
            )
        forest = RandomForestClassifier(
            n_estimators=50, n_jobs=-1, max_depth=10, max_samples=0.05, random_state=0
        )
        trained = fit_segmenter(painted + 1, self._features, forest)
        return predict_segmenter(self._features, trained) - 1


def mean_iou(found: Array, truth: Array) -> float:
    """Return the intersection over union, averaged over the categories of the truth."""
    known = truth != IGNORE
    found, truth = found[known], truth[known]
    shares = []
    for category in np.unique(truth):
        ours, theirs = found == category, truth == category
        shares.append((ours & theirs).sum() / (ours | theirs).sum())
    return float(np.mean(shares))


def report_quality(outcomes: Outcomes, data: dict[str, list[Scene]]) -> dict[str, float]:
    """Print mean IoU after some strokes."""
    print(f"\n{'mean IoU':10}{'images':>8}{'strokes':>9}" + columns(SIDES, "(min..max)", 18))
    figures = {}
    for name, scenes in data.items():
        for count in STROKES:
            row = f"{name:10}{len(scenes):8}{count:9}"
            for side in SIDES:
                values = [outcome.iou for outcome in outcomes[name, side, count]]
                row += f"{np.mean(values):12.3f}{span(values, 2):>18}"
                figures[f"iou_{side}_{name}_{count}"] = round(float(np.mean(values)), 4)
            print(row)
    return figures


def report_time(outcomes: Outcomes, data: dict[str, list[Scene]]) -> dict[str, float]:
    """Print the time from a stroke to the new prediction of the whole image."""
    print(f"\n{'ms, median':27}" + columns(SIDES, "(min..max)", 18) + f"{'ratio':>8}")
    figures = {}
    for name in data:
        for first in (True, False):
            times = {side: chosen(outcomes, side, first, name) for side in SIDES}
            row = f"{name + (', first stroke' if first else ', later strokes'):27}"
            for side in SIDES:
                values = [outcome.ms for outcome in times[side]]
                row += f"{statistics.median(values):12.0f}{span(values, 0):>18}"
                figures[f"ms_{'first' if first else 'later'}_{side}_{name}"] = round(
                    statistics.median(values), 1
                )
            print(f"{row}{time_ratio(times):8.1f}")
    print(f"\n{'ms per megapixel':27}" + columns(SIDES, "", 18))
    for name in (*data, ""):
        row = f"{(name or 'all') + ', later strokes':27}"
        for side in SIDES:
            rate = per_megapixel(chosen(outcomes, side, False, name))
            row += f"{rate:12.0f}{'':18}"
            figures["_".join(filter(None, ("ms_per_megapixel", side, name)))] = round(rate, 1)
        print(row)
    later = {side: chosen(outcomes, side, False) for side in SIDES}
    figures["time_ratio"] = round(time_ratio(later), 2)
    print(f"\nscikit-image takes {figures['time_ratio']:.1f} times as long (goal 10)")
    return figures


def chosen(outcomes: Outcomes, side: str, first: bool, name: str = "") -> list[Outcome]:
    """Return a side's outcomes of the first or the later strokes, of some data or all."""
    return [
        outcome
        for (data, whose, _), group in outcomes.items()
        for outcome in group
        if whose == side and outcome.first == first and name in ("", data)
    ]


def time_ratio(times: dict[str, list[Outcome]]) -> float:
    """Return how many times longer scikit-image takes: the median over the same strokes."""
    both = zip(times["segdesk"], times["skimage"], strict=True)
    return statistics.median(theirs.ms / ours.ms for ours, theirs in both)


def per_megapixel(times: list[Outcome]) -> float:
    """Return the time of all predictions over the size of all."""
    return sum(outcome.ms for outcome in times) / sum(outcome.megapixels for outcome in times)


def report_large(rounds: int) -> dict[str, float]:
    """Print SegDesk's time on a large synthetic image of two textures."""
    scene = large_scene()
    side = Segdesk(scene)
    times = []
    for number in range(rounds + 1):
        request = scene.request(1 + number % len(scene.strokes))
        painted = check_strokes(scene, request)
        times.append(timed(lambda r=request, p=painted: side(r, p))[0])
    first, later = times[0], times[1:]
    middle = statistics.median(later)
    rate = middle / scene.megapixels
    print(f"\n{LARGE[1]} x {LARGE[0]} pixels, RGB, segdesk")
    print(f"first stroke {first:.0f} ms; later ones {middle:.0f} ms {span(later, 0)}")
    print(f"{rate:.0f} ms per megapixel (goal {GOAL_MS:g})")
    return {
        "ms_first_segdesk_large": round(first, 1),
        "ms_later_segdesk_large": round(middle, 1),
        "ms_per_megapixel_segdesk_large": round(rate, 1),
    }


def large_scene() -> Scene:
    """Return blobs of one noise in another."""
    rng = np.random.default_rng(0)
    coarse = cv2.resize(rng.normal(size=(15, 20)), LARGE[::-1], interpolation=cv2.INTER_CUBIC)
    truth = (coarse > 0.2).astype(np.uint8)
    noise = rng.normal(120, 25, (*LARGE, 3)).astype(np.float32)
    smooth = 40 + 0.8 * cv2.GaussianBlur(noise, (0, 0), 2)
    pixels = np.where(truth[..., np.newaxis], smooth, noise)
    return make_scene(np.clip(pixels, 0, 255).astype(np.uint8), truth)


def timed(action: Callable[[], Array]) -> tuple[float, Array]:
    """Return how many milliseconds something takes, and what comes of it."""
    start = time.perf_counter()
    result = action()
    return 1000 * (time.perf_counter() - start), result


def columns(names: Sequence[str], extra: str, width: int) -> str:
    """Return the heads of columns that have another beside them."""
    return "".join(f"{name:>12}{extra:>{width}}" for name in names)


def span(values: Sequence[float], digits: int) -> str:
    """Return the least and the greatest."""
    return f"({min(values):.{digits}f}..{max(values):.{digits}f})"


if __name__ == "__main__":
    main()
