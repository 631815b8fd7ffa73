"""Masks from files become layers: one step that can be undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from segdesk.core.errors import PromptError
from segdesk.core.segmentation import Segmentation
from segdesk.engine.document import Document
from segdesk.engine.edits import add_layer
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.mask_files import read_segmentation


def import_mask(document: Document, path: Path | str, frame: int = 0) -> Layer:
    """Add what an index mask shows as a layer on top, on one frame of the image.

    Raises
    ------
    ImageError, PromptError
        The mask cannot be read, or has another size than the image.
    """
    return add_mask(document, read_segmentation(path), Path(path).name, frame)


def add_mask(document: Document, content: Segmentation, name: str, frame: int = 0) -> Layer:
    """Add a mask that has been read; see ``import_mask``."""
    info, window = document.image.info, content.planes[0].window
    if window != info.window:
        raise PromptError(
            f"{name} is {window.width} x {window.height} pixels, the image"
            f" {info.width} x {info.height}: they must be equal."
        )
    planes = tuple(plane.as_frame(frame, info.frames) for plane in content.planes)
    state = LayerState(Path(name).stem, content.task, content.categories)
    return add_layer(document, state, replace(content, planes=planes), f"Import {name}")
