"""What there is to learn from: strokes on this image, and examples."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segdesk_plugins.scribble.classifier import Sample
from segdesk_plugins.scribble.features import Pyramid

from segdesk.api import (
    IGNORE,
    Category,
    Example,
    PromptError,
    Scribble,
    SegmentRequest,
)
from segdesk.core.raster import capsule

_UNPAINTED = -1
_STROKE_PIXELS, _EXAMPLE_PIXELS = 3000, 12_000  # drawn from all that is painted
_BALANCE = 0.5  # 0: each category counts the same; 1: as much as it covers

Targets = NDArray[np.int32]


@dataclass(frozen=True)
class Lesson:
    """An image with what is known of its pixels."""

    pyramid: Pyramid
    targets: Targets  # (rows, columns) category ids; -1 = unknown


def stroke_targets(request: SegmentRequest) -> Targets:
    """Return the category of each pixel under a stroke: of the last one; ignore takes back."""
    window = request.window
    targets = np.full(window.shape, _UNPAINTED, np.int32)
    for stroke in request.prompts:
        if isinstance(stroke, Scribble):
            category = _UNPAINTED if stroke.category == IGNORE else stroke.category
            path = stroke.xy if len(stroke.xy) > 1 else np.repeat(stroke.xy, 2, 0)
            for start, end in pairwise(path.tolist()):
                part, mask = capsule((start[0], start[1]), (end[0], end[1]), stroke.radius, window)
                targets[part.shifted(-window.x, -window.y).slices][mask] = category
    return targets


def example_targets(example: Example) -> Targets:
    """Return the category of each pixel of an example; instances are of category 1.

    Raises ``PromptError`` when nothing can be learned from it.
    """
    labels = example.labels
    if labels.shape != example.pixels.shape[:2]:
        rows, columns = example.pixels.shape[:2]
        raise PromptError(
            f"{example.name}: the mask has {labels.shape[1]} x {labels.shape[0]} pixels,"
            f" its image {columns} x {rows}; they must be equal."
        )
    if example.holds_instances:
        return (labels > 0).astype(np.int32)
    targets = np.where(labels == IGNORE, _UNPAINTED, labels).astype(np.int32)
    if (targets == _UNPAINTED).all():
        raise PromptError(f"{example.name}: the mask says ignore everywhere; paint some of it.")
    return targets


def check_categories(found: set[int], known: tuple[Category, ...]) -> None:
    """Raise ``PromptError`` unless there are two categories or more, all of them known."""
    if not found:
        raise PromptError("Nothing is painted inside the image: paint a stroke on each category.")
    if len(found) == 1:
        raise PromptError(
            "Only one category is painted: paint a stroke on something else too, such as"
            " background."
        )
    unknown = found - {category.id for category in known} - {0}
    if known and unknown:
        numbers = ", ".join(str(number) for number in sorted(unknown))
        raise PromptError(f"There is no category {numbers}: add it to the categories first.")


def draw(lessons: list[Lesson], categories: NDArray[Any], balance_by_area: bool) -> Sample:
    """Return pixels drawn from all lessons.

    Parameters
    ----------
    categories
        Sorted ids of all that is painted.
    balance_by_area
        Whether how much is painted of a category says how common it is: so in examples.
    """
    random = np.random.default_rng(0)
    features, targets = [], []
    totals = np.zeros(len(categories))
    pixels = _EXAMPLE_PIXELS if balance_by_area else _STROKE_PIXELS
    share = pixels // (len(categories) * len(lessons)) + 1
    for lesson in lessons:
        painted = np.flatnonzero(lesson.targets != _UNPAINTED)
        of = lesson.targets.ravel()[painted]
        drawn = []
        for index, category in enumerate(categories):
            places = painted[of == category]
            totals[index] += len(places)
            if len(places) > share:
                places = random.choice(places, share, replace=False)
            drawn.append(places)
            targets.append(np.full(len(places), index))
        rows, columns = np.divmod(np.concatenate(drawn), lesson.targets.shape[1])
        features.append(lesson.pyramid.at(rows, columns))
    indices = np.concatenate(targets)
    wanted = (totals / totals.sum()) ** (_BALANCE if balance_by_area else 0.0)
    weights = (wanted / np.bincount(indices, minlength=len(categories)))[indices]
    return Sample(np.concatenate(features), indices, (weights / weights.mean()).astype(np.float32))
