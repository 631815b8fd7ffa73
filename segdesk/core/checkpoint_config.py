"""What a model's configuration may ask for, and what it says of the model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segdesk.core.errors import CheckpointError

LARGEST_NUMBER = 2**20 - 1  # of anything: no model of images comes near
MOST_LAYERS = 1000
MOST_CATEGORIES = 2**16 - 1
LARGEST_INPUT = 2**14  # pixels in a row or column that a processor scales to

_DEPTH = re.compile(r"layers|depths?$|blocks|stages")
_ATTENTION = ("attn_implementation", "_attn_implementation", "_attn_implementation_internal")
_CATEGORIES = ("id2label", "label2id")
_TASKS = {
    "MaskFormerForInstanceSegmentation": ("semantic", "instance", "panoptic"),
    "ForUniversalSegmentation": ("semantic", "instance", "panoptic"),
    "ForSemanticSegmentation": ("semantic",),
    "ForInstanceSegmentation": ("instance",),
    "ForSegmentation": ("instance", "panoptic"),
    "ForImageSegmentation": ("prompted", "in-context"),
}
_PROMPTED = re.compile(r"Sam\w*Model")


def check_config(path: Path, config: dict[str, Any]) -> None:
    """Refuse what would make transformers fetch, run or allocate more than a folder holds.

    Raises ``CheckpointError`` that names the file and the entry.
    """
    for part in _parts(config):
        _check_foreign(path, part)
        _check_categories(path, part)
    if config.get("quantization_config"):
        raise CheckpointError(f"{path}: quantised weights cannot be used: take the full ones.")
    for key, number in _numbers(config):
        limit = MOST_LAYERS if _DEPTH.search(key) else LARGEST_NUMBER
        limit = MOST_CATEGORIES if key == "num_labels" else limit
        if abs(number) > limit:
            raise CheckpointError(f"{path}: {key} is {number}; no model has more than {limit}.")


def check_processor(path: Path, settings: dict[str, Any]) -> None:
    """Refuse a processor that would scale an image beyond all measure."""
    for part in _parts(settings):
        sizes = {key: value for key, value in part.items() if key.endswith("size")}
        for key, number in _numbers(sizes):
            if abs(number) > LARGEST_INPUT:
                raise CheckpointError(
                    f"{path}: {key} is {number} pixels; no model takes over {LARGEST_INPUT}."
                )


def tasks_of(config: dict[str, Any]) -> tuple[str, ...]:
    """Return what a model can be used for, as in ``SegmenterSpec.task``; empty when unknown."""
    made = config.get("architectures")
    for name in made if isinstance(made, list) else ():
        for ending, tasks in _TASKS.items():
            if str(name).endswith(ending):
                return tasks
        if _PROMPTED.fullmatch(str(name)):
            return ("prompted",)
    return ()


def category_names(config: dict[str, Any]) -> dict[int, str]:
    """Return the names of a model's categories by their ids; they have been checked."""
    names = config.get("id2label")
    return {int(key): str(name) for key, name in names.items()} if isinstance(names, dict) else {}


def _check_foreign(path: Path, part: dict[str, Any]) -> None:
    kernels = [str(part[key]) for key in _ATTENTION if "/" in str(part.get(key))]
    if kernels or part.get("fusion_config"):
        wanted = kernels[0] if kernels else "code that replaces parts of the model"
        raise CheckpointError(f"{path}: asks for {wanted}, which is foreign code.")
    if part.get("backbone") and not part.get("backbone_config"):
        raise CheckpointError(
            f"{path}: leaves its backbone {part['backbone']!r} to be fetched from elsewhere:"
            " save the model with its whole configuration."
        )


def _check_categories(path: Path, part: dict[str, Any]) -> None:
    """Refuse ids of categories that are no whole numbers from 0 up, and names that are no text."""
    names = part.get("id2label")
    if names is None:
        return
    if not isinstance(names, dict) or len(names) > MOST_CATEGORIES:
        raise CheckpointError(f"{path}: id2label is no table of at most {MOST_CATEGORIES} names.")
    for key, name in names.items():
        is_id = key.isascii() and key.isdigit() and len(key) < 6 and key == str(int(key))
        if not is_id or int(key) > MOST_CATEGORIES:
            raise CheckpointError(
                f"{path}: {key!r} is no id of a category: whole numbers from 0 to"
                f" {MOST_CATEGORIES} are, each once."
            )
        if not isinstance(name, str):
            raise CheckpointError(f"{path}: the name of category {key} is {name!r:.40}, no text.")


def _parts(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a configuration and all those inside it."""
    waiting: list[Any] = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting.extend(_known(key, value) for key, value in part.items())
        elif isinstance(part, list):
            waiting.extend(part)


def _known(key: str, value: Any) -> Any:
    """Return a part of a configuration, without what its model does not heed.

    MaskFormer's decoder names a backbone as DETR's does, and has none.
    """
    if key == "decoder_config" and isinstance(value, dict):
        return {**value, "backbone": None, "backbone_config": None}
    return value


def _numbers(config: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield (key, number) of all numbers; those in a list have the key of the list."""
    waiting: list[tuple[str, Any]] = list(config.items())
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict) and key not in _CATEGORIES:
            waiting.extend(value.items())
        elif isinstance(value, list):
            waiting.extend((key, item) for item in value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield key, value
