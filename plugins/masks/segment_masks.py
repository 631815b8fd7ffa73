"""One 8-bit PNG for each segment: 255 inside, 0 outside; overlaps and holes are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from segdesk_plugins.masks.pictures import read_png
from segdesk_plugins.masks.planes import category_of, tiles_of_segments

from segdesk.api import ExportError, ExportRequest, Report, Segment, Segmentation


def write(request: ExportRequest, report: Report) -> list[Path]:
    """Write ``STEM_masks/0001_CATEGORY.png`` and so on, numbered by segment id."""
    folder = request.folder / f"{request.stem}_masks"
    folder.mkdir()
    files = []
    for count, (segment, mask) in enumerate(masks_of(request.segmentation)):
        file = folder / _name(request.segmentation, segment)
        report(count / len(request.segmentation.segments), f"Writing {file.name}")
        Image.fromarray(mask).save(file, compress_level=3)
        files.append(file)
    return files


def check(request: ExportRequest, files: list[Path]) -> None:
    """Read every mask back and compare it with its segment."""
    for file, (_, mask) in zip(files, masks_of(request.segmentation), strict=True):
        if not np.array_equal(read_png(file, mask.shape, np.uint8), mask):
            raise ExportError(f"{file.name} did not read back as it was written.")


def losses(segmentation: Segmentation) -> list[str]:
    """Say that a mask knows its shape and the name of its category, and no more."""
    lost = ["scores, states, colours, and who made each segment"]
    if not segmentation.segments:
        lost.append("that there is no segment: no file is written")
    return lost


def masks_of(segmentation: Segmentation) -> Iterator[tuple[Segment, NDArray[np.uint8]]]:
    """Yield each segment, by id, with its (rows, columns) uint8 mask.

    The array is the same one every time; only the tiles that hold the segment are touched.
    """
    mask = np.zeros(segmentation.planes[0].window.shape, np.uint8)
    places = [(labels, tiles_of_segments(labels)) for labels in segmentation.planes]
    for segment_id, segment in sorted(segmentation.segments.items()):
        touched = [(labels, w) for labels, tiles in places for w in tiles.get(segment_id, ())]
        for labels, window in touched:
            mask[window.slices][labels.read(window) == segment_id] = 255
        yield segment, mask
        for _, window in touched:
            mask[window.slices] = 0


def _name(segmentation: Segmentation, segment: Segment) -> str:
    category = category_of(segmentation, segment)
    words = re.findall(r"\w+", category.name if category else f"category {segment.category}")
    return f"{segment.id:04}_{'-'.join(words)[:60] or segment.category}.png"
