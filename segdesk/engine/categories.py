"""Categories by number, from JSON, and from several lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from segdesk.core.errors import PromptError
from segdesk.core.palette import distinct_colour
from segdesk.core.segmentation import IGNORE, Category, Colour
from segdesk.engine.json_reader import JsonReader


def categories_of(ids: Iterable[int]) -> tuple[Category, ...]:
    """Return a category named by its number for each id, sorted; "ignore" is none."""
    return tuple(
        Category(i, _default_name(i), _default_colour(i)) for i in sorted(set(ids) - {IGNORE})
    )


def merged(lists: Iterable[tuple[Category, ...]]) -> tuple[Category, ...]:
    """Return the categories of several lists, sorted by id; a real name wins over a number.

    Raises ``PromptError`` when one id has two names.
    """
    found: dict[int, Category] = {}
    for category in (category for categories in lists for category in categories):
        other = found.get(category.id, category)
        names = {other.name, category.name} - {_default_name(category.id)}
        if len(names) == 2:
            raise PromptError(
                f"Category {category.id} has two names: {' and '.join(sorted(names))}."
            )
        found[category.id] = other if other.name in names else category
    return tuple(found[key] for key in sorted(found))


def read_category(reader: JsonReader) -> Category:
    """Return a category from JSON. Raises ``PromptError``."""
    category_id = reader.whole("id")
    category = Category(
        category_id,
        reader.text("name"),
        reader.colour("colour", _default_colour(category_id)),
        reader.flag("is_thing", True),
    )
    reader.finish()
    return category


def category_as_json(category: Category) -> dict[str, Any]:
    """Return what ``read_category`` reads."""
    about = {"id": category.id, "name": category.name, "colour": list(category.colour)}
    return about | {"is_thing": category.is_thing}


def _default_name(category_id: int) -> str:
    return f"category {category_id}" if category_id else "background"


def _default_colour(category_id: int) -> Colour:
    return distinct_colour(max(0, category_id - 1))
