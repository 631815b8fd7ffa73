"""The reversible changes of a document, as data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np

from segdesk.core.geometry import Window
from segdesk.core.labelmap import TILE, Tile, TileIndex, tile_areas
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Segment
from segdesk.engine.layer import Layer, LayerState

if TYPE_CHECKING:
    from segdesk.engine.document import Document

V = TypeVar("V")


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
class _Replacement(ABC, Generic[V]):
    """Something in the document before and after."""

    before: V
    after: V

    def undo(self, target: Document) -> None:
        """Put back what was before."""
        self._put(target, self.before)

    def redo(self, target: Document) -> None:
        """Put back what came after."""
        self._put(target, self.after)

    def then(self, later: object) -> Self | None:
        """Return one change for two where the later one replaces what this one has put."""
        if isinstance(later, type(self)) and later.before is self.after:
            return replace(self, after=later.after)
        return None

    @abstractmethod
    def _put(self, document: Document, value: V) -> None: ...


@dataclass(frozen=True)
class TilesChange(_Replacement[dict[TileIndex, PackedTile]]):
    """Tiles of one plane."""

    layer_id: int
    plane: int

    @property
    def nbytes(self) -> int:
        """Memory of both sides."""
        return sum(t.nbytes for side in (self.before, self.after) for t in side.values())

    def _put(self, document: Document, value: dict[TileIndex, PackedTile]) -> None:
        layer = document.layer(self.layer_id)
        plane = layer.planes[self.plane]
        for index, packed in value.items():
            inside = plane.tile_window(index)
            layer.add_areas(tile_areas(plane.tile(index), inside), -1)
            plane.set_tile(index, packed.unpack())
            layer.add_areas(tile_areas(plane.tile(index), inside))
        document.notify("tiles", layer.id, around(plane.tile_window(i) for i in value))


@dataclass(frozen=True)
class SegmentsChange(_Replacement[dict[int, Segment | None]]):
    """Entries of a layer's segment table; None where there is no such segment."""

    layer_id: int

    @property
    def nbytes(self) -> int:
        """Memory of both sides, roughly."""
        return 400 * len(self.before)

    def _put(self, document: Document, value: dict[int, Segment | None]) -> None:
        put_segments(document.layer(self.layer_id), value)
        document.notify("segments", self.layer_id)


@dataclass(frozen=True)
class StateChange(_Replacement[LayerState]):
    """How a layer is called and shown."""

    layer_id: int
    nbytes: int = 1000

    def _put(self, document: Document, value: LayerState) -> None:
        document.layer(self.layer_id).state = value
        document.notify("layer", self.layer_id)


@dataclass(frozen=True)
class LayersChange(_Replacement[tuple[Layer, ...]]):
    """Which layers there are, from the bottom to the top."""

    @property
    def nbytes(self) -> int:
        """Memory of the layers that only one side has."""
        return sum(layer.nbytes for layer in set(self.before) ^ set(self.after))

    def _put(self, document: Document, value: tuple[Layer, ...]) -> None:
        document.put_layers(value)


@dataclass(frozen=True)
class PromptsChange(_Replacement[tuple[Prompt, ...]]):
    """The prompts of the document."""

    @property
    def nbytes(self) -> int:
        """Memory of the prompts that only one side has, roughly."""
        common = {id(prompt) for prompt in self.before} & {id(prompt) for prompt in self.after}
        return sum(_size(p) for p in (*self.before, *self.after) if id(p) not in common)

    def _put(self, document: Document, value: tuple[Prompt, ...]) -> None:
        document.put_prompts(value)


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

    def then(self, later: object) -> None:
        """Return None: it stays as it is."""


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
