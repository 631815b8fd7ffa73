"""Segmentations from index masks, and operations on them without a window."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import PromptError
from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, silent
from segdesk.core.segmentation import IGNORE, Category, Segment, Segmentation
from segdesk.engine.categories import categories_of, read_category
from segdesk.engine.document import Document
from segdesk.engine.example_files import sidecar_of
from segdesk.engine.images import read_mask
from segdesk.engine.json_reader import JsonReader
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.operations import operate
from segdesk.engine.regions import Target

_IGNORED = Category(IGNORE, "ignore", (128, 128, 128), is_thing=False)


def read_segmentation(mask: Path | str) -> Segmentation:
    """Return what an index mask holds.

    Parameters
    ----------
    mask
        An index PNG. With 8 bits it holds category ids, 0 is the background and 255 "ignore"; with
        16 bits instances of one category. The JSON that the ``png`` format writes beside it, if it
        is there, says otherwise, names the categories, and says which further files hold segments
        that overlap.

    Raises
    ------
    ImageError
        The mask cannot be read.
    PromptError
        It holds no ids, or does not fit its JSON.
    """
    mask = Path(mask)
    sidecar = sidecar_of(mask)
    values = read_mask(mask)
    if sidecar is None:
        if values.dtype == np.uint8:
            return _by_category([values], categories_of(np.unique(values).tolist()), None)
        return _by_segment([values], categories_of([1]), None)
    try:
        reader = JsonReader(sidecar, "it", mask.parent)
        categories = tuple(read_category(item) for item in reader.items("categories"))
        planes = [values, *(read_mask(file) for file in _others(sidecar, mask))]
        if sidecar["pixel"] == "category":
            return _by_category(planes, categories, reader.whole("nothing", 0))
        table = {item.whole("id"): item.whole("category") for item in reader.items("segments")}
        return _by_segment(planes, categories, table)
    except PromptError as error:
        beside = mask.with_suffix(".json")
        raise PromptError(f"{beside} does not fit its mask: {error}") from error


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


def _others(sidecar: dict[str, Any], mask: Path) -> list[Path]:
    """Return the files of the planes above the first one."""
    names = sidecar.get("planes", [mask.name])
    if not isinstance(names, list) or not all(
        isinstance(name, str) and Path(name).name == name for name in names
    ):
        raise PromptError("its planes are not names of files beside it.")
    return [mask.parent / name for name in names[1:]]


def _by_category(
    planes: list[NDArray[Any]], categories: tuple[Category, ...], nothing: int | None
) -> Segmentation:
    """Return a segment for each category; the ids of both are equal unless one is 0."""
    shift = 1 if nothing else 0
    planes = [
        np.where(values == (nothing or 0), 0, values.astype(np.int32) + shift) for values in planes
    ]
    present = {i - shift for i in _present(planes)}
    known = {category.id for category in categories}
    if IGNORE in present - known:
        categories, known = (*categories, _IGNORED), known | {IGNORE}
    if present - known:
        raise PromptError(f"no category has the id {min(present - known)}.")
    segments = {c + shift: Segment(c + shift, c) for c in sorted(present)}
    return Segmentation("semantic", _maps(planes), segments, categories)


def _by_segment(
    planes: list[NDArray[Any]], categories: tuple[Category, ...], table: dict[int, int] | None
) -> Segmentation:
    """Return a segment for each id; without a table all are of category 1."""
    present = _present(planes)
    category_of = dict.fromkeys(present, 1) if table is None else table
    missing = present - category_of.keys()
    if missing:
        raise PromptError(f"no segment has the id {min(missing)}.")
    segments = {i: Segment(i, category_of[i]) for i in sorted(present)}
    return Segmentation("instance", _maps(planes), segments, categories)


def _present(planes: list[NDArray[Any]]) -> set[int]:
    return {int(i) for values in planes for i in np.unique(values)} - {0}


def _maps(planes: list[NDArray[Any]]) -> tuple[LabelMap, ...]:
    if len({values.shape for values in planes}) > 1:
        raise PromptError("its planes differ in size.")
    return tuple(LabelMap.of_array(values) for values in planes)
