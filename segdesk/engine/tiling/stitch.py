"""Draws the segments of tiles, and makes those that a seam has cut one again.

Every pixel is decided by the tile that owns it, where segments do not overlap. Masks that may
overlap are drawn as far as their tile is to be trusted. What lies wholly in the part of a neighbour
is that one's to draw, so nothing appears twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.segmentation import Segment, SegmentIds, SegmentMasks
from segdesk.engine.tiling.growing import Growing
from segdesk.engine.tiling.matching import Part, matches, parts_of_ids
from segdesk.engine.tiling.plan import Plan, Tile

Mask = NDArray[np.bool_]
Drawn = tuple[int, Window]  # plane, and where on it, in pixels of the image


class Stitcher:
    """Draws ``SegmentMasks`` and ``SegmentIds``.

    Parameters
    ----------
    plan
        The tiles.
    growing
        Where to draw.
    """

    def __init__(self, plan: Plan, growing: Growing) -> None:
        self._plan, self._growing = plan, growing
        self.kept: dict[Tile, list[Part]] = {}  # parts that a neighbour may go on with
        self.drawn: dict[int, set[Drawn]] = {}  # by segment: of those that may still be joined
        self.stuff: dict[int, int] = {}  # by category: the segment
        self.next_id = 1
        self._finished: set[Tile] = set()

    @property
    def nbytes(self) -> int:
        """Memory of all parts that wait for their neighbours."""
        return sum(part.mask.nbytes for parts in self.kept.values() for part in parts)

    @property
    def waiting(self) -> set[Tile]:
        """Tiles of which something is not drawn yet: none."""
        return set()

    def add(self, tile: Tile, answer: SegmentMasks | SegmentIds) -> None:
        """Take the answer for a tile, and draw it."""
        overlaps = isinstance(answer, SegmentMasks) and answer.task == "instance"
        inside = self._plan.trusted(tile) if overlaps else self._plan.owned(tile)
        things = {category.id for category in answer.categories if category.is_thing}
        if answer.task == "semantic":
            things = set()
        parts = list(self._parts(tile, answer))
        self._join([part for part in parts if part.category in things], tile)
        for part in parts:
            if part.category not in things:
                part.id = self._stuff_id(part.category)
            if part.count_in(self._plan.owned(tile)):
                self._draw(part, inside)
        self.kept[tile] = [p for p in parts if p.category in things and self._reaches_out(p, tile)]
        self._finish(tile)

    def skip(self, tile: Tile) -> None:
        """Leave a tile out."""
        self._finish(tile)

    def restore(self, finished: set[Tile]) -> None:
        """Go on after some tiles; their parts and segments have been put back."""
        self._finished = finished

    def _parts(self, tile: Tile, answer: SegmentMasks | SegmentIds) -> Iterator[Part]:
        window = self._plan.tile_window(tile)
        if isinstance(answer, SegmentMasks):
            for region in answer.masks:
                place = region.window.shifted(window.x, window.y)
                yield Part(region.mask, place, region.category, region.score)
            return
        segments = {segment.id: segment for segment in answer.segments}
        for number, place, mask in parts_of_ids(answer.ids):
            segment = segments[number]
            yield Part(mask, place.shifted(window.x, window.y), segment.category, segment.score)

    def _join(self, parts: list[Part], tile: Tile) -> None:
        """Give every part a segment: that of the part that a neighbour shows, or a new one."""
        window = self._plan.tile_window(tile)
        for other in self._plan.neighbours(tile):
            overlap = window.intersection(self._plan.tile_window(other))
            for ours, theirs in matches(parts, self.kept.get(other, ()), overlap):
                if ours.id and ours.id != theirs.id:
                    self._merge(ours.id, theirs.id, parts)
                else:
                    ours.id = theirs.id
        for part in parts:
            if not part.id:
                part.id, self.next_id = self.next_id, self.next_id + 1

    def _stuff_id(self, category: int) -> int:
        if category not in self.stuff:
            self.stuff[category], self.next_id = self.next_id, self.next_id + 1
        return self.stuff[category]

    def _merge(self, one: int, other: int, parts: list[Part]) -> None:
        """Make two segments one: the one with fewer parts takes the id of the other."""
        gone, stays = sorted((one, other), key=lambda i: len(self.drawn.get(i, ())))
        for kept in (parts, *self.kept.values()):
            for part in kept:
                part.id = stays if part.id == gone else part.id
        for number, window in self.drawn.pop(gone, ()):
            old = self._growing.read(number, window) == gone
            self._growing.write(number, window, 0, old)
            self._paint(stays, window, old)
        segment = self._growing.segments.get(gone)
        if segment:
            self._growing.drop_segment(gone)
            self._note(stays, segment.category, segment.score)

    def _draw(self, part: Part, inside: Window) -> None:
        window = part.window.intersection(inside)
        window, mask = self._on_image(window, part.inside(inside))
        if mask.any():
            self._paint(part.id, window, mask)
            self._note(part.id, part.category, part.score)

    def _paint(self, segment_id: int, window: Window, mask: Mask) -> None:
        """Paint a segment on the first plane where it covers no other, best on one that it has."""
        own = {number for number, _ in self.drawn.get(segment_id, ())}
        for number in own:  # a pixel of a segment is on one plane only
            mask = mask & (self._growing.read(number, window) != segment_id)
        for number in (*sorted(own), *(set(range(len(self._growing.planes) + 1)) - own)):
            there = self._growing.plane(number).read(window, 0, self._growing.frame)[mask]
            if not there.any():
                break
        self._growing.write(number, window, segment_id, mask)
        if segment_id not in self.stuff.values():
            self.drawn.setdefault(segment_id, set()).add((number, window))

    def _note(self, segment_id: int, category: int, score: float | None) -> None:
        """Keep the segment's entry, with the best score of all its parts."""
        known = self._growing.segments.get(segment_id)
        scores = [s for s in (score, known.score if known else None) if s is not None]
        best = max(map(float, scores), default=None)
        self._growing.add_segment(Segment(segment_id, int(category), best))

    def _on_image(self, window: Window, mask: Mask) -> tuple[Window, Mask]:
        """Return a mask at the resolution of the image, as far as that is to be segmented."""
        across, columns = _pixels(window.x, window.right, self._plan.scale[0])
        down, rows = _pixels(window.y, window.bottom, self._plan.scale[1])
        place = Window(across, down, len(columns), len(rows))
        inside = place.intersection(self._plan.window)
        part = inside.shifted(-place.x, -place.y)
        if part.shape != mask.shape or self._plan.scale != (1.0, 1.0):
            mask = mask[np.ix_(rows[part.slices[0]], columns[part.slices[1]])]
        return inside, mask

    def _reaches_out(self, part: Part, tile: Tile) -> bool:
        """Say whether a neighbour that has not answered yet may see the same object."""
        coming = (n for n in self._plan.neighbours(tile) if n not in self._finished)
        return any(part.window.intersection(self._plan.tile_window(n)) for n in coming)

    def _finish(self, tile: Tile) -> None:
        """Forget the parts that no tile can go on with any more."""
        self._finished.add(tile)
        for other in (tile, *self._plan.neighbours(tile)):
            if other in self.kept and self._finished.issuperset(self._plan.neighbours(other)):
                del self.kept[other]
        alive = {part.id for parts in self.kept.values() for part in parts}
        for segment_id in self.drawn.keys() - alive:
            del self.drawn[segment_id]


def _pixels(start: int, stop: int, scale: float) -> tuple[int, NDArray[Any]]:
    """Return the first pixel of the image in a range of the plan's, and what each of them shows."""
    first, last = (-int(-(place / scale - 0.5) // 1) for place in (start, stop))
    return first, (np.floor((np.arange(first, last) + 0.5) * scale) - start).astype(np.intp)
