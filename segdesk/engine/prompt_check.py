"""Refuses prompts that do not fit the segmenter or the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from segdesk.api import SegmenterSpec
from segdesk.core.errors import PromptError
from segdesk.core.image import ImageInfo
from segdesk.core.prompts import Box, Example, Mask, Points, Prompt, Scribble
from segdesk.core.segmentation import IGNORE

if TYPE_CHECKING:
    from segdesk.engine.job import SegmentJob


def check_prompts(job: SegmentJob, spec: SegmenterSpec, info: ImageInfo) -> None:
    """Raise ``PromptError`` for a prompt that the segmenter cannot take, or that misses the image.

    Points must lie inside; boxes, scribbles and masks need only touch the image.
    """
    known = {category.id for category in job.categories}
    for prompt in job.prompts:
        _check_kind(prompt, spec)
        if isinstance(prompt, Example):
            _check_example(prompt)
            continue
        _check_place(prompt, info)
        if known and prompt.category not in known | {0, IGNORE}:
            raise PromptError(
                f"A {_noun(prompt)} is of category {prompt.category}, which is not in the list of"
                f" categories ({', '.join(map(str, sorted(known)))})."
            )


def _check_kind(prompt: Prompt, spec: SegmenterSpec) -> None:
    if isinstance(prompt, tuple(spec.prompts)):
        return
    taken = ", ".join(sorted(kind.__name__.lower() for kind in spec.prompts))
    raise PromptError(
        f"The segmenter {spec.id!r} cannot use a {_noun(prompt)}; it takes {taken or 'no prompts'}."
    )


def _check_place(prompt: Any, info: ImageInfo) -> None:
    if isinstance(prompt, Points | Scribble):
        _check_path(prompt, info)
    elif isinstance(prompt, Box):
        corners = (prompt.x0, prompt.y0, prompt.x1, prompt.y1)
        if not np.isfinite(corners).all() or prompt.x0 >= prompt.x1 or prompt.y0 >= prompt.y1:
            raise PromptError(f"The box {corners} is empty: its corners are x0, y0, x1, y1.")
        _check_touch(prompt, np.array(corners).reshape(2, 2), 0, info)
    elif isinstance(prompt, Mask):
        if prompt.mask.shape != prompt.window.shape:
            raise PromptError(
                f"A mask of shape {prompt.mask.shape} does not fill its window of"
                f" {prompt.window.width} x {prompt.window.height} pixels."
            )
        window = prompt.window
        corners = (window.x, window.y, window.right, window.bottom)
        _check_touch(prompt, np.array(corners).reshape(2, 2), 0, info)


def _check_path(prompt: Points | Scribble, info: ImageInfo) -> None:
    xy = np.asarray(prompt.xy)
    if xy.ndim != 2 or xy.shape[1] != 2 or len(xy) == 0 or not np.isfinite(xy).all():
        raise PromptError(f"The coordinates of a {_noun(prompt)} must be N pairs of finite x, y.")
    if isinstance(prompt, Scribble):
        if not prompt.radius > 0:
            raise PromptError(f"The radius of a scribble must be positive, not {prompt.radius}.")
        _check_touch(prompt, xy, prompt.radius, info)
        return
    if np.shape(prompt.positive) != (len(xy),):
        raise PromptError(f"{len(xy)} points need as many marks of positive or negative.")
    outside = ((xy < 0) | (xy > (info.width, info.height))).any(axis=1)
    if outside.any():
        x, y = xy[outside][0]
        raise PromptError(f"The point ({x:g}, {y:g}) lies outside {_image(info)}.")


def _check_touch(prompt: Prompt, xy: Any, margin: float, info: ImageInfo) -> None:
    low, high = xy.min(axis=0) - margin, xy.max(axis=0) + margin
    if (high <= 0).any() or (low >= (info.width, info.height)).any():
        x, y = xy[0]
        raise PromptError(f"A {_noun(prompt)} at ({x:g}, {y:g}) lies outside {_image(info)}.")


def _check_example(example: Example) -> None:
    size, mask_size = example.rgb.shape[1::-1], example.labels.shape[1::-1]
    if size != mask_size or example.pixels.shape[:2] != example.rgb.shape[:2]:
        name = example.name or "an example"
        raise PromptError(
            f"The mask of {name} is {mask_size[0]} x {mask_size[1]} pixels, its image"
            f" {size[0]} x {size[1]}: they must be equal."
        )
    if example.holds_instances:
        return
    known = {category.id for category in example.categories} | {0, IGNORE}
    unknown = sorted(set(np.unique(example.labels).tolist()) - known)
    if unknown:
        name = example.name or "an example"
        raise PromptError(
            f"The mask of {name} holds the category {unknown[0]}, which has no name in its list."
        )


def _noun(prompt: Prompt) -> str:
    return type(prompt).__name__.lower()


def _image(info: ImageInfo) -> str:
    return f"{info.name}, which is {info.width} x {info.height} pixels"
