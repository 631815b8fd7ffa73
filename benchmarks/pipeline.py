"""A whole call: `segdesk.segment` beside transformers' pipeline for image segmentation.

SegFormer-B0 with 150 categories and Mask2Former with a tiny Swin, both with random weights, which
take as long as trained ones. All sides have their model loaded and get the same image:
transformers, SegDesk with PyTorch alone, as it runs by default (with OpenVINO, where that is
installed and gives the same labels), and in half precision, for which labels may differ by 2 %.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
import transformers
from PIL import Image

from segdesk.core.image import ArrayImage
from segdesk.core.progress import silent
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.engine.segment import segment
from segdesk.engine.sessions import Sessions

Made = tuple[Any, Any]


def segformer() -> Made:
    """Return a SegFormer-B0 for ADE20K and its processor."""
    config = transformers.SegformerConfig(num_labels=150)
    model = transformers.SegformerForSemanticSegmentation(config)
    return model, transformers.SegformerImageProcessor()


def mask2former() -> Made:
    """Return a Mask2Former with a tiny Swin for COCO, a third of its queries sure of a thing."""
    swin = transformers.SwinConfig(
        depths=[2, 2, 6, 2], out_features=["stage1", "stage2", "stage3", "stage4"]
    )
    config = transformers.Mask2FormerConfig(backbone_config=swin, num_labels=80, num_queries=100)
    model = transformers.Mask2FormerForUniversalSegmentation(config)
    with torch.no_grad():
        model.class_predictor.weight.mul_(30)
    size = {"height": 384, "width": 384}
    return model, transformers.Mask2FormerImageProcessor(size=size)


MODELS: dict[str, tuple[Callable[[], Made], str]] = {
    "SegFormer-B0": (segformer, "semantic"),
    "Mask2Former tiny": (mask2former, "instance"),
}
THRESHOLD = 0.05
SIDES = ("theirs", "plain", "exact", "half")
QUICK = {"SegFormer-B0": (1024, 2048), "Mask2Former tiny": (1024,)}  # pixels along a side
LEAST_EQUAL = 0.98  # of the labels in half precision


def picture(side: int) -> np.ndarray:
    """Return a photograph, (side, side, 3)."""
    photo = Image.fromarray(skimage.data.astronaut())
    return np.array(photo.resize((side, side), Image.Resampling.BICUBIC))


def measure(name: str, folder: Path, side: int, repeats: int) -> dict[str, Any]:
    """Compare all sides at one size; print a line of the table."""
    task = MODELS[name][1]
    rgb = picture(side)
    photo, source = Image.fromarray(rgb), ArrayImage(rgb, "astronaut")
    theirs = transformers.pipeline("image-segmentation", model=str(folder), device="cpu")
    settings = {} if task == "semantic" else {"threshold": THRESHOLD}
    options = registry().segmenter(task).options
    with Sessions(limit=3) as sessions:
        acts = {"theirs": partial(theirs, photo, subtask=task, **settings)}
        for way in SIDES[1:]:
            chosen = options(speed="plain" if way == "plain" else "exact", **settings)
            job = SegmentJob(task, str(folder), "cpu", options=chosen, half=way == "half")
            acts[way] = partial(segment, source, job, sessions=sessions)
        found, words = warm_up(acts)
        expected = acts["theirs"]()
        check(found["plain"], expected, task)
        check(found["exact"], expected, task, 5e-3)  # labels are equal, scores nearly
        if task == "semantic":
            check_half(found["half"], found["plain"])
        seconds: dict[str, list[float]] = {way: [] for way in SIDES}
        for _ in range(repeats):
            for way, act in acts.items():
                start = time.perf_counter()
                act()
                seconds[way].append(time.perf_counter() - start)
    mid = {way: statistics.median(taken) for way, taken in seconds.items()}
    cells = (
        f"{mid[way]:6.2f} {min(taken):6.2f}..{max(taken):<6.2f}" for way, taken in seconds.items()
    )
    faster = {way: mid["theirs"] / mid[way] for way in SIDES[1:]}
    print(
        f"{name:17} {side:5} {' '.join(cells)}"
        f" {' '.join(f'{times:6.1f}x' for times in faster.values())}"
        f" {len(found['plain'].segments):8}  {words}",
        flush=True,
    )
    row = {"model": name, "megapixels": side * side / 2**20, "default": words}
    return row | {f"{way}_s": mid[way] for way in SIDES} | {"times_faster": faster}


def warm_up(acts: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Let every side of SegDesk get ready; return what it finds, and how the default runs."""
    told: list[str] = []
    found = {}
    for way in SIDES[1:]:
        for _ in range(0 if way == "plain" else 2):  # the second of a size gets OpenVINO ready
            acts[way]()
        report = (lambda _, words: told.append(words)) if way == "exact" else silent
        found[way] = acts[way](report=report)
    ran = [words for words in told if words.startswith("Running the model")]
    return found, ran[-1].removeprefix("Running the model").strip() or "with PyTorch"


def check_half(half: Any, plain: Any) -> None:
    """Stop when too many labels differ in half precision."""
    ids = [result.planes[0].read(result.planes[0].window) for result in (half, plain)]
    equal = float((ids[0] == ids[1]).mean())
    if equal < LEAST_EQUAL:
        raise SystemExit(f"Only {equal:.2%} of the labels are equal in half precision.")


def check(found: Any, expected: list[dict[str, Any]], task: str, tolerance: float = 1e-4) -> None:
    """Stop when the two do not find the same."""
    if len(expected) != len(found.segments):
        raise SystemExit(f"{len(found.segments)} segments, not {len(expected)}.")
    if task == "semantic":
        names = {category.id: category.name for category in found.categories}
        areas = {names[found.segments[i].category]: n for i, n in found.planes[0].areas().items()}
        for segment_of in expected:
            area = np.count_nonzero(np.array(segment_of["mask"]))
            if abs(area - areas[segment_of["label"]]) > 1e-4 * max(area, 1e5):
                raise SystemExit(f"{segment_of['label']}: {areas[segment_of['label']]} not {area}.")
        return
    scores = [
        sorted(s.score for s in found.segments.values()),
        sorted(e["score"] for e in expected),
    ]
    np.testing.assert_allclose(*scores, atol=tolerance)


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and repeats")
    quick = parser.parse_args().quick
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    print(f"{'model':17} {'side':>5}", end="")
    print("".join(f" {way + ' s':>6} {'min..max':^14}" for way in SIDES), end="")
    print("".join(f" {way:>7}" for way in SIDES[1:]), f"{'segments':>8}  by default")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEGDESK_HOME"] = str(Path(folder) / "home")  # nothing is ready beforehand
        for name, (make, _) in MODELS.items():
            torch.manual_seed(0)
            model, processor = make()
            place = Path(folder) / name
            model.eval().save_pretrained(place)
            processor.save_pretrained(place)
            for side in QUICK[name] if quick else (1024, 2048, 4096):
                rows.append(measure(name, place, side, 2 if quick else 5))
    print(json.dumps({"pipeline": rows, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
