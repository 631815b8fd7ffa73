"""The categories of a checkpoint: their names, colours, and which of them can be counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from segdesk.core.errors import UsageError
from segdesk.core.palette import distinct_colours
from segdesk.core.segmentation import Category, Task

_ENOUGH = 0.8  # of a checkpoint's names that a known set must have
_SETS = ("ade20k", "cityscapes", "coco", "pascal_voc")


@dataclass(frozen=True)
class KnownSet:
    """Published categories with their colours, things and stuff."""

    members: tuple[Category, ...]
    by_name: dict[str, Category]


def categories_of(config: Any, count: int, task: Task) -> tuple[Category, ...]:
    """Return the categories of a model in the order of its scores.

    Colours are those of ADE20K, Cityscapes, COCO or Pascal VOC when most names are from there;
    otherwise they are distinct, also for colour-blind eyes. In a panoptic result a category is a
    thing unless it is known to be stuff; in the others all are things, or none.
    """
    names = [str(config.id2label.get(index, f"category {index}")) for index in range(count)]
    colours = distinct_colours(count)
    plain = [
        Category(index, name, colour, task != "semantic")
        for index, (name, colour) in enumerate(zip(names, colours, strict=True))
    ]
    known = _known(names)
    return tuple(
        _dressed(category, like, task) for category, like in zip(plain, known, strict=True)
    )


def fused_categories(choice: str, categories: Sequence[Category]) -> frozenset[int]:
    """Return the ids of the categories all of whose segments become one.

    Parameters
    ----------
    choice
        "stuff", "none", "all", or names and ids with commas between.
    categories
        Those of the checkpoint.

    Raises
    ------
    UsageError
        When one is not among them.
    """
    if choice in ("", "none"):
        return frozenset()
    if choice in ("stuff", "all"):
        return frozenset(c.id for c in categories if choice == "all" or not c.is_thing)
    ids = {_key(category.name): category.id for category in categories}
    ids |= {str(category.id): category.id for category in categories}
    wanted = [_key(part) for part in choice.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in ids]
    if unknown:
        raise UsageError(f"The checkpoint has no category {unknown[0]!r} that could be fused.")
    return frozenset(ids[part] for part in wanted)


def _dressed(category: Category, like: Category | None, task: Task) -> Category:
    """Return a category with the colour, and the kind, of a known one."""
    if like is None:
        return category
    is_thing = like.is_thing if task == "panoptic" else category.is_thing
    return replace(category, colour=like.colour, is_thing=is_thing)


def _known(names: list[str]) -> list[Category | None]:
    """Return what each name stands for in the set that most names are from; None: unknown."""
    real = [_key(name) for name in names if _key(name) not in ("n/a", "background", "")]
    found = {name: sum(key in known_set(name).by_name for key in real) for name in _SETS}
    best = max(found, key=lambda name: (found[name], -len(known_set(name).members)))
    if not real or found[best] < _ENOUGH * len(real):
        return [None] * len(names)
    known = known_set(best)
    same_size = len(known.members) == len(names)
    return [
        known.by_name.get(_key(name), known.members[index] if same_size else None)
        for index, name in enumerate(names)
    ]


@cache
def known_set(name: str) -> KnownSet:
    """Return one of the published sets: "ade20k", "cityscapes", "coco" or "pascal_voc"."""
    text = (files("segdesk_resources") / "categories" / f"{name}.json").read_text("utf-8")
    members = tuple(
        Category(index, row["name"], tuple(row["colour"]), row["thing"])
        for index, row in enumerate(json.loads(text)["categories"])
    )
    return KnownSet(members, {_key(member.name): member for member in reversed(members)})


def _key(name: str) -> str:
    """Return the first of a name's synonyms, in plain spelling."""
    return name.replace(";", ",").split(",")[0].replace("_", " ").strip().lower()
