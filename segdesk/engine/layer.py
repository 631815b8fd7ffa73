"""A layer: one segmentation on show, and how it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from segdesk.core.chosen import Chosen
from segdesk.core.geometry import Window
from segdesk.core.labelmap import HIGHEST_ID, LabelMap
from segdesk.core.palette import segment_colour
from segdesk.core.segmentation import Category, Colour, Segment, Segmentation, Task


@dataclass(frozen=True)
class LayerState:
    """All of a layer but its pixels and segments: small, and replaced as a whole."""

    name: str
    task: Task = "semantic"
    categories: tuple[Category, ...] = ()
    visible: bool = True
    opacity: float = 0.5  # 0..1
    colour: Colour | None = None  # one colour for all; None: by category or segment
    display: Literal["fill", "contour"] = "fill"
    locked: bool = False
    is_proposal: bool = False

    def category(self, category_id: int) -> Category | None:
        """Return a category by id."""
        return next((c for c in self.categories if c.id == category_id), None)


class Layer:
    """Planes of label maps with the segments that live on them.

    Change it through ``Document.edit`` only, so that every change can be undone.

    Attributes
    ----------
    id
        Unique in its document, never used again.
    planes
        Label maps; segments that overlap live on different ones. At least one.
    segments
        By id.
    areas
        Pixels of each segment over all planes and frames; absent means 0.
    """

    def __init__(self, layer_id: int, state: LayerState, empty: LabelMap) -> None:
        """Make a layer of one plane, which is empty and its own from then on."""
        self.id = layer_id
        self.state = state
        self.planes = [empty]
        self.segments: dict[int, Segment] = {}
        self.areas: dict[int, int] = {}

    @classmethod
    def of(cls, layer_id: int, state: LayerState, segmentation: Segmentation) -> Layer:
        """Return a layer that shows a segmentation; tiles are shared until one is written to."""
        layer = cls(layer_id, state, segmentation.planes[0].snapshot())
        layer.planes += [plane.snapshot() for plane in segmentation.planes[1:]]
        layer.segments = dict(segmentation.segments)
        for plane in layer.planes:
            layer.add_areas(plane.areas())
        return layer

    def copy(self) -> Layer:
        """Return a copy for another thread; tiles are shared until one is written to."""
        layer = Layer(self.id, self.state, self.planes[0].snapshot())
        layer.planes += [plane.snapshot() for plane in self.planes[1:]]
        layer.segments, layer.areas = dict(self.segments), dict(self.areas)
        return layer

    @property
    def nbytes(self) -> int:
        """Memory of its pixels and segments."""
        return sum(plane.nbytes for plane in self.planes) + 200 * len(self.segments)

    @property
    def next_id(self) -> int:
        """A segment id that is free."""
        return next(self.free_ids())

    def free_ids(self) -> Iterator[int]:
        """Yield segment ids that are free: those above all others first."""
        start = max(self.segments, default=0) + 1
        yield from range(start, HIGHEST_ID + 1)
        yield from (i for i in range(1, start) if i not in self.segments)

    def segmentation(self) -> Segmentation:
        """Return what the layer holds now; later edits do not reach it."""
        planes = tuple(plane.snapshot() for plane in self.planes)
        return Segmentation(self.state.task, planes, dict(self.segments), self.state.categories)

    def segment_of(self, category_id: int) -> Segment | None:
        """Return the first segment of a category."""
        return next((s for s in self.segments.values() if s.category == category_id), None)

    def segment_at(self, x: int, y: int, frame: int = 0) -> int:
        """Return the id of the topmost segment that is seen at a pixel; 0 where there is none."""
        pixel = Window(x, y, 1, 1)
        seen = (int(plane.look(pixel, frame)[0, 0]) for plane in reversed(self.planes))
        return next(filter(None, seen), 0)

    def bounds(self, segment_id: int) -> dict[int, Window]:
        """Return the smallest window around a segment on each frame on which it has pixels."""
        bounds: dict[int, Window] = {}
        for plane in self.planes:
            for (_, frame), part in Chosen(frozenset({segment_id})).windows(plane).items():
                bounds[frame] = bounds.get(frame, part).union(part)
        return dict(sorted(bounds.items()))

    def colour_of(self, segment: Segment) -> Colour:
        """Return the colour in which a segment is drawn."""
        if self.state.colour:
            return self.state.colour
        category = self.state.category(segment.category)
        if category and (self.state.task == "semantic" or not category.is_thing):
            return category.colour
        return segment_colour(segment.id)

    def add_planes(self, count: int) -> None:
        """Add empty planes on top."""
        self.planes += [self.planes[0].emptied() for _ in range(count)]

    def add_areas(self, areas: dict[int, int], sign: int = 1) -> None:
        """Count pixels in (or, with sign -1, out)."""
        for segment_id, area in areas.items():
            total = self.areas.get(segment_id, 0) + sign * area
            if total:
                self.areas[segment_id] = total
            else:
                self.areas.pop(segment_id, None)
