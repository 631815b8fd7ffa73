"""Makes a finished image the example from which others are segmented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdesk.core.display import Display
from segdesk.core.errors import PromptError
from segdesk.core.image import ImageSource
from segdesk.core.prompts import Example, Scribble
from segdesk.core.segmentation import IGNORE, Category, Segmentation
from segdesk.engine.document import Document
from segdesk.engine.images import check_memory
from segdesk.engine.layer import Layer

_SHIFT = 4  # bits of a pixel's fraction in cv2's fixed-point coordinates


@dataclass(frozen=True)
class Finished:
    """What a document says of its image at one moment; another thread may read it."""

    image: ImageSource
    painted: Segmentation | None  # None: the scribbles are all there is
    scribbles: tuple[Scribble, ...]
    categories: tuple[Category, ...]
    name: str


def finished(document: Document, name: str) -> Finished:
    """Return what can be learned from a document.

    The active layer counts, or else the topmost one, if something is painted on it and it is no
    proposal; without such a layer the scribbles do.

    Raises ``PromptError`` when there is neither.
    """
    layer = _painted_layer(document)
    scribbles = tuple(prompt for prompt in document.prompts if isinstance(prompt, Scribble))
    if layer:
        segmentation = layer.segmentation()
        return Finished(document.image, segmentation, (), segmentation.categories, name)
    if not scribbles:
        raise PromptError(
            f"{name} cannot be an example yet: accept a proposal, paint, or scribble on it first."
        )
    categories = document.active.state.categories if document.active else ()
    return Finished(document.image, None, scribbles, categories, name)


def make_example(of: Finished, display: Display, frame: int = 0) -> Example:
    """Return an image with what is painted on it as an example.

    What a painted layer leaves empty is background; pixels without a scribble are ignored.

    Parameters
    ----------
    of
        The image and what is known of it.
    display
        How it is shown, for segmenters that take RGB.
    frame
        Which plane of a stack.

    Raises
    ------
    ImageError
        When the image cannot be read, or does not fit in memory.
    PromptError
        When there is nothing on that frame of a stack.
    """
    check_memory(of.image.info, of.image.info.window)
    painted = of.painted.frames if of.painted else tuple(s.frame for s in of.scribbles)
    if frame not in painted:
        raise PromptError(f"{of.name} cannot be an example yet: nothing is on frame {frame + 1}.")
    labels = _category_ids(of.painted, frame) if of.painted else _scribbled(of, frame)
    pixels = of.image.read(of.image.info.window, 0, frame)
    categories = _complete(of.categories, labels)
    return Example(pixels, display.apply(pixels), labels, categories, name=of.name)


def _painted_layer(document: Document) -> Layer | None:
    layers = [document.active] if document.active else []
    layers += reversed(document.layers)
    return next((o for o in layers if o.areas and not o.state.is_proposal), None)


def _category_ids(painted: Segmentation, frame: int) -> NDArray[np.int32]:
    """Return the category id of every pixel; where planes overlap, of the topmost segment."""
    table = np.zeros(max(painted.segments, default=0) + 1, np.int32)
    for segment in painted.segments.values():
        table[segment.id] = segment.category
    labels = np.zeros(painted.planes[0].window.shape, np.int32)
    for plane in painted.planes:
        ids = plane.read(plane.window, 0, frame)
        np.copyto(labels, table[ids], where=ids > 0)
    return labels


def _scribbled(of: Finished, frame: int) -> NDArray[np.int32]:
    import cv2

    labels = np.full(of.image.info.window.shape, IGNORE, np.int32)
    for stroke in (s for s in of.scribbles if s.frame == frame):
        # cv2 counts from the centre of the first pixel
        points = np.round((np.asarray(stroke.xy) - 0.5) * (1 << _SHIFT)).astype(np.int32)
        width = max(1, round(2 * stroke.radius))
        cv2.polylines(labels, [points], False, stroke.category, width, shift=_SHIFT)
    return labels


def _complete(categories: tuple[Category, ...], labels: NDArray[np.int32]) -> tuple[Category, ...]:
    """Return the categories with a background, if the labels hold one and it lacks a name."""
    if any(category.id == 0 for category in categories) or not (labels == 0).any():
        return categories
    return (Category(0, "background", (128, 128, 128), is_thing=False), *categories)
