"""Answers requests: learns from all strokes and examples, then classifies every pixel."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from segdesk_plugins.scribble import Options
from segdesk_plugins.scribble.classifier import EXAMPLES, STROKES, PixelClassifier
from segdesk_plugins.scribble.features import Floats, Pyramid
from segdesk_plugins.scribble.instances import (
    DEFAULT_AREA,
    DEFAULT_EAGERNESS,
    Splitting,
    learn_splitting,
    split,
)
from segdesk_plugins.scribble.training import (
    Lesson,
    check_categories,
    draw,
    example_targets,
    stroke_targets,
)

from segdesk.api import (
    Category,
    Example,
    PromptError,
    Report,
    Scribble,
    Segment,
    SegmentIds,
    SegmentRequest,
    part,
)

_KEPT = 2 * 2**30  # bytes of pyramids kept for the next request


class ScribbleSession:
    """Keeps what it measured of the latest images, so that a new stroke is answered at once."""

    def __init__(self) -> None:
        self._pyramids: OrderedDict[Any, Pyramid] = OrderedDict()
        self._examples: tuple[Example, ...] = ()

    def segment(self, request: SegmentRequest, report: Report) -> SegmentIds:
        """Return the category, or the object, of every pixel of the request's window."""
        options = request.options or Options()
        examples = tuple(p for p in request.prompts if isinstance(p, Example))
        targets = stroke_targets(request)
        known = [example_targets(example) for example in examples]
        found = np.unique(np.concatenate([t[t >= 0] for t in (targets, *known)]))
        if not examples and not any(isinstance(p, Scribble) for p in request.prompts):
            raise PromptError("Paint a stroke on each category, or give an example.")
        categories = _categories(request, examples)
        check_categories({int(category) for category in found}, categories)
        probabilities = self._classify(request, examples, [targets, *known], found, report)
        report(0.9, "Drawing")
        answer = _Answer(probabilities, found, categories, options.smoothing)
        return answer.segments(options, examples)

    def close(self) -> None:
        """Forget what was measured."""
        self._pyramids.clear()

    def _classify(
        self,
        request: SegmentRequest,
        examples: tuple[Example, ...],
        targets: list[NDArray[np.int32]],
        found: NDArray[np.int32],
        report: Report,
    ) -> Floats:
        self._keep(examples)
        share = 0.3 / (1 + len(examples))
        pyramid = self._pyramid(
            request.image_key, request.pixels, request.rgb, part(report, 0, share)
        )
        lessons = [Lesson(pyramid, targets[0])]
        for number, (example, known) in enumerate(zip(examples, targets[1:], strict=True), 1):
            measuring = part(report, number * share, (number + 1) * share)
            measured = self._pyramid(id(example.pixels), example.pixels, example.rgb, measuring)
            if len(measured.levels[0]) != len(pyramid.levels[0]):
                raise PromptError(f"{example.name}: its bands are not those of the image.")
            lessons.append(Lesson(measured, known))
        spread = np.concatenate([lesson.pyramid.spread for lesson in lessons])
        sample = draw(lessons, found, balance_by_area=bool(examples))
        training = EXAMPLES if examples else STROKES
        classifier = PixelClassifier(
            sample, spread, pyramid.weights, training, part(report, 0.3, 0.5)
        )
        return classifier.probabilities(pyramid, part(report, 0.5, 0.9))

    def _keep(self, examples: tuple[Example, ...]) -> None:
        """Hold examples, so that an id stays that of the same pixels; forget all others."""
        gone = {id(e.pixels) for e in self._examples} - {id(e.pixels) for e in examples}
        for key in gone:
            self._pyramids.pop(key, None)
        self._examples = examples

    def _pyramid(self, key: Any, pixels: Any, rgb: Any, report: Report) -> Pyramid:
        pyramid = self._pyramids.pop(key, None) or Pyramid(pixels, rgb, report)
        self._pyramids[key] = pyramid
        while sum(p.nbytes for p in self._pyramids.values()) > _KEPT and len(self._pyramids) > 1:
            self._pyramids.popitem(last=False)
        return pyramid


class _Answer:
    """Turns probabilities into segments."""

    def __init__(
        self,
        probabilities: Floats,
        found: NDArray[np.int32],
        categories: tuple[Category, ...],
        smoothing: float,
    ) -> None:
        if smoothing > 0:
            for plane in probabilities:
                cv2.GaussianBlur(plane, (0, 0), smoothing, dst=plane)
        self._best = np.full(probabilities.shape[1:], found[0], np.int32)
        self._sure = probabilities[0].copy()
        for category, plane in zip(found[1:], probabilities[1:], strict=True):
            better = plane > self._sure
            self._best[better] = category
            np.maximum(self._sure, plane, out=self._sure)
        self._categories = categories

    def segments(self, options: Options, examples: tuple[Example, ...]) -> SegmentIds:
        """Return the segments in the form that the options ask for."""
        instances = [e.labels for e in examples if e.holds_instances and e.labels.any()]
        output = options.output
        if output == "auto":
            output = "instance" if instances else "semantic"
        if output == "semantic":
            return self._result(self._best, {int(c): int(c) for c in np.unique(self._best)}, output)
        splitting = learn_splitting(instances) if instances else None
        splitting = Splitting(
            options.splitting or (splitting.eagerness if splitting else DEFAULT_EAGERNESS),
            options.minimum_area or (splitting.minimum_area if splitting else DEFAULT_AREA),
        )
        ids = np.zeros_like(self._best)
        category_of: dict[int, int] = {}
        for category in self._categories:
            if category.id == 0 or (output == "instance" and not category.is_thing):
                continue
            mask = self._best == category.id
            objects = split(mask, splitting) if category.is_thing else mask.astype(np.int32)
            first = len(category_of)
            ids[objects > 0] = objects[objects > 0] + first
            category_of |= {first + i: category.id for i in range(1, int(objects.max()) + 1)}
        return self._result(ids, category_of, output)

    def _result(self, ids: NDArray[np.int32], category_of: dict[int, int], task: Any) -> SegmentIds:
        pixels = np.bincount(ids.ravel())
        sure = np.bincount(ids.ravel(), self._sure.ravel())
        segments = [
            Segment(number, category, round(float(sure[number] / pixels[number]), 4))
            for number, category in category_of.items()
            if number > 0 and pixels[number]
        ]
        return SegmentIds(ids, tuple(segments), self._categories, task)


def _categories(request: SegmentRequest, examples: tuple[Example, ...]) -> tuple[Category, ...]:
    """Return the user's categories, or else those that the examples bring."""
    if request.categories:
        return request.categories
    return tuple({c.id: c for example in examples for c in example.categories}.values())
