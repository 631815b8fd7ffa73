"""Follows the history of a document, and tells the project's writer what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from weakref import WeakValueDictionary

from segdesk.core.errors import ProjectError
from segdesk.core.history import Step
from segdesk.engine.changes import (
    LayersChange,
    PlanesChange,
    PromptsChange,
    SegmentsChange,
    StateChange,
    TilesChange,
)
from segdesk.engine.document import Document
from segdesk.engine.layer import Layer
from segdesk.engine.project.jobs import Entry, StepJob
from segdesk.engine.project.reading import read_layer
from segdesk.engine.project.rows import RowReader
from segdesk.engine.project.steps import decode
from segdesk.engine.project.writer import Writer


class DocumentRecorder:
    """The recorder of one document's history; see ``segdesk.core.history.Recorder``.

    ``has_recorded`` says whether it was told of any edit.

    Parameters
    ----------
    image
        Its number in the project.
    rows
        Gives the reader of the project's file; None before there is one.
    """

    def __init__(
        self, image: int, document: Document, writer: Writer, rows: Callable[[], RowReader | None]
    ) -> None:
        self._image, self.document = image, document
        self._writer, self._rows = writer, rows
        self._layers: WeakValueDictionary[int, Layer] = WeakValueDictionary()
        self._known: set[int] = set()  # layers that the file has
        self.has_recorded = False
        self._waiting: dict[int, int] = {}  # number of a step that may not be kept yet: of its job

    def know(self, layer: Layer) -> None:
        """Note a layer that was read from the file."""
        self._layers[layer.id] = layer
        self._known.add(layer.id)

    def pushed(self, step: Step[Document], after: int) -> None:
        """Write a new step and what it changed."""
        self._waiting[step.number] = self._put(self._job("push", step, after))

    def undone(self, step: Step[Document], last: int) -> None:
        """Write that a step was taken back."""
        self._put(self._job("undo", step, last))

    def redone(self, step: Step[Document]) -> None:
        """Write that a step was made again."""
        self._put(self._job("redo", step, 0))

    def keeps(self, step: Step[Document]) -> bool:
        """Say whether a step is safe on the disk."""
        if self._waiting.get(step.number, 0) > self._writer.kept:
            return False
        self._waiting.pop(step.number, None)
        return True

    def recall(self, step: Step[Document]) -> Step[Document]:
        """Read the changes of a step. Raises ``ProjectError``."""
        rows = self._rows()
        found = rows and rows.rows(
            "SELECT changes FROM step WHERE image = ? AND number = ?", (self._image, step.number)
        )
        if not rows or not found:
            raise ProjectError(f"{step.name!r} is missing in the history of the project.")
        return replace(step, changes=decode(found[0][0], rows, self._layer))

    def _layer(self, layer_id: int) -> Layer:
        """Return a layer for a change that was read: the one in memory, if there is one.

        The queue keeps those in memory that it has not written yet.
        """
        layer = self._layers.get(layer_id)
        if layer is None:
            rows = self._rows()
            assert rows is not None, "a change is only ever read from a file"
            layer = read_layer(self._image, layer_id, self.document.image.info, rows)
            self.know(layer)
        return layer

    def _put(self, job: StepJob) -> int:
        self.has_recorded = True
        return self._writer.put(job)

    def _job(self, kind: str, step: Step[Document], after: int) -> StepJob:
        changes = step.changes or ()
        document = self.document
        orders = [change for change in changes if isinstance(change, LayersChange)]
        listed = chain.from_iterable((*change.before, *change.after) for change in orders)
        new = self._meet(listed)
        touched = self._meet(document.layers)
        copies = tuple(layer.copy() for layer in (*new, *touched))
        changed = {
            change.layer_id for change in changes if isinstance(change, StateChange | PlanesChange)
        }
        return StepJob(
            image=self._image,
            kind=kind,  # type: ignore[arg-type]
            step=step,
            after=after,
            new=copies,
            states={
                layer.id: (layer.state, len(layer.planes))
                for layer in map(self._layers.get, changed)
                if layer
            },
            entries=self._entries(changes, {layer.id for layer in copies}),
            order=tuple(layer.id for layer in document.layers) if orders else None,
            prompts=document.prompts
            if any(isinstance(change, PromptsChange) for change in changes)
            else None,
            last_layer=document.last_layer_id,
            kept=tuple(self._layers.values()),
        )

    def _meet(self, layers: Iterable[Layer]) -> list[Layer]:
        """Remember layers, and return those that the file does not have."""
        new = []
        for layer in layers:
            self._layers.setdefault(layer.id, layer)
            if layer.id not in self._known:
                self._known.add(layer.id)
                new.append(layer)
        return new

    def _entries(self, changes: Iterable[object], but: set[int]) -> dict[int, dict[int, Entry]]:
        """Return the present entries of all segments that changed, by layer."""
        touched: dict[int, set[int]] = {}
        for change in changes:
            if isinstance(change, TilesChange):
                touched.setdefault(change.layer_id, set()).update(change.areas)
            elif isinstance(change, SegmentsChange):
                touched.setdefault(change.layer_id, set()).update(change.before)
        layers = {i: self._layers[i] for i in touched if i not in but}
        return {
            i: {s: (layer.segments.get(s), layer.areas.get(s, 0)) for s in touched[i]}
            for i, layer in layers.items()
        }
