"""The reversible changes of a document, as data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.core.packed import AtRest
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Segment
from segdesk.core.tile import TileIndex
from segdesk.engine.layer import Layer, LayerState

if TYPE_CHECKING:
    from segdesk.engine.document import Document

V = TypeVar("V")
_INDEX_BYTES = 250  # of the entries for one tile, roughly


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


Tiles = dict[TileIndex, AtRest]


@dataclass(frozen=True)
class TilesChange:
    """Tiles of one plane before and after, and the pixels that segments gained by it."""

    before: Tiles
    after: Tiles
    areas: dict[int, int]
    layer_id: int
    plane: int

    @property
    def nbytes(self) -> int:
        """Memory of both sides, as if nobody else held the tiles."""
        tiles = (tile for side in (self.before, self.after) for tile in side.values())
        packed = sum(tile.nbytes for tile in tiles if not isinstance(tile, int))
        return packed + _INDEX_BYTES * len(self.before)

    def undo(self, target: Document) -> None:
        """Put back what was before."""
        self._put(target, self.before, -1)

    def redo(self, target: Document) -> None:
        """Put back what came after."""
        self._put(target, self.after, 1)

    def then(self, later: object) -> None:
        """Return None: it stays as it is."""

    def _put(self, document: Document, tiles: Tiles, sign: int) -> None:
        layer = document.layer(self.layer_id)
        plane = layer.planes[self.plane]
        for index, tile in tiles.items():
            plane.put_packed(index, tile)
        layer.add_areas(self.areas, sign)
        notify_tiles(document, layer, plane, tiles)


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
        document.notify("segments", self.layer_id, segments=value.keys())


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
        before, after = ({layer.id: layer for layer in side} for side in (self.before, self.after))
        return sum((before | after)[i].nbytes for i in before.keys() ^ after.keys())

    def _put(self, document: Document, value: tuple[Layer, ...]) -> None:
        there = {layer.id: layer for layer in document.layers}  # others, for a change of a draft
        known = tuple(there.get(layer.id, layer) for layer in value)
        document.put_layers(value if known == value else known)


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


def notify_tiles(
    document: Document, layer: Layer, plane: LabelMap, indices: Collection[TileIndex]
) -> None:
    """Tell a document's listeners of tiles that have changed."""
    frames = {frame for _, _, frame in indices}
    window = around(map(plane.tile_window, indices))
    document.notify("tiles", layer.id, window, frames.pop() if len(frames) == 1 else None)


def around(windows: Iterable[Window]) -> Window:
    """Return the smallest window around all of some windows."""
    result = Window(0, 0, 0, 0)
    for window in windows:
        result = result.union(window)
    return result


def _size(prompt: Any) -> int:
    return 200 + sum(getattr(getattr(prompt, name), "nbytes", 0) for name in vars(prompt))
