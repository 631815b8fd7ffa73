"""The reversible changes of a document, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from segdesk.core.geometry import Window
from segdesk.core.labelmap import TILE, Tile, TileIndex, tile_areas
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Segment
from segdesk.engine.layer import Layer, LayerState

if TYPE_CHECKING:
    from segdesk.engine.document import Document


@dataclass(frozen=True, slots=True)
class PackedTile:
    """A tile at rest: a number, or compressed ids."""

    data: int | bytes
    dtype: str = ""

    @classmethod
    def of(cls, tile: Tile) -> PackedTile:
        """Pack a tile."""
        if isinstance(tile, int):
            return cls(tile)
        import zstandard

        return cls(zstandard.compress(tile.tobytes(), 1), tile.dtype.name)

    def unpack(self) -> Tile:
        """Return the tile as a label map keeps it."""
        if isinstance(self.data, int):
            return self.data
        import zstandard

        ids = np.frombuffer(zstandard.decompress(self.data), self.dtype)
        return ids.reshape(TILE, TILE)

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return 64 if isinstance(self.data, int) else 64 + len(self.data)


@dataclass(frozen=True)
class TilesChange:
    """Tiles of one plane, before and after."""

    layer_id: int
    plane: int
    before: dict[TileIndex, PackedTile]
    after: dict[TileIndex, PackedTile]

    @property
    def nbytes(self) -> int:
        """Memory of both sides."""
        return sum(t.nbytes for side in (self.before, self.after) for t in side.values())

    def undo(self, target: Document) -> None:
        """Put the old tiles back."""
        self._put(target, self.before)

    def redo(self, target: Document) -> None:
        """Put the new tiles back."""
        self._put(target, self.after)

    def _put(self, document: Document, tiles: dict[TileIndex, PackedTile]) -> None:
        layer = document.layer(self.layer_id)
        plane = layer.planes[self.plane]
        for index, packed in tiles.items():
            inside = plane.tile_window(index)
            layer.add_areas(tile_areas(plane.tile(index), inside), -1)
            plane.set_tile(index, packed.unpack())
            layer.add_areas(tile_areas(plane.tile(index), inside))
        document.notify("tiles", layer.id, around(plane.tile_window(i) for i in tiles))


@dataclass(frozen=True)
class SegmentsChange:
    """Entries of a layer's segment table; None where there is no such segment."""

    layer_id: int
    before: dict[int, Segment | None]
    after: dict[int, Segment | None]

    @property
    def nbytes(self) -> int:
        """Memory of both sides, roughly."""
        return 400 * len(self.before)

    def undo(self, target: Document) -> None:
        """Put the old entries back."""
        put_segments(target.layer(self.layer_id), self.before)
        target.notify("segments", self.layer_id)

    def redo(self, target: Document) -> None:
        """Put the new entries back."""
        put_segments(target.layer(self.layer_id), self.after)
        target.notify("segments", self.layer_id)


@dataclass(frozen=True)
class PlanesChange:
    """Empty planes added on top of a layer's others."""

    layer_id: int
    count: int
    nbytes: int = 100

    def undo(self, target: Document) -> None:
        """Remove them; by then they are empty again."""
        del target.layer(self.layer_id).planes[-self.count :]

    def redo(self, target: Document) -> None:
        """Add them."""
        target.layer(self.layer_id).add_planes(self.count)


@dataclass(frozen=True)
class StateChange:
    """How a layer is called and shown."""

    layer_id: int
    before: LayerState
    after: LayerState
    nbytes: int = 1000

    def undo(self, target: Document) -> None:
        """Put the old state back."""
        self._put(target, self.before)

    def redo(self, target: Document) -> None:
        """Put the new state back."""
        self._put(target, self.after)

    def _put(self, document: Document, state: LayerState) -> None:
        document.layer(self.layer_id).state = state
        document.notify("layer", self.layer_id)


@dataclass(frozen=True)
class LayersChange:
    """Which layers there are, from the bottom to the top."""

    before: tuple[Layer, ...]
    after: tuple[Layer, ...]

    @property
    def nbytes(self) -> int:
        """Memory of the layers that only one side has."""
        return sum(layer.nbytes for layer in set(self.before) ^ set(self.after))

    def undo(self, target: Document) -> None:
        """Put the old layers back."""
        target.put_layers(self.before)

    def redo(self, target: Document) -> None:
        """Put the new layers back."""
        target.put_layers(self.after)


@dataclass(frozen=True)
class PromptsChange:
    """The prompts of the document."""

    before: tuple[Prompt, ...]
    after: tuple[Prompt, ...]

    @property
    def nbytes(self) -> int:
        """Memory of the prompts that only one side has, roughly."""
        common = {id(prompt) for prompt in self.before} & {id(prompt) for prompt in self.after}
        return sum(_size(p) for p in (*self.before, *self.after) if id(p) not in common)

    def undo(self, target: Document) -> None:
        """Put the old prompts back."""
        target.put_prompts(self.before)

    def redo(self, target: Document) -> None:
        """Put the new prompts back."""
        target.put_prompts(self.after)


def put_segments(layer: Layer, segments: dict[int, Segment | None]) -> None:
    """Set or, where None, remove entries of a layer's segment table."""
    for segment_id, segment in segments.items():
        if segment is None:
            layer.segments.pop(segment_id, None)
        else:
            layer.segments[segment_id] = segment


def around(windows: Iterable[Window]) -> Window:
    """Return the smallest window around all of some windows."""
    result = Window(0, 0, 0, 0)
    for window in windows:
        result = result.union(window)
    return result


def _size(prompt: Any) -> int:
    return 200 + sum(getattr(getattr(prompt, name), "nbytes", 0) for name in vars(prompt))
