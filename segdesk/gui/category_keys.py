"""Which digit key chooses which category."""

from __future__ import annotations

from segdesk.core.segmentation import Category


def key_of(categories: tuple[Category, ...], category_id: int) -> int | None:
    """Return the digit that chooses a category: 0 the background, 1 to 9 the first nine."""
    if category_id == 0:
        return 0
    ids = [category.id for category in categories if category.id]
    position = ids.index(category_id) + 1
    return position if position <= 9 else None


def category_of_key(categories: tuple[Category, ...], key: int) -> int | None:
    """Return the category that a digit chooses; None when there are fewer."""
    ids = [category.id for category in categories if category.id]
    if key == 0:
        return 0
    return ids[key - 1] if key <= len(ids) else None
