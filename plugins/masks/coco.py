"""COCO instances: compressed RLE, which keeps holes and overlaps to the pixel.

Source: "Data format" and "maskApi" of the COCO project. Every segment is written with
``iscrowd`` 0: trainers and evaluators leave crowds out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from segdesk_plugins.masks.runs import Spans, counts_of, spans_in, spans_of_segments

from segdesk.api import ExportError, ExportRequest, Report, Segmentation

MOST_PIXELS = 2**32 - 1  # the counts of an RLE have 32 bits


def write(request: ExportRequest, report: Report) -> list[Path]:
    """Write ``STEM_coco.json``."""
    info = request.info
    if info.width * info.height > MOST_PIXELS:
        raise ExportError(f"COCO holds images of up to {MOST_PIXELS} pixels; export it as png.")
    report(0, "Reading the segments")
    spans = spans_of_segments(request.segmentation.planes)
    report(0.5, "Writing the segments")
    image = {"id": 1, "file_name": Path(info.name).name, "width": info.width, "height": info.height}
    content = {
        "info": {"description": "Segments exported by SegDesk", "version": "1.0"},
        "licenses": [],
        "images": [image],
        "annotations": _entries(request, spans),
        "categories": [
            {"id": c.id, "name": c.name, "supercategory": "", "isthing": int(c.is_thing)}
            | {"color": list(c.colour)}
            for c in request.segmentation.categories
        ],
    }
    file = request.folder / f"{request.stem}_coco.json"
    file.write_text(json.dumps(content), "utf-8")
    return [file]


def check(request: ExportRequest, files: list[Path]) -> None:
    """Read the runs of every segment back and compare them with the segmentation."""
    (file,) = files
    entries = {e["id"]: e for e in json.loads(file.read_text("utf-8"))["annotations"]}
    spans = spans_of_segments(request.segmentation.planes)
    same = entries.keys() == spans.keys() and all(
        entry["category_id"] == request.segmentation.segments[segment_id].category
        and int(coco_mask.area(entry["segmentation"])) == entry["area"]
        and np.array_equal(spans_in(entry["segmentation"]["counts"]), spans[segment_id])
        for segment_id, entry in entries.items()
    )
    if not same:
        raise ExportError(f"{file.name} did not read back as it was written.")


def losses(segmentation: Segmentation) -> list[str]:
    """Say that states and provenance stay behind, and segments without pixels."""
    lost = ["states (proposed, accepted, rejected), and who made each segment"]
    held = {i for labels in segmentation.planes for i in labels.areas()}
    if segmentation.segments.keys() - held:
        lost.append("segments without a pixel")
    return lost


def _entries(request: ExportRequest, spans: dict[int, Spans]) -> list[dict[str, Any]]:
    size = [request.info.height, request.info.width]
    codes = _compressed(spans.values(), size)
    boxes = coco_mask.toBbox(codes).reshape(-1, 4)
    entries = []
    for (segment_id, runs), code, box in zip(spans.items(), codes, boxes, strict=True):
        segment = request.segmentation.segments[segment_id]
        entry = {
            "id": segment_id,
            "image_id": 1,
            "category_id": segment.category,
            "segmentation": {"size": size, "counts": code["counts"].decode("ascii")},
            "area": int((runs[:, 1] - runs[:, 0]).sum()),
            "bbox": box.tolist(),
            "iscrowd": 0,
        }
        entries.append(entry if segment.score is None else entry | {"score": segment.score})
    return entries


def _compressed(spans: Iterable[Spans], size: list[int]) -> list[dict[str, Any]]:
    height, width = size
    plain = [{"size": size, "counts": counts_of(runs, height * width)} for runs in spans]
    codes: list[dict[str, Any]] = coco_mask.frPyObjects(plain, height, width) if plain else []
    return codes
