"""Categories, segments, and what a session may answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap

Task = Literal["semantic", "instance", "panoptic"]
State = Literal["proposed", "accepted", "rejected"]
Colour = tuple[int, int, int]

_BACKGROUND_NAMES = {"background", "_background_", "__background__", "unlabeled", "unlabelled"}

IGNORE = 255
"""Category id of pixels that nobody may learn from or count."""


@dataclass(frozen=True, slots=True)
class Category:
    """What a segment is."""

    id: int
    name: str
    colour: Colour
    is_thing: bool = True  # countable (a cell), or stuff (tissue)

    @property
    def is_background(self) -> bool:
        """Whether it means that there is nothing: id 0, unless a checkpoint calls that a wall."""
        return self.id == 0 and self.name.strip().lower() in _BACKGROUND_NAMES


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who made a segment: by hand when ``segmenter`` is empty."""

    segmenter: str = ""
    checkpoint: str = ""
    version: str = ""
    prompt: str = ""
    time: str = ""  # ISO 8601, UTC


BY_HAND = Provenance()


@dataclass(frozen=True, slots=True)
class Segment:
    """One region; its id is the value in the label map."""

    id: int  # >= 1, unique in its layer over all planes
    category: int
    score: float | None = None
    state: State = "accepted"
    provenance: Provenance = BY_HAND


@dataclass(frozen=True)
class Segmentation:
    """A result on the scale of the image.

    Segments that overlap live on different planes. A semantic result has one segment a category.
    """

    task: Task
    planes: tuple[LabelMap, ...]
    segments: dict[int, Segment]
    categories: tuple[Category, ...]

    @property
    def frames(self) -> tuple[int, ...]:
        """The frames on which there is anything."""
        return tuple(sorted({index[2] for plane in self.planes for index in plane.indices()}))

    def on_frame(self, frame: int) -> Segmentation:
        """Return what lies on one frame, as the segmentation of an image with no others."""
        planes = tuple(plane.of_frame(frame) for plane in self.planes)
        present = {segment_id for plane in planes for segment_id in plane.areas()}
        segments = {i: segment for i, segment in self.segments.items() if i in present}
        return Segmentation(self.task, planes, segments, self.categories)


# What Session.segment may answer, always for the window of the request.


@dataclass(frozen=True)
class CategoryScores:
    """Semantic: a score per category at the model's own resolution; the engine resolves it."""

    scores: NDArray[Any]  # (categories, h, w) float32; any h, w
    categories: tuple[Category, ...]  # in the order of the first axis


@dataclass(frozen=True)
class RegionMask:
    """One segment as a mask on a crop of the request's window."""

    mask: NDArray[Any]  # (rows, columns) bool, the shape of `window`
    window: Window  # in pixels of the request's window
    category: int
    score: float | None = None


@dataclass(frozen=True)
class SegmentMasks:
    """Instance, panoptic or prompted: segments that may overlap."""

    masks: tuple[RegionMask, ...]
    categories: tuple[Category, ...]
    task: Task = "instance"


@dataclass(frozen=True)
class SegmentIds:
    """A label map that is ready: for segmenters that compute it directly."""

    ids: NDArray[Any]  # (rows, columns) int32 of segment ids, 0 = nothing
    segments: tuple[Segment, ...]
    categories: tuple[Category, ...]
    task: Task = "semantic"


Answer = CategoryScores | SegmentMasks | SegmentIds
