"""Refuses answers that break the contract: they come from a stranger's code."""

from __future__ import annotations

from typing import Any

import numpy as np

from segdesk.api import SegmentRequest
from segdesk.core.errors import PluginError
from segdesk.core.geometry import Window
from segdesk.core.segmentation import (
    Category,
    CategoryScores,
    RegionMask,
    Segment,
    SegmentIds,
    SegmentMasks,
)
from segdesk.engine.resolve import present_ids

_HIGHEST = 2**31 - 1
_TASKS = ("semantic", "instance", "panoptic")


def check_answer(answer: Any, request: SegmentRequest, segmenter: str) -> None:
    """Raise ``PluginError`` that names the segmenter and what is wrong with its answer."""
    try:
        _check(answer, request.window)
    except _Wrong as wrong:
        words = " ".join(str(wrong).split())  # in one line, whatever it quotes
        raise PluginError(f"The segmenter {segmenter!r} gave a wrong answer: {words}.") from None


class _Wrong(Exception):
    """What is wrong with an answer."""


def _check(answer: Any, window: Window) -> None:
    if not isinstance(answer, CategoryScores | SegmentMasks | SegmentIds):
        raise _Wrong(
            f"it must be CategoryScores, SegmentMasks or SegmentIds, not {type(answer).__name__}"
        )
    _check_categories(answer.categories)
    if isinstance(answer, CategoryScores):
        _check_scores(answer)
        return
    if answer.task not in _TASKS:
        raise _Wrong(f"its task is {answer.task!r}, not one of {', '.join(_TASKS)}")
    known = {category.id for category in answer.categories}
    if isinstance(answer, SegmentIds):
        _check_ids(answer, window, known)
        return
    for region in answer.masks:
        _check_region(region, window, known)


def _check_categories(categories: Any) -> None:
    if not isinstance(categories, tuple):
        raise _Wrong(f"its categories are no tuple but {type(categories).__name__}")
    for category in categories:
        if not isinstance(category, Category) or type(category.id) is not int or category.id < 0:
            raise _Wrong(f"{category!r:.80} is no category with a plain id of 0 or more")
    ids = [category.id for category in categories]
    if len(set(ids)) < len(ids):
        raise _Wrong("two of its categories have the same id")


def _check_scores(answer: CategoryScores) -> None:
    scores = _array(answer.scores, "scores")
    if scores.ndim != 3 or 0 in scores.shape or len(scores) != len(answer.categories):
        raise _Wrong(
            f"scores of shape {scores.shape} for {len(answer.categories)} categories: they must be"
            " (categories, rows, columns)"
        )
    if scores.dtype != np.float32:
        raise _Wrong(f"scores of type {scores.dtype}: they must be float32")
    if not np.isfinite(scores).all():
        raise _Wrong("some of its scores are not finite numbers")


def _check_ids(answer: SegmentIds, window: Window, known: set[int]) -> None:
    ids = _array(answer.ids, "ids")
    if ids.shape != window.shape or ids.dtype.kind not in "iu":
        raise _Wrong(
            f"ids of shape {ids.shape} and type {ids.dtype}: they must be integers of shape"
            f" {window.shape}"
        )
    if ids.min() < 0 or ids.max() > _HIGHEST:
        raise _Wrong(f"ids from {ids.min()} to {ids.max()}: they must be 0 to {_HIGHEST}")
    listed = set()
    for segment in answer.segments:
        if not isinstance(segment, Segment) or not _is_id(segment.id, 1) or segment.id in listed:
            raise _Wrong(f"{segment!r:.80} is no segment with an id of its own, 1 or more")
        _check_category(segment.category, known)
        _check_score(segment.score)
        listed.add(segment.id)
    missing = sorted(present_ids(ids) - listed)
    if missing:
        raise _Wrong(f"no segment has the id {missing[0]}, which is in the label map")


def _check_region(region: Any, window: Window, known: set[int]) -> None:
    if not isinstance(region, RegionMask) or not isinstance(region.window, Window):
        raise _Wrong(f"{region!r:.80} is no RegionMask")
    mask = _array(region.mask, "a mask")
    if mask.dtype != np.bool_ or mask.shape != region.window.shape:
        raise _Wrong(
            f"a mask of shape {mask.shape} and type {mask.dtype}: it must be bool of shape"
            f" {region.window.shape}"
        )
    inside = region.window.intersection(Window(0, 0, window.width, window.height))
    if inside != region.window:
        raise _Wrong(f"a mask at {region.window} reaches out of {window.width} x {window.height}")
    _check_category(region.category, known)
    _check_score(region.score)


def _check_category(category: Any, known: set[int]) -> None:
    if category not in known:
        raise _Wrong(f"a segment is of category {category!r}, which it does not list")


def _check_score(score: Any) -> None:
    if score is not None and not (
        isinstance(score, float | int | np.number) and np.isfinite(score)
    ):
        raise _Wrong(f"the score of a segment is {score!r}")


def _array(value: Any, what: str) -> np.ndarray[Any, Any]:
    if not isinstance(value, np.ndarray):
        raise _Wrong(f"{what} of type {type(value).__name__}: it must be a NumPy array")
    return value


def _is_id(value: Any, lowest: int) -> bool:
    return isinstance(value, int | np.integer) and lowest <= int(value) <= _HIGHEST
