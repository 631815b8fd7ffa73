"""Index masks from files, as segmentations."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import PromptError
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import IGNORE, Category, Segment, Segmentation, State
from segdesk.engine.categories import categories_of, read_category
from segdesk.engine.example_files import sidecar_of
from segdesk.engine.images import read_mask
from segdesk.engine.json_reader import JsonReader

Labels = NDArray[Any]


def read_segmentation(mask: Path | str) -> Segmentation:
    """Return what an index mask shows.

    Parameters
    ----------
    mask
        An index PNG or TIFF. With 8 bits it holds category ids, 0 is nothing and 255 "ignore":
        each category becomes a segment. With 16 or more bits the ids are those of segments of one
        category. The JSON that the ``png`` format writes beside it, if it is there, says otherwise,
        and names the files of further planes.

    Raises
    ------
    ImageError
        The mask cannot be read.
    PromptError
        It is no index mask, a plane differs in size, or an id in it is not in its JSON.
    """
    mask = Path(mask)
    sidecar = sidecar_of(mask)
    if sidecar is None:
        return _plain(read_mask(mask))
    try:
        return _by_sidecar(mask, sidecar)
    except PromptError as error:
        beside = mask.with_suffix(".json")
        raise PromptError(f"{beside} does not fit its mask: {error}") from error


def _plain(values: Labels) -> Segmentation:
    if values.dtype == np.uint8:
        values = np.where(values == IGNORE, 0, values)
        ids = _ids_in(values)
        segments = {i: Segment(i, i) for i in ids}
        return Segmentation("semantic", (LabelMap.of_array(values),), segments, categories_of(ids))
    ids = _ids_in(values)
    segments = {i: Segment(i, 1) for i in ids}
    return Segmentation("instance", (LabelMap.of_array(values),), segments, categories_of([1]))


def _by_sidecar(mask: Path, sidecar: dict[str, Any]) -> Segmentation:
    reader = JsonReader(sidecar, "it", mask.parent)
    categories = tuple(read_category(item) for item in reader.items("categories"))
    segments = [_read_segment(item) for item in reader.items("segments")]
    planes = _read_planes(mask, sidecar.get("planes"))
    if sidecar["pixel"] == "segment":
        by_id = {segment.id: segment for segment in segments}
        _check_known(planes, set(by_id), "segment")
        return _segmentation("instance", planes, by_id, categories)
    nothing = reader.whole("nothing", 0)
    of_category = {s.category: s for s in reversed(segments)}  # the first one stands for all
    planes = [np.where(p == nothing, -1, p.astype(np.int32)) for p in planes]
    _check_known(planes, set(of_category), "category of a segment")
    table = np.zeros(max(of_category, default=0) + 2, np.int32)  # -1, nothing, is its last entry
    for category, segment in of_category.items():
        table[category] = segment.id
    by_id = {segment.id: segment for segment in of_category.values()}
    return _segmentation("semantic", [table[p] for p in planes], by_id, categories)


def _segmentation(
    task: Any, planes: list[Labels], segments: dict[int, Segment], categories: tuple[Category, ...]
) -> Segmentation:
    return Segmentation(task, tuple(map(LabelMap.of_array, planes)), segments, categories)


def _read_segment(item: JsonReader) -> Segment:
    score = item.take("score", "a number or null", lambda v: v is None or type(v) in (int, float))
    states = get_args(State)
    state = item.take("state", f"one of {', '.join(states)}", states.__contains__, "accepted")
    return Segment(item.whole("id", highest=2**31 - 1), item.whole("category"), score, state)


def _read_planes(mask: Path, names: Any) -> list[Labels]:
    """Return the mask and the planes that its JSON names after it."""
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    others = names[1:] if is_list and names[0] == mask.name else []
    if any(Path(name).name != name for name in others):
        raise PromptError("it names a plane in another folder.")
    planes = [read_mask(path) for path in (mask, *(mask.parent / name for name in others))]
    if any(plane.shape != planes[0].shape for plane in planes):
        raise PromptError("its planes differ in size.")
    return planes


def _check_known(planes: list[Labels], known: set[int], what: str) -> None:
    missing = {i for plane in planes for i in _ids_in(plane)} - known
    if missing:
        raise PromptError(f"no {what} has the id {min(missing)}.")


def _ids_in(values: Labels) -> list[int]:
    """Return the ids that occur, sorted, without 0 and what marks nothing."""
    return [i for i in np.unique(values).tolist() if i > 0]
