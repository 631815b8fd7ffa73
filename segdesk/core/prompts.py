"""What the user gives a segmenter: points, box, scribble, mask, text, example.

Coordinates are (x, y) in level-0 pixels of the image; (0, 0) is the top left corner of the top
left pixel, its centre is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.segmentation import Category


@dataclass(frozen=True, eq=False)
class Points:
    """Points on (positive) or off (negative) one segment."""

    xy: NDArray[Any]  # (N, 2) float64
    positive: NDArray[Any]  # (N,) bool
    category: int = 1
    frame: int = 0


@dataclass(frozen=True)
class Box:
    """A box around one segment."""

    x0: float
    y0: float
    x1: float
    y1: float
    category: int = 1
    frame: int = 0


@dataclass(frozen=True, eq=False)
class Scribble:
    """A stroke on pixels of one category; category 0 is the background."""

    xy: NDArray[Any]  # (N, 2) float64, the path of the brush's centre
    radius: float  # pixels
    category: int
    frame: int = 0


@dataclass(frozen=True, eq=False)
class Mask:
    """A rough mask of one segment."""

    mask: NDArray[Any]  # (rows, columns) bool, the shape of `window`
    window: Window
    category: int = 1
    frame: int = 0


@dataclass(frozen=True)
class Text:
    """A phrase that names what to look for."""

    phrase: str
    category: int = 1


@dataclass(frozen=True, eq=False)
class Example:
    """Another image with its mask: the prompt of in-context segmenters."""

    pixels: NDArray[Any]  # (rows, columns, bands), the image's own dtype
    rgb: NDArray[Any]  # (rows, columns, 3) uint8, as displayed
    labels: NDArray[Any]  # (rows, columns) int32: category ids (255 = ignore) or instances
    categories: tuple[Category, ...]
    holds_instances: bool = False  # labels are instance ids of the one category
    name: str = ""


Prompt = Points | Box | Scribble | Mask | Text | Example


def put_on_frame(prompts: tuple[Prompt, ...], frame: int) -> tuple[Prompt, ...]:
    """Return prompts, those that have a place moved to a frame."""
    return tuple(
        prompt if isinstance(prompt, Text | Example) else replace(prompt, frame=frame)
        for prompt in prompts
    )


def is_on_frame(prompt: Prompt, frame: int) -> bool:
    """Say whether a prompt counts for a frame: those without a place count for all."""
    return getattr(prompt, "frame", frame) == frame
