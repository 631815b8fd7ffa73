"""The operations on segments as a table: what a menu, a form and the command line have to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from segdesk.core.components import Neighbours
from segdesk.core.errors import SegdeskError, UsageError
from segdesk.core.morphology import Reach
from segdesk.core.progress import Report, silent
from segdesk.core.segmentation import Task
from segdesk.engine import regions
from segdesk.engine.converting import convert
from segdesk.engine.document import Document
from segdesk.engine.regions import Target

Joined = Literal["sides and corners", "sides"]
_MOST = 1000  # pixels that an outline may move
_AREA = {"minimum": 0, "maximum": 10**9, "unit": "pixels"}


@dataclass(frozen=True)
class By:
    """How far an outline moves."""

    by: float = field(default=2.0, metadata={"minimum": 0, "maximum": 1e6, "help": "How far."})
    unit: Literal["pixels", "units of the image"] = field(
        default="pixels",
        metadata={"help": "Units of the image are its micrometres, millimetres or metres."},
    )


@dataclass(frozen=True)
class Smoothing:
    """How smooth an outline becomes."""

    radius: int = field(
        default=2,
        metadata={
            "minimum": 1,
            "maximum": 100,
            "unit": "pixels",
            "help": "Parts that are thinner go.",
        },
    )


@dataclass(frozen=True)
class Holes:
    """Which holes are filled."""

    up_to: int = field(default=0, metadata={**_AREA, "help": "The largest hole; 0 for any."})


@dataclass(frozen=True)
class Small:
    """What is small."""

    below: int = field(default=50, metadata={**_AREA, "help": "What has fewer pixels goes."})
    counted: Literal["parts", "whole segments"] = field(
        default="parts", metadata={"help": "Parts hang together; segments may have several."}
    )


_JOINED = {"help": "Where pixels touch that hang together."}
_OVER_FRAMES = {"help": "Parts may reach over frames, as in a volume."}


@dataclass(frozen=True)
class Parts:
    """What hangs together."""

    joined_by: Joined = field(default="sides and corners", metadata=_JOINED)
    over_frames: bool = field(default=False, metadata=_OVER_FRAMES)


@dataclass(frozen=True)
class Shape:
    """Where objects are told apart."""

    waist: float = field(
        default=0.75,
        metadata={
            "minimum": 0.1,
            "maximum": 1.0,
            "help": "Objects are two where what joins them is narrower than this share of one.",
        },
    )


@dataclass(frozen=True)
class Conversion:
    """What a layer becomes."""

    to: Task = field(
        default="instance",
        metadata={"help": "Instance: a segment an object; semantic: one for each category."},
    )
    joined_by: Joined = field(default="sides and corners", metadata=_JOINED)
    over_frames: bool = field(default=False, metadata=_OVER_FRAMES)


@dataclass(frozen=True)
class Operation:
    """One operation, as a menu offers it.

    Attributes
    ----------
    options
        A frozen dataclass; None: nothing to choose.
    frames
        What it works on when not told: every frame, or the one on show.
    """

    id: str
    title: str
    help: str
    run: Callable[[Document, Target, Any, Report], object]
    options: type[Any] | None = None
    frames: Literal["all", "one"] = "all"
    needs_frames: bool = False
    icon: str = ""


def operate(
    document: Document,
    operation_id: str,
    target: Target,
    options: Any = None,
    report: Report = silent,
) -> None:
    """Run an operation by its id, as one step. Raises ``SegdeskError``."""
    operation = OPERATIONS.get(operation_id)
    if operation is None:
        raise UsageError(f"There is no operation {operation_id!r}. Known: {', '.join(OPERATIONS)}.")
    default = operation.options() if operation.options else None
    operation.run(document, target, options or default, report)


def reach_of(document: Document, by: By) -> Reach:
    """Return a distance in pixels of an image, or in its units where it knows its spacing."""
    info = document.image.info
    width, height = (1.0, 1.0) if by.unit == "pixels" else info.spacing or (0.0, 0.0)
    if not width or not height:
        raise SegdeskError("The image does not say how large its pixels are: choose pixels.")
    if by.by > _MOST * min(width, height):
        raise SegdeskError(f"Outlines move by up to {_MOST} pixels at a time: choose less.")
    return Reach(by.by, abs(width), abs(height))


def difference(before: dict[int, int], after: dict[int, int]) -> str:
    """Return in words how the areas of segments differ."""
    changed = sum(area != before[i] for i, area in after.items() if i in before)
    counts = (
        (changed, "changed"),
        (len(after.keys() - before.keys()), "new"),
        (len(before.keys() - after.keys()), "gone"),
    )
    words = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    gained = sum(after.values()) - sum(before.values())
    if not words:
        return "No segment changes."
    pixels = f"{abs(gained):,} pixel{'s' * (abs(gained) != 1)}"
    more = f", {pixels} {'more' if gained > 0 else 'fewer'}" if gained else ""
    return f"Segments: {words}{more}."


def _neighbours(parts: Parts | Conversion) -> Neighbours:
    """Return how many pixels around one hang together with it."""
    if parts.over_frames:
        return 6 if parts.joined_by == "sides" else 26
    return 4 if parts.joined_by == "sides" else 8


def _grow(document: Document, target: Target, by: By, report: Report) -> None:
    regions.grow(document, target, reach_of(document, by), report)


def _shrink(document: Document, target: Target, by: By, report: Report) -> None:
    regions.shrink(document, target, reach_of(document, by), report)


def _smooth(document: Document, target: Target, how: Smoothing, report: Report) -> None:
    regions.smooth(document, target, how.radius, report)


def _fill_holes(document: Document, target: Target, which: Holes, report: Report) -> None:
    regions.fill_holes(document, target, which.up_to, report)


def _remove_small(document: Document, target: Target, small: Small, report: Report) -> None:
    if small.counted == "parts":
        regions.remove_small_parts(document, target, small.below, 8, report)
    else:
        regions.remove_small_segments(document, target, small.below)


def _split_parts(document: Document, target: Target, parts: Parts, report: Report) -> None:
    regions.split_parts(document, target, _neighbours(parts), report)


def _split_by_shape(document: Document, target: Target, shape: Shape, report: Report) -> None:
    regions.split_by_shape(document, target, shape.waist, report)


def _convert(document: Document, target: Target, to: Conversion, report: Report) -> None:
    convert(document, target.layer_id, to.to, _neighbours(to), report)


def _copy(document: Document, target: Target, _: None, report: Report) -> None:
    regions.copy_to_next_frame(document, target, report)


def _fill_between(document: Document, target: Target, _: None, report: Report) -> None:
    regions.fill_between_frames(document, target, report)


_TABLE = (
    Operation(
        "grow",
        "Grow",
        "Segments grow onto free pixels around them; they stop at others.",
        _grow,
        By,
        icon="arrows-out-simple",
    ),
    Operation(
        "shrink",
        "Shrink",
        "Segments lose what is near their outline. The edge of the image is no outline.",
        _shrink,
        By,
        icon="arrows-in-simple",
    ),
    Operation(
        "smooth",
        "Smooth",
        "Outlines become smooth, without moving much.",
        _smooth,
        Smoothing,
        icon="waves",
    ),
    Operation(
        "fill_holes",
        "Fill Holes",
        "Free pixels that a segment encloses become part of it.",
        _fill_holes,
        Holes,
        icon="circle",
    ),
    Operation(
        "remove_small",
        "Remove Small",
        "What has too few pixels goes.",
        _remove_small,
        Small,
        icon="funnel",
    ),
    Operation(
        "split_parts",
        "Split into Parts",
        "Each part of a segment that hangs together becomes a segment; the largest keeps its id.",
        _split_parts,
        Parts,
        icon="circles-four",
    ),
    Operation(
        "split_by_shape",
        "Split Touching Objects",
        "Segments are split at their waists, by a watershed of the distance to the outline.",
        _split_by_shape,
        Shape,
        icon="circles-three",
    ),
    Operation(
        "convert",
        "Convert Layer",
        "From one segment for each category to one for each object, and back.",
        _convert,
        Conversion,
        icon="swap",
    ),
    Operation(
        "copy_to_next_frame",
        "Copy to Next Frame",
        "Segments on this frame also get the free pixels of the next one.",
        _copy,
        frames="one",
        needs_frames=True,
        icon="copy",
    ),
    Operation(
        "fill_between_frames",
        "Fill Between Frames",
        "Segments that are painted on two frames get shapes on those in between.",
        _fill_between,
        needs_frames=True,
        icon="stack",
    ),
)
OPERATIONS: dict[str, Operation] = {operation.id: operation for operation in _TABLE}
