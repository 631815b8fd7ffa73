"""Answers prompts one by one, and remembers its answers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
from segdesk_plugins.prompts.drawing import Region
from segdesk_plugins.prompts.outline import outline_box, outline_mask, outline_points

from segdesk.api import (
    IGNORE,
    Box,
    Category,
    Mask,
    Points,
    Prompt,
    PromptError,
    RegionMask,
    Report,
    SegmentMasks,
    SegmentRequest,
    Window,
    part,
)
from segdesk.core.palette import distinct_colour

_NAMES = {0: "background", 1: "object", IGNORE: "ignore"}


class PromptSession:
    """Answers every prompt with one mask; prompts answered before cost nothing."""

    def __init__(self) -> None:
        self._image: Hashable = None
        self._answers: dict[Hashable, Region] = {}

    def segment(self, request: SegmentRequest, report: Report) -> SegmentMasks:
        """Return one region a prompt, in their order; none for prompts outside the window.

        Raises ``PromptError`` where there is no prompt, or an empty one.
        """
        if not request.prompts:
            raise PromptError("Draw a box, click on a segment or give a rough mask first.")
        if self._image != (request.image_key, request.window):
            self._image, self._answers = (request.image_key, request.window), {}
        masks, answers = [], {}
        for index, prompt in enumerate(request.prompts):
            share = part(report, index / len(request.prompts), (index + 1) / len(request.prompts))
            share(0.0, "Answering prompts")
            local = _shifted(prompt, -request.window.x, -request.window.y)
            if not _is_in(local, request.window):
                continue
            key = _key(local)
            region = self._answers.get(key) or _outlined(request, local, share)
            answers[key] = self._answers[key] = region
            masks.append(RegionMask(region.mask, region.window, local.category, region.score))
        self._answers = answers  # those of prompts that are gone are let go
        return SegmentMasks(tuple(masks), _categories(request))

    def close(self) -> None:
        """Forget all answers."""
        self._answers = {}


def _shifted(prompt: Prompt, dx: int, dy: int) -> Box | Points | Mask:
    """Return a prompt in pixels of the window. Raises ``PromptError`` for an empty one."""
    if isinstance(prompt, Box):
        if not (prompt.x0 < prompt.x1 and prompt.y0 < prompt.y1):
            raise PromptError(
                "The box is empty: draw it from one corner of the segment to another."
            )
        return Box(prompt.x0 + dx, prompt.y0 + dy, prompt.x1 + dx, prompt.y1 + dy, prompt.category)
    if isinstance(prompt, Mask):
        if not prompt.mask.any():
            raise PromptError("The rough mask is empty: it must cover some of the segment.")
        return replace(prompt, window=prompt.window.shifted(dx, dy))
    if not isinstance(prompt, Points):
        raise PromptError(f"A {type(prompt).__name__.lower()} is no box, point or rough mask.")
    positive = np.asarray(prompt.positive, bool)
    if not positive.any():
        raise PromptError("All points lie off the segment: put one on it, too.")
    return Points(np.asarray(prompt.xy, np.float64) + np.array([dx, dy]), positive, prompt.category)


def _is_in(prompt: Box | Points | Mask, window: Window) -> bool:
    """Whether a shifted prompt says anything of the window's pixels."""
    size = window.width, window.height
    if isinstance(prompt, Box):
        return prompt.x1 > 0 and prompt.y1 > 0 and prompt.x0 < size[0] and prompt.y0 < size[1]
    if isinstance(prompt, Points):
        on = prompt.xy[prompt.positive]
        return bool(((on >= 0) & (on <= size)).all(axis=1).any())
    seen = prompt.window.intersection(Window(0, 0, *size))
    return bool(prompt.mask[seen.shifted(-prompt.window.x, -prompt.window.y).slices].any())


def _key(prompt: Box | Points | Mask) -> Hashable:
    """Return what two prompts with the same answer have in common; the category does not matter."""
    if isinstance(prompt, Box):
        return "box", prompt.x0, prompt.y0, prompt.x1, prompt.y1
    if isinstance(prompt, Points):
        return "points", prompt.xy.tobytes(), prompt.positive.tobytes()
    return "mask", prompt.window, prompt.mask.astype(bool).tobytes()


def _outlined(request: SegmentRequest, prompt: Box | Points | Mask, report: Report) -> Region:
    if isinstance(prompt, Box):
        return outline_box(request.rgb, prompt, report)
    if isinstance(prompt, Points):
        return outline_points(request.rgb, prompt, report)
    return outline_mask(request.rgb, prompt, report)


def _categories(request: SegmentRequest) -> tuple[Category, ...]:
    """Return the user's categories, and one for each prompt's category that is not among them."""
    found = {category.id: category for category in request.categories}
    for prompt in request.prompts:
        assert isinstance(prompt, Box | Points | Mask)
        name = _NAMES.get(prompt.category, f"object {prompt.category}")
        colour = distinct_colour(max(0, prompt.category - 1))
        found.setdefault(prompt.category, Category(prompt.category, name, colour))
    return tuple(found.values())
