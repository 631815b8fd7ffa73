"""Turns what a session answered for a window into label maps of the whole image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.api import SegmentRequest
from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, silent
from segdesk.core.segmentation import (
    Answer,
    Category,
    CategoryScores,
    Provenance,
    Segment,
    Segmentation,
    SegmentIds,
    SegmentMasks,
)
from segdesk.core.upsample import winning_categories

_DENSE = 2**24  # ids below it are counted in a table


def resolve(
    answer: Answer, request: SegmentRequest, provenance: Provenance, report: Report = silent
) -> Segmentation:
    """Return an answer on the scale of the image, its segments as proposals.

    Parameters
    ----------
    answer
        For ``request.window``; already checked.
    request
        What was asked.
    provenance
        Noted on every segment.
    report
        Progress and stop.
    """
    width, height = request.image_size or (request.window.right, request.window.bottom)
    plane = LabelMap(width, height, request.frames)
    if isinstance(answer, SegmentMasks):
        return _resolve_masks(answer, request, plane, provenance)
    if isinstance(answer, SegmentIds):
        return _resolve_ids(answer, request, plane, provenance)
    return _resolve_scores(answer, request, plane, provenance, report)


def segment_ids(categories: tuple[Category, ...]) -> NDArray[np.int32]:
    """Return the segment id of each category in a semantic result; 0 for the background.

    Id 0 always means nothing. A category whose id is 0 becomes nothing when it is called
    background; any other (ADE20K's wall) is a segment of its own, and then all ids move up by 1.
    """
    real = [not category.is_background for category in categories]
    shift = any(category.id == 0 and keep for category, keep in zip(categories, real, strict=True))
    ids = [
        (category.id + shift) if keep else 0
        for category, keep in zip(categories, real, strict=True)
    ]
    return np.array(ids, np.int32)


def present_ids(ids: NDArray[Any]) -> set[int]:
    """Return the ids, all 0 or more, that an array holds, but 0."""
    highest = int(ids.max(initial=0))
    if highest >= _DENSE:
        return set(np.unique(ids).tolist()) - {0}
    seen = np.zeros(highest + 1, np.bool_)
    seen[ids] = True
    return set(seen.nonzero()[0].tolist()) - {0}


def _resolve_scores(
    answer: CategoryScores,
    request: SegmentRequest,
    plane: LabelMap,
    provenance: Provenance,
    report: Report,
) -> Segmentation:
    ids = segment_ids(answer.categories)
    window = request.window
    plane.begin()
    for first_row, winners in winning_categories(answer.scores, window.shape):
        report(first_row / window.height, "Drawing the categories")
        band = ids[winners]
        strip = Window(window.x, window.y + first_row, window.width, len(band))
        plane.write(strip, band, None, request.frame)
    plane.commit()
    present = plane.areas()
    segments = {
        segment_id: Segment(segment_id, category.id, None, "proposed", provenance)
        for segment_id, category in zip(ids.tolist(), answer.categories, strict=True)
        if segment_id in present
    }
    return Segmentation("semantic", (plane,), segments, answer.categories)


def _resolve_ids(
    answer: SegmentIds, request: SegmentRequest, plane: LabelMap, provenance: Provenance
) -> Segmentation:
    plane.write(request.window, answer.ids, None, request.frame)
    present = plane.areas()
    segments = {
        int(segment.id): _proposal(segment, provenance)
        for segment in answer.segments
        if segment.id in present
    }
    return Segmentation(answer.task, (plane,), segments, answer.categories)


def _resolve_masks(
    answer: SegmentMasks, request: SegmentRequest, plane: LabelMap, provenance: Provenance
) -> Segmentation:
    """Put every mask on the first plane where it covers no other."""
    planes = [plane]
    segments: dict[int, Segment] = {}
    for region in answer.masks:
        if not region.mask.any():
            continue
        segment_id = len(segments) + 1
        place = region.window.shifted(request.window.x, request.window.y)
        frame = request.frame
        free = next((p for p in planes if not p.read(place, 0, frame)[region.mask].any()), None)
        if free is None:
            free = plane.emptied()
            planes.append(free)
        free.write(place, segment_id, region.mask, frame)
        segment = Segment(segment_id, region.category, region.score)
        segments[segment_id] = _proposal(segment, provenance)
    return Segmentation(answer.task, tuple(planes), segments, answer.categories)


def _proposal(segment: Segment, provenance: Provenance) -> Segment:
    """Return a segment with plain numbers, as a proposal."""
    return replace(
        segment,
        id=int(segment.id),
        category=int(segment.category),
        score=None if segment.score is None else float(segment.score),
        state="proposed",
        provenance=provenance,
    )
