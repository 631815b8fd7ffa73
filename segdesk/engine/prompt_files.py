"""Prompts and their categories as JSON: what ``segdesk segment --prompt FILE`` reads.

::

    {"categories": [{"id": 1, "name": "cell", "colour": [230, 159, 0], "is_thing": true}],
     "prompts": [{"kind": "points", "xy": [[10.5, 20.5]], "positive": [true], "category": 1},
                 {"kind": "box", "x0": 5, "y0": 5, "x1": 40, "y1": 60, "category": 1},
                 {"kind": "scribble", "xy": [[3, 4], [9, 4]], "radius": 2, "category": 0},
                 {"kind": "mask", "path": "rough.png", "x": 0, "y": 0, "category": 1},
                 {"kind": "text", "phrase": "a red car", "category": 1}]}

Coordinates are (x, y) in pixels; (0, 0) is the top left corner of the top left pixel. Where the
file names no categories, those that the prompts use are called "category 1" and so on. ``positive``
may be left out (all true), ``category`` too (1), and so may the ``x`` and ``y`` of the top left
pixel of a mask (0); a mask is a picture inside the folder of the file, true where it is not 0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from segdesk.core.errors import PromptError
from segdesk.core.geometry import Window
from segdesk.core.prompts import Box, Mask, Points, Prompt, Scribble, Text
from segdesk.core.segmentation import Category
from segdesk.engine.categories import categories_of, category_as_json, read_category
from segdesk.engine.images import read_mask
from segdesk.engine.json_reader import JsonReader, short

Placed = Points | Box | Scribble | Mask | Text
"""A prompt for the image itself: all but examples."""


def read_prompts(path: Path) -> tuple[tuple[Placed, ...], tuple[Category, ...]]:
    """Return the prompts and categories of a JSON file. Raises ``PromptError``."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise PromptError(f"{path} could not be read: {reason}.") from error
    try:
        return prompts_from_json(text, path.parent)
    except PromptError as error:
        raise PromptError(f"{path}: {error}") from error


def prompts_from_json(
    text: str, folder: Path | None = None
) -> tuple[tuple[Placed, ...], tuple[Category, ...]]:
    """Return the prompts and categories that a JSON text holds.

    Parameters
    ----------
    text
        As shown at the top of this module.
    folder
        Where pictures of masks lie; without it there can be none.

    Raises
    ------
    PromptError
        When something is missing, unknown or of the wrong kind; the message says where.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PromptError(f"This is not JSON: {error}.") from error
    root = JsonReader(content, "the file", folder)
    prompts = tuple(_prompt(item) for item in root.items("prompts"))
    given = tuple(read_category(item) for item in root.items("categories", optional=True))
    root.finish()
    if len({category.id for category in given}) < len(given):
        raise PromptError("Two categories have the same id.")
    return prompts, given or categories_of(prompt.category for prompt in prompts)


def prompts_to_json(prompts: Iterable[Prompt], categories: Iterable[Category]) -> str:
    """Return the JSON text of points, boxes, scribbles and texts.

    Raises ``PromptError`` for masks and examples, which are pictures.
    """
    content = {
        "categories": [category_as_json(category) for category in categories],
        "prompts": [_as_json(prompt) for prompt in prompts],
    }
    return json.dumps(content, indent=1)


def _prompt(reader: JsonReader) -> Placed:
    kind = reader.text("kind")
    if kind not in _KINDS:
        raise reader.error(f"is of an unknown kind {short(kind)}; known: {', '.join(_KINDS)}")
    prompt = _KINDS[kind](reader, reader.whole("category", 1))
    reader.finish()
    return prompt


def _points(reader: JsonReader, category: int) -> Points:
    xy = reader.pairs("xy")
    positive = reader.flags("positive", [True] * len(xy))
    if len(positive) != len(xy):
        raise reader.error(f"has {len(xy)} points and {len(positive)} values of 'positive'")
    return Points(xy, positive, category)


def _box(reader: JsonReader, category: int) -> Box:
    x0, y0, x1, y1 = (reader.number(key) for key in ("x0", "y0", "x1", "y1"))
    return Box(x0, y0, x1, y1, category)


def _scribble(reader: JsonReader, category: int) -> Scribble:
    return Scribble(reader.pairs("xy"), reader.number("radius"), category)


def _mask(reader: JsonReader, category: int) -> Mask:
    mask = read_mask(reader.file("path")) != 0
    x, y = (reader.whole(key, 0, highest=2**31 - 1) for key in ("x", "y"))
    return Mask(mask, Window(x, y, mask.shape[1], mask.shape[0]), category)


def _text(reader: JsonReader, category: int) -> Text:
    return Text(reader.text("phrase"), category)


_KINDS: dict[str, Callable[[JsonReader, int], Placed]] = {
    "points": _points,
    "box": _box,
    "scribble": _scribble,
    "mask": _mask,
    "text": _text,
}


def _as_json(prompt: Prompt) -> dict[str, Any]:
    if isinstance(prompt, Points):
        values = {"xy": prompt.xy.tolist(), "positive": prompt.positive.tolist()}
    elif isinstance(prompt, Scribble):
        values = {"xy": prompt.xy.tolist(), "radius": prompt.radius}
    elif isinstance(prompt, Box):
        values = {"x0": prompt.x0, "y0": prompt.y0, "x1": prompt.x1, "y1": prompt.y1}
    elif isinstance(prompt, Text):
        values = {"phrase": prompt.phrase}
    else:
        raise PromptError("Masks and examples are pictures: give their files instead.")
    return {"kind": type(prompt).__name__.lower(), **values, "category": prompt.category}
