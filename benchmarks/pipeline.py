"""A whole call: `segdesk.segment` beside transformers' pipeline for image segmentation.

SegFormer-B0 with 150 categories and Mask2Former with a tiny Swin, both with random weights, which
take as long as trained ones. Both sides have their model loaded and get the same image.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
import transformers
from PIL import Image

from segdesk.core.image import ArrayImage
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


def picture(side: int) -> np.ndarray:
    """Return a photograph, (side, side, 3)."""
    photo = Image.fromarray(skimage.data.astronaut())
    return np.array(photo.resize((side, side), Image.Resampling.BICUBIC))


def measure(name: str, folder: Path, side: int, repeats: int) -> dict[str, Any]:
    """Compare both at one size; print a line of the table."""
    task = MODELS[name][1]
    rgb = picture(side)
    photo, source = Image.fromarray(rgb), ArrayImage(rgb, "astronaut")
    theirs = transformers.pipeline("image-segmentation", model=str(folder), device="cpu")
    settings = {} if task == "semantic" else {"threshold": THRESHOLD}
    options = registry().segmenter(task).options
    job = SegmentJob(task, str(folder), "cpu", options=options(**settings) if options else None)
    seconds: tuple[list[float], list[float]] = ([], [])
    with Sessions() as sessions:
        found = segment(source, job, sessions=sessions)
        check(found, theirs(photo, subtask=task, **settings), task)
        for _ in range(repeats):
            start = time.perf_counter()
            theirs(photo, subtask=task, **settings)
            middle = time.perf_counter()
            segment(source, job, sessions=sessions)
            seconds[0].append(middle - start)
            seconds[1].append(time.perf_counter() - middle)
    mid = tuple(statistics.median(side_seconds) for side_seconds in seconds)
    print(
        f"{name:17} {side:5} {mid[0]:8.2f} {min(seconds[0]):7.2f}..{max(seconds[0]):<7.2f}"
        f" {mid[1]:8.2f} {min(seconds[1]):7.2f}..{max(seconds[1]):<7.2f}"
        f" {mid[0] / mid[1]:6.1f}x {len(found.segments):8}",
        flush=True,
    )
    row = {"model": name, "megapixels": side * side / 2**20, "segments": len(found.segments)}
    return row | {"theirs_s": mid[0], "ours_s": mid[1], "times_faster": mid[0] / mid[1]}


def check(found: Any, expected: list[dict[str, Any]], task: str) -> None:
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
    np.testing.assert_allclose(*scores, atol=1e-4)


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="up to 4 megapixels, fewer repeats")
    quick = parser.parse_args().quick
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    heads = ("model", "side", "theirs s", "min..max", "ours s", "min..max", "faster", "segments")
    print("{:17} {:>5} {:>8} {:^16} {:>8} {:^16} {:>7} {:>8}".format(*heads))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, _) in MODELS.items():
            torch.manual_seed(0)
            model, processor = make()
            place = Path(folder) / name
            model.eval().save_pretrained(place)
            processor.save_pretrained(place)
            for side in [1024, 2048] if quick else [1024, 2048, 4096]:
                rows.append(measure(name, place, side, 3 if quick else 5))
    print(json.dumps({"pipeline": rows, "threads": torch.get_num_threads()}))


if __name__ == "__main__":
    main()
