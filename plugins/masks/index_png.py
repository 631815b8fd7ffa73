"""Index PNG: the value of a pixel is its category (semantic) or its segment (otherwise)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from segdesk_plugins.masks.pictures import read_png
from segdesk_plugins.masks.planes import bands, colour_of

from segdesk.api import ExportError, ExportRequest, LabelMap, Report, Segmentation

HIGHEST_8_BIT = 254  # 255 is "ignore" in 8-bit masks
HIGHEST_16_BIT = 65535


@dataclass(frozen=True)
class Index:
    """How segments become pixel values."""

    values: NDArray[Any]  # pixel value by segment id, uint8 or uint16
    nothing: int  # value of pixels without a segment; 0 unless category 0 is among the segments

    def of(self, labels: LabelMap, band: Any) -> NDArray[Any]:
        """Return the (rows, columns) pixel values of a window."""
        return self.values[labels.read(band)]


def index_of(segmentation: Segmentation) -> Index:
    """Choose pixel values, and the smaller type that holds them. Raises ``ExportError``."""
    pixel = _pixel_values(segmentation)
    highest, has_zero = max(pixel.values(), default=0), 0 in pixel.values()
    limit = HIGHEST_16_BIT - has_zero
    if highest > limit:
        raise ExportError(
            f"An index PNG holds ids up to {limit}, and this result has {highest}; "
            "export it as coco or masks."
        )
    dtype = np.uint8 if highest <= HIGHEST_8_BIT else np.uint16
    nothing = int(np.iinfo(dtype).max) if has_zero else 0
    values = np.full(max(pixel, default=0) + 1, nothing, dtype)
    for segment_id, value in pixel.items():
        values[segment_id] = value
    return Index(values, nothing)


def write(request: ExportRequest, report: Report) -> list[Path]:
    """Write one PNG for each plane, and the JSON that says what the values mean."""
    segmentation, index = request.segmentation, index_of(request.segmentation)
    palette = _palette(segmentation, index.nothing)
    files = [request.folder / name for name in _plane_names(request)]
    for file, labels in zip(files, segmentation.planes, strict=True):
        pixels = np.empty(labels.window.shape, index.values.dtype)  # the encoder wants it whole
        for band in bands(labels):
            report(band.y / labels.height, f"Writing {file.name}")
            pixels[band.slices] = index.of(labels, band)
        picture = Image.fromarray(pixels)
        if pixels.dtype == np.uint8:
            picture.putpalette(palette)
        picture.save(file, compress_level=3)
    sidecar = request.folder / f"{request.stem}.json"
    sidecar.write_text(json.dumps(describe(request), indent=1), "utf-8")
    return [files[0], sidecar, *files[1:]]


def check(request: ExportRequest, files: list[Path]) -> None:
    """Read everything back and compare it with the segmentation."""
    segmentation, index = request.segmentation, index_of(request.segmentation)
    main, sidecar, *others = files
    for file, labels in zip([main, *others], segmentation.planes, strict=True):
        pixels = read_png(file, labels.window.shape, index.values.dtype)
        for band in bands(labels):
            if not np.array_equal(pixels[band.slices], index.of(labels, band)):
                raise ExportError(f"{file.name} did not read back as it was written.")
    if json.loads(sidecar.read_text("utf-8")) != describe(request):
        raise ExportError(f"{sidecar.name} did not read back as it was written.")


def losses(segmentation: Segmentation) -> list[str]:
    """Say that provenance stays behind, and which segments share a value."""
    lost = ["who made each segment, and when"]
    pixel = _pixel_values(segmentation)
    if len(set(pixel.values())) < len(pixel):
        lost.append("which segment a pixel is of, where several have one category")
    return lost


def describe(request: ExportRequest) -> dict[str, Any]:
    """Return the JSON that lies beside the PNG."""
    segmentation = request.segmentation
    return {
        "image": Path(request.info.name).name,
        "width": request.info.width,
        "height": request.info.height,
        "task": segmentation.task,
        "pixel": "category" if segmentation.task == "semantic" else "segment",
        "nothing": index_of(segmentation).nothing,
        "planes": _plane_names(request),
        "categories": [
            {"id": c.id, "name": c.name, "colour": list(c.colour), "is_thing": c.is_thing}
            for c in segmentation.categories
        ],
        "segments": [
            {"id": s.id, "category": s.category, "score": s.score, "state": s.state}
            for s in segmentation.segments.values()
        ],
    }


def _pixel_values(segmentation: Segmentation) -> dict[int, int]:
    if segmentation.task == "semantic":
        return {s.id: s.category for s in segmentation.segments.values()}
    return {segment_id: segment_id for segment_id in segmentation.segments}


def _plane_names(request: ExportRequest) -> list[str]:
    others = range(2, len(request.segmentation.planes) + 1)
    return [f"{request.stem}.png", *(f"{request.stem}_plane{number}.png" for number in others)]


def _palette(segmentation: Segmentation, nothing: int) -> list[int]:
    """Return 256 colours, flat; what stands for nothing is black."""
    colours = np.zeros((256, 3), np.uint8)
    if segmentation.task == "semantic":
        for category in segmentation.categories:
            if category.id <= HIGHEST_8_BIT:
                colours[category.id] = category.colour
    else:
        for segment in segmentation.segments.values():
            if segment.id <= HIGHEST_8_BIT:
                colours[segment.id] = colour_of(segmentation, segment)
    colours[nothing if nothing < len(colours) else 0] = 0
    return colours.ravel().tolist()
