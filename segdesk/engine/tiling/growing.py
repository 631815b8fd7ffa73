"""A segmentation that grows tile by tile, and what is new in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.core.packed import AtRest
from segdesk.core.segmentation import (
    Category,
    Provenance,
    Segment,
    Segmentation,
    Task,
)
from segdesk.core.tile import TileIndex


@dataclass(frozen=True)
class Growth:
    """What the latest tiles have added to or changed in a segmentation."""

    task: Task
    categories: tuple[Category, ...]
    tiles: tuple[dict[TileIndex, AtRest], ...]  # by plane: whole tiles of the label map
    segments: dict[int, Segment | None]  # None: gone
    done: int  # tiles so far, of the plan
    total: int


class Growing:
    """Planes and segments in the making.

    Parameters
    ----------
    empty
        A label map of the image's size.
    frame
        The one to draw on.
    provenance
        Noted on every segment.
    """

    def __init__(self, empty: LabelMap, frame: int, provenance: Provenance) -> None:
        self.planes = [empty]
        self.frame = frame
        self.segments: dict[int, Segment] = {}
        self.task: Task = "semantic"
        self.categories: tuple[Category, ...] = ()
        self.watched = False  # whether anybody asks for `growth`
        self._provenance = provenance
        self._news: dict[int, Segment | None] = {}

    def expect(self, task: Task, categories: tuple[Category, ...]) -> None:
        """Say what the answers are about."""
        self.task, self.categories = task, categories

    def watch(self) -> None:
        """Remember what changes from now on, for ``growth``."""
        if not self.watched:
            self.watched = True
            for plane in self.planes:
                plane.begin()

    def add_segment(self, segment: Segment) -> None:
        """Add or replace a segment, as a proposal."""
        segment = replace(segment, state="proposed", provenance=self._provenance)
        if self.segments.get(segment.id) != segment:
            self.segments[segment.id] = self._news[segment.id] = segment

    def drop_segment(self, segment_id: int) -> None:
        """Forget a segment."""
        if self.segments.pop(segment_id, None) is not None:
            self._news[segment_id] = None

    def plane(self, number: int) -> LabelMap:
        """Return a plane, new ones where there are not so many yet."""
        while len(self.planes) <= number:
            self.planes.append(self.planes[0].emptied())
            if self.watched:
                self.planes[-1].begin()
        return self.planes[number]

    def read(self, number: int, window: Window) -> NDArray[np.int32]:
        """Return the ids of a window of a plane."""
        return self.planes[number].read(window, 0, self.frame)

    def write(
        self,
        number: int,
        window: Window,
        ids: NDArray[Any] | int,
        where: NDArray[np.bool_] | None = None,
    ) -> None:
        """Write ids into a window of a plane."""
        self.plane(number).write(window, ids, where, self.frame)

    def clear(self) -> None:
        """Start from nothing again."""
        for plane in self.planes:
            for index in plane.indices():
                plane.put_packed(index, 0)
        for segment_id in tuple(self.segments):
            self.drop_segment(segment_id)

    def growth(self, done: int, total: int) -> Growth:
        """Return what is new since ``watch``, or since the last call."""
        tiles: list[dict[TileIndex, AtRest]] = []
        for plane in self.planes:
            tiles.append(plane.commit().after)
            plane.begin()
        news, self._news = self._news, {}
        return Growth(self.task, self.categories, tuple(tiles), news, done, total)

    def segmentation(self) -> Segmentation:
        """Return what there is now; what is drawn later does not reach it."""
        planes = tuple(plane.snapshot() for plane in self.planes)
        present = {segment_id for plane in planes for segment_id in plane.areas()}
        segments = {i: self.segments[i] for i in sorted(self.segments) if i in present}
        return Segmentation(self.task, planes, segments, self.categories)
