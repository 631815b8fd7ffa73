"""Operations on index masks, without a window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, silent
from segdesk.core.segmentation import IGNORE, Category, Segment, Segmentation
from segdesk.engine.document import Document
from segdesk.engine.example_files import sidecar_of
from segdesk.engine.images import read_mask
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.mask_files import read_segmentation
from segdesk.engine.operations import operate
from segdesk.engine.regions import Target

_IGNORED = Category(IGNORE, "ignore", (128, 128, 128), is_thing=False)


def read_with_ignored(mask: Path) -> Segmentation:
    """Return what an index mask shows, with "ignore" as a segment of its own, so that it stays.

    Raises ``ImageError`` and ``PromptError``, as ``read_segmentation`` does.
    """
    segmentation = read_segmentation(mask)
    ignored = read_mask(mask) == IGNORE if sidecar_of(mask) is None else np.zeros(0, np.bool_)
    if segmentation.task != "semantic" or not ignored.any():
        return segmentation
    plane = segmentation.planes[0].snapshot()
    plane.write(plane.window, IGNORE, ignored)
    return replace(
        segmentation,
        planes=(plane,),
        segments=segmentation.segments | {IGNORE: Segment(IGNORE, IGNORE)},
        categories=(*segmentation.categories, _IGNORED),
    )


def edit_segmentation(
    segmentation: Segmentation, steps: Iterable[tuple[str, Any]], report: Report = silent
) -> Segmentation:
    """Return a segmentation after some operations, one after the other.

    Parameters
    ----------
    segmentation
        Stays as it is.
    steps
        (id of an operation, its options or None), as in ``segdesk.engine.operations``. Pixels of
        the category 255, "ignore", are left alone.

    Raises
    ------
    SegdeskError
        An operation is unknown, or refuses.
    """
    layer = Layer.of(
        1, LayerState("mask", segmentation.task, segmentation.categories), segmentation
    )
    document = Document(_image_of(segmentation.planes[0]))
    document.put_layers((layer,))
    for operation_id, options in steps:
        kept = frozenset(i for i, s in layer.segments.items() if s.category != IGNORE)
        chosen = None if len(kept) == len(layer.segments) else kept
        operate(document, operation_id, Target(layer.id, chosen), options, report)
    return layer.segmentation()


def _image_of(labels: LabelMap) -> ArrayImage:
    """Return an image of a label map's size that takes no memory."""
    shape = labels.frames, labels.height, labels.width, 1
    return ArrayImage(np.broadcast_to(np.uint8(0), shape), "mask")
