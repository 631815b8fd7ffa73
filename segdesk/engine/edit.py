"""One undoable step in the making."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.history import Change, Step
from segdesk.core.labelmap import LabelMap
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Segment
from segdesk.engine.changes import (
    LayersChange,
    PlanesChange,
    PromptsChange,
    SegmentsChange,
    StateChange,
    Tiles,
    TilesChange,
    notify_tiles,
    put_segments,
)
from segdesk.engine.layer import Layer, LayerState

if TYPE_CHECKING:
    from segdesk.engine.document import Document


class Edit:
    """Changes that are shown at once and become one step of the history at ``commit``."""

    def __init__(self, document: Document, name: str, key: str = "") -> None:
        self._document = document
        self._name = name
        self._key = key
        self._changes: list[Change[Document]] = []
        self._painting: dict[tuple[int, int], Layer] = {}  # (layer id, plane) with an open journal

    def paint(
        self,
        layer: Layer,
        window: Window,
        ids: NDArray[Any] | int,
        where: NDArray[np.bool_] | None = None,
        plane: int = 0,
        frame: int = 0,
    ) -> None:
        """Write segment ids into a plane of a layer of the document; see ``LabelMap.write``.

        Raises ``SegdeskError`` when the layer is locked.
        """
        has_gone = isinstance(ids, int) and ids != 0 and ids not in layer.segments
        labels = None if has_gone else self._opened(layer, plane)
        if labels:
            labels.write(window, ids, where, frame)
            inside = window.intersection(labels.window)
            self._document.notify("tiles", layer.id, inside, frame)

    def put_tiles(self, layer: Layer, plane: int, tiles: Tiles) -> None:
        """Replace whole tiles of a plane, as ``LabelMap.packed`` gives them.

        Raises ``SegdeskError`` when the layer is locked.
        """
        labels = self._opened(layer, plane)
        if labels and tiles:
            for index, tile in tiles.items():
                labels.put_packed(index, tile)
            notify_tiles(self._document, layer, labels, tiles)

    def set_segments(self, layer: Layer, segments: dict[int, Segment | None]) -> None:
        """Set or, where None, remove entries of the segment table."""
        if not segments:
            return
        self._document.resume(self)
        before = {segment_id: layer.segments.get(segment_id) for segment_id in segments}
        put_segments(layer, segments)
        self._changes.append(SegmentsChange(before, dict(segments), layer.id))
        self._document.notify("segments", layer.id, segments=segments.keys())

    def set_state(self, layer: Layer, state: LayerState) -> None:
        """Change how a layer is called or shown."""
        if state != layer.state:
            self._do(StateChange(layer.state, state, layer.id))

    def set_layers(self, layers: tuple[Layer, ...]) -> None:
        """Add, remove or reorder layers."""
        self._close_journals()
        self._do(LayersChange(self._document.layers, layers))

    def add_planes(self, layer: Layer, count: int) -> None:
        """Add empty planes on top of a layer's others."""
        if count > 0:
            self._do(PlanesChange(layer.id, count))

    def set_prompts(self, prompts: tuple[Prompt, ...]) -> None:
        """Replace the prompts."""
        self._do(PromptsChange(self._document.prompts, prompts))

    def commit(self) -> None:
        """Make all changes so far one step of the history; nothing if there were none.

        What is changed after that becomes another step.
        """
        self._close_journals()
        self._drop_empty_segments()
        if self._changes:
            step: Step[Document] = Step(self._name, tuple(self._changes), self._key)
            self._changes.clear()
            self._document.push(step)

    def roll_back(self) -> None:
        """Take all changes back."""
        for (_, plane), layer in self._painting.items():
            labels = layer.planes[plane]
            notify_tiles(self._document, layer, labels, labels.roll_back())
        self._painting.clear()
        for change in reversed(self._changes):
            change.undo(self._document)
        self._changes.clear()

    def _drop_empty_segments(self) -> None:
        """Take back new segments on which nothing was painted after all."""
        for change in tuple(self._changes):
            if isinstance(change, SegmentsChange) and not any(change.before.values()):
                areas = self._document.layer(change.layer_id).areas
                if not any(segment_id in areas for segment_id in change.after):
                    change.undo(self._document)
                    self._changes.remove(change)

    def _do(self, change: Change[Document]) -> None:
        self._document.resume(self)
        change.redo(self._document)
        self._changes.append(change)

    def _close_journals(self) -> None:
        painted = tuple(self._painting.items())
        self._painting.clear()
        lost = [(layer, self._close_journal(layer, plane)) for (_, plane), layer in painted]
        for layer, segment_ids in lost:
            gone = {i for i in segment_ids if i not in layer.areas and i in layer.segments}
            if gone:
                self.set_segments(layer, dict.fromkeys(gone))

    def _close_journal(self, layer: Layer, plane: int) -> set[int]:
        """Note the tiles that changed; return the ids of all segments that lost pixels."""
        labels = layer.planes[plane]
        delta = labels.commit()
        if delta.before:
            layer.add_areas(delta.areas)
            self._changes.append(
                TilesChange(delta.before, delta.after, delta.areas, layer.id, plane)
            )
            notify_tiles(self._document, layer, labels, delta.before)
        return {segment for segment, count in delta.areas.items() if count < 0}

    def _opened(self, layer: Layer, plane: int) -> LabelMap | None:
        """Return a plane whose journal is open; None when its layer is gone.

        A layer can be removed by undo in the middle of a stroke.
        """
        if layer not in self._document.layers:
            return None
        if layer.state.locked:
            raise SegdeskError(f"Layer {layer.state.name!r} is locked: unlock it to edit it.")
        self._document.resume(self)
        if (layer.id, plane) not in self._painting:
            self._painting[layer.id, plane] = layer
            layer.planes[plane].begin()
        return layer.planes[plane]
