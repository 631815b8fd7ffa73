"""Examples from files: an image and the index PNG of what it shows."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.display import default_display
from segdesk.core.errors import PromptError
from segdesk.core.prompts import Example
from segdesk.core.segmentation import IGNORE, Category
from segdesk.engine.categories import categories_of, read_category
from segdesk.engine.images import check_memory, open_image, read_mask
from segdesk.engine.json_reader import JsonReader

Labels = NDArray[Any]
Found = tuple[Labels, tuple[Category, ...], bool]  # labels, categories, do they hold instances?


def read_example(image: Path | str, mask: Path | str) -> Example:
    """Return an image with its mask as a prompt.

    Parameters
    ----------
    image
        Any image that can be opened.
    mask
        An index PNG of the same size. With 8 bits it holds category ids, 0 is the background and
        255 "ignore"; with 16 bits the instances of one category. The JSON that the ``png`` format
        writes beside it, if it is there, says otherwise and names the categories.

    Raises
    ------
    ImageError
        The image or the mask cannot be read.
    PromptError
        The two differ in size, the mask is empty, or an id in it is not in its JSON.
    """
    mask = Path(mask)
    labels = read_mask(mask)
    with closing(open_image(image)) as source:
        info = source.info
        if labels.shape != info.window.shape:
            raise PromptError(
                f"{mask} is {labels.shape[1]} x {labels.shape[0]} pixels, and its image {image} is"
                f" {info.width} x {info.height}: they must be equal."
            )
        check_memory(info, info.window)
        pixels = source.read(info.window)
    labels, categories, holds_instances = _understood(labels, mask)
    if not any(category.id for category in categories):
        raise PromptError(f"{mask} shows nothing: all its pixels are background or ignored.")
    rgb = default_display(info, pixels).apply(pixels)
    return Example(
        pixels, rgb, labels.astype(np.int32), categories, holds_instances, Path(image).name
    )


def _understood(labels: Labels, mask: Path) -> Found:
    sidecar = sidecar_of(mask)
    if sidecar is not None:
        try:
            return _by_sidecar(labels, sidecar)
        except PromptError as error:
            beside = mask.with_suffix(".json")
            raise PromptError(f"{beside} does not fit its mask: {error}") from error
    if labels.dtype == np.uint8:
        return labels, categories_of(np.unique(labels).tolist()), False
    return labels, categories_of([1] if labels.any() else []), True


def sidecar_of(mask: Path) -> dict[str, Any] | None:
    """Return the JSON beside a mask, if there is one that the ``png`` format wrote."""
    try:
        content = json.loads(mask.with_suffix(".json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    is_ours = isinstance(content, dict) and content.get("pixel") in ("category", "segment")
    return content if is_ours else None


def _by_sidecar(labels: Labels, sidecar: dict[str, Any]) -> Found:
    reader = JsonReader(sidecar, "it")
    categories = tuple(read_category(item) for item in reader.items("categories"))
    if sidecar["pixel"] == "category":
        nothing = reader.whole("nothing", 0)
        labels = np.where(labels == nothing, IGNORE, labels) if nothing else labels
        return labels, _present(categories, labels), False
    category_of = {item.whole("id"): item.whole("category") for item in reader.items("segments")}
    return _by_segment(labels, categories, category_of)


def _by_segment(
    labels: Labels, categories: tuple[Category, ...], category_of: dict[int, int]
) -> Found:
    """Return instances where all are of one category, else the category of every pixel."""
    ids = sorted(set(np.unique(labels).tolist()) - {0})
    missing = [i for i in ids if i not in category_of]
    if missing:
        raise PromptError(f"no segment has the id {missing[0]}.")
    table = np.zeros(max(ids, default=0) + 1, np.int32)
    table[ids] = [category_of[segment_id] for segment_id in ids]
    by_category = table[labels]
    present = _present(categories, by_category)
    things = tuple(category for category in present if category.id)
    if len(things) == 1:
        return labels, things, True
    return by_category, present, False


def _present(categories: tuple[Category, ...], labels: Labels) -> tuple[Category, ...]:
    """Return the categories of the ids in an array; each of them must be in the list."""
    by_id = {category.id: category for category in categories}
    found = []
    for category in categories_of(np.unique(labels).tolist()):
        if category.id and category.id not in by_id:
            raise PromptError(f"no category has the id {category.id}.")
        found.append(by_id.get(category.id, category))
    return tuple(found)
