"""Documents from a project file; the pixels of their layers stay in it until they are needed."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from segdesk.core.errors import ImageError, ProjectError
from segdesk.core.geometry import Window
from segdesk.core.history import Step
from segdesk.core.image import ImageInfo, ImageSource, Pixels
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import BY_HAND, Segment
from segdesk.engine.changes import Tiles
from segdesk.engine.document import Document
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.project.codec import record_of, unpack
from segdesk.engine.project.image_link import ImageLink
from segdesk.engine.project.jobs import strips
from segdesk.engine.project.rows import RowReader


@dataclass
class ProjectImage:
    """An image of a project.

    Attributes
    ----------
    link
        Where its file is; None: its pixels are in the project.
    view
        How it is shown, as JSON values; what is in it is up to the window.
    problem
        Why it is blank: one line, empty when the image was found. Known once it was opened.
    """

    id: int
    position: int
    link: ImageLink | None
    info: ImageInfo
    view: dict[str, Any]
    problem: str = ""

    @property
    def name(self) -> str:
        """What to call it."""
        return Path(self.link.path).name if self.link else self.info.name


class BlankImage:
    """Stands in for an image that is missing: its size, and nothing on it."""

    def __init__(self, info: ImageInfo) -> None:
        self.info = info

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return zeros."""
        return np.zeros((*window.shape, self.info.bands), self.info.dtype)

    def close(self) -> None:
        """Nothing to let go of."""


class StoredImage:
    """An image whose pixels are kept in the project; read as a whole when first needed."""

    def __init__(self, image: int, info: ImageInfo, rows: RowReader) -> None:
        self.info = info
        self._image, self._rows = image, rows
        self._pixels: Pixels | None = None
        self._lock = Lock()

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return a view of the window. Raises ``ImageError``."""
        with self._lock:
            pixels = self._pixels
            if pixels is None:
                pixels = self._pixels = self._read()
        part: Pixels = pixels[frame][window.slices]
        return part

    def close(self) -> None:
        """Forget the pixels."""
        self._pixels = None

    def _read(self) -> Pixels:
        query = "SELECT data FROM pixels WHERE image = ? ORDER BY number"
        info = self.info
        shape = info.frames, *info.window.shape, info.bands
        pixels = np.zeros(shape, info.dtype)
        try:
            found = self._rows.rows(query, (self._image,))
            for (frame, strip), (data,) in zip(strips(info), found, strict=True):
                pixels[frame][strip.slices] = unpack(data)
        except (ProjectError, ValueError) as error:
            raise ImageError(f"{info.name}: its pixels are damaged ({error}).") from error
        return pixels


def read_images(rows: RowReader) -> list[ProjectImage]:
    """Return the images of a project in their order. Raises ``ProjectError``."""
    query = "SELECT id, position, path, relative, fingerprint, info, view FROM image"
    images = []
    for image, position, *link, info, view in rows.rows(f"{query} ORDER BY position, id"):
        found = ImageLink(*link) if link[0] else None
        about = record_of(ImageInfo, info), _view(view)
        images.append(ProjectImage(image, position, found, *about))
    return images


def read_document(
    image: int, source: ImageSource, rows: RowReader, remember: Callable[[Layer], None]
) -> Document:
    """Return the document of an image; steps and tiles are read when they are needed.

    Parameters
    ----------
    remember
        Called with every layer on show.

    Raises
    ------
    ProjectError
        When something is damaged.
    """
    document = Document(source)
    found = rows.rows("SELECT prompts, last_layer, done FROM document WHERE image = ?", (image,))
    if not found:
        return document
    prompts, last_layer, done = found[0]
    query = "SELECT id FROM layer WHERE image = ? AND position NOT NULL ORDER BY position"
    with _no_collection():
        layers = tuple(
            read_layer(image, i, source.info, rows) for (i,) in rows.rows(query, (image,))
        )
    for layer in layers:
        remember(layer)
    document.restore(layers, tuple(map(rows.prompt, json.loads(prompts))), last_layer)
    document.history.restore(*_steps(image, done, rows))
    return document


def read_layer(image: int, layer_id: int, info: ImageInfo, rows: RowReader) -> Layer:
    """Return a layer with its segments; its tiles stay in the file. Raises ``ProjectError``."""
    key = (image, layer_id)
    found = rows.rows("SELECT planes, state FROM layer WHERE image = ? AND id = ?", key)
    if not found:
        raise ProjectError("A layer of the project is missing.")
    planes, state = found[0]
    layer = Layer(
        layer_id, record_of(LayerState, state), LabelMap(info.width, info.height, info.frames)
    )
    layer.add_planes(planes - 1)
    _read_segments(layer, key, rows)
    for plane, labels in enumerate(layer.planes):
        labels.fill(_tiles(key, plane, rows))
    return layer


def _tiles(key: tuple[int, int], plane: int, rows: RowReader) -> Tiles:
    query = 'SELECT "column", row, frame, value, low, high FROM tile'
    found = rows.rows(f"{query} WHERE image = ? AND layer = ? AND plane = ?", (*key, plane))
    return {
        (column, row, frame): rows.stored(value, low, high)
        for column, row, frame, value, low, high in found
    }


def _read_segments(layer: Layer, key: tuple[int, int], rows: RowReader) -> None:
    made = {row: rows.provenance(row) for (row,) in rows.rows("SELECT id FROM provenance")}
    made[0] = BY_HAND  # of pixels without a segment
    query = "SELECT id, category, score, state, provenance, area FROM segment"
    found = rows.rows(f"{query} WHERE image = ? AND layer = ?", key)
    if not found:
        return
    ids, categories, scores, states, by, areas = zip(*found, strict=True)  # quick: C does it all
    try:
        makers = map(made.__getitem__, by)
        segments = map(Segment, ids, categories, scores, states, makers)
        layer.segments.update(zip(ids, segments, strict=True))
    except KeyError as error:
        raise ProjectError("A provenance of the project is missing.") from error
    layer.areas.update(zip(ids, areas, strict=True))
    for i in _where(None, ids, categories):
        del layer.segments[i]
    for i in _where(0, ids, areas):
        del layer.areas[i]


def _where(value: object, ids: Sequence[int], values: Sequence[object]) -> list[int]:
    return [i for i, v in zip(ids, values, strict=True) if v == value] if value in values else []


def _steps(image: int, done: int, rows: RowReader) -> tuple[list[Step[Document]], int]:
    """Return the steps of a history, their changes left in the file, and how many are done."""
    query = "SELECT number, name, key, nbytes FROM step WHERE image = ? ORDER BY number"
    steps: list[Step[Document]] = [
        Step(name, None, key, number, nbytes)
        for number, name, key, nbytes in rows.rows(query, (image,))
    ]
    return steps, sum(step.number <= done for step in steps)


def _view(text: str) -> dict[str, Any]:
    try:
        view = json.loads(text)
    except ValueError as error:
        raise ProjectError(f"The view of an image is damaged ({error}).") from error
    return view if isinstance(view, dict) else {}


@contextmanager
def _no_collection() -> Iterator[None]:
    """Do not look for garbage while very many small objects are made that all stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
