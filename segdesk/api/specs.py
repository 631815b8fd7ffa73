"""What plugins offer, as frozen data: cheap to list, heavy only when opened.

``options`` is always a frozen dataclass or None. From its fields come the form in the window and
the flags of the command line: a field's type is bool, int, float, str or a Literal of strings, its
``metadata`` may hold ``help``, ``minimum``, ``maximum`` and ``unit``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo, ImageSource, Pixels
from segdesk.core.progress import Report
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Answer, Category, Segmentation

_TILE = 1024  # pixels along the side of a tile of a segmenter that does not say


@dataclass(frozen=True)
class SegmentRequest:
    """One question to a session: the pixels of a window, and what the user says of them.

    For a tile the window counts in pixels at the resolution of the tiling, and may reach beyond
    the image, where pixels are mirrored.
    """

    pixels: Pixels  # (rows, columns, bands), the image's own dtype
    rgb: NDArray[Any]  # (rows, columns, 3) uint8, as displayed; may share memory with `pixels`
    window: Window  # where they lie in the image, level 0
    image_key: str  # equal keys, equal pixels: a session may keep what it computed from them
    prompts: tuple[Prompt, ...] = ()  # in level-0 pixels of the image, not of the window
    categories: tuple[Category, ...] = ()  # the user's own, for segmenters that learn from prompts
    options: Any = None  # an instance of the spec's `options`
    image_size: tuple[int, int] | None = None  # (width, height); None: the window is all there is
    frame: int = 0  # which plane of a stack the pixels are of
    frames: int = 1  # how many the image has


class Session(Protocol):
    """A segmenter with its checkpoint loaded on a device; used from one thread only.

    It may have two more methods. ``segment_many(requests, report) -> list[Answer]`` answers for
    several windows at once; the engine gives it tiles of the same size. ``use_half() -> bool``
    computes in half precision from then on, and says whether the device can.
    """

    def segment(self, request: SegmentRequest, report: Report) -> Answer:
        """Answer for the request's window. Slow once an image key, fast often."""
        ...

    def close(self) -> None:
        """Let go of memory and device."""
        ...


@dataclass(frozen=True)
class Checkpoint:
    """Weights by Hub id or folder, as offered to the user."""

    ref: str
    title: str


@dataclass(frozen=True)
class SegmenterSpec:
    """A model, or a way of computing, that turns pixels and prompts into segments."""

    id: str
    title: str
    task: Literal["semantic", "instance", "panoptic", "prompted", "in-context"]
    open: Callable[[str, str, Report], Session]  # (checkpoint, device, report)
    prompts: frozenset[type[Any]] = frozenset()  # prompt types it takes; empty: fully automatic
    options: type[Any] | None = None
    checkpoints: tuple[Checkpoint, ...] = ()  # suggestions
    needs_checkpoint: bool = False  # cannot do without; `open` then gets the folder of one
    live: bool = False  # quick enough to answer after every prompt
    tile: int | None = None  # pixels along the side of a tile it likes; 0: only whole images
    half: bool = False  # its sessions have `use_half`
    help: str = ""

    @property
    def tile_size(self) -> int:
        """Pixels along the side of a tile; 0 where an image must be segmented in one piece.

        What needs prompts or learns from the image does, unless it says otherwise.
        """
        if self.tile is not None:
            return self.tile
        return 0 if self.task in ("prompted", "in-context") else _TILE


@dataclass(frozen=True)
class ReaderSpec:
    """A family of image formats."""

    id: str
    title: str
    suffixes: tuple[str, ...]  # with the dot, lower case: for dialogs and folder listings
    open: Callable[[Path], ImageSource]  # reads the header only; raises ImageError
    sniff: Callable[[bytes], bool]  # does the file start like this format? given its first 4 KiB
    probe: bool = True  # touch an unknown file in a child process first; False: decoder is hardened


@dataclass(frozen=True)
class ExportRequest:
    """What a writer writes, and where."""

    segmentation: Segmentation
    image: ImageSource  # the pixels as they are
    folder: Path  # exists; a temporary one: the engine moves the files into place afterwards
    stem: str  # first part of every file name
    rgb: Callable[[Window], NDArray[Any]]  # displayed pixels of a window, (rows, columns, 3) uint8
    options: Any = None

    @property
    def info(self) -> ImageInfo:
        """Size, kind and place of the image."""
        return self.image.info


@dataclass(frozen=True)
class WriterSpec:
    """A format that segmentations can be exported to."""

    id: str
    title: str
    write: Callable[[ExportRequest, Report], list[Path]]  # files in request.folder; main one first
    check: Callable[[ExportRequest, list[Path]], None]  # reads them back; raises ExportError
    losses: Callable[[Segmentation], list[str]]  # what the format cannot hold of this one
    options: type[Any] | None = None
    takes_stacks: bool = False  # all frames at once; False: each frame is written on its own


@dataclass(frozen=True)
class TrainRequest:
    """What a trainer learns from, and where it puts the result."""

    dataset: Path
    checkpoint: str
    output: Path
    device: str
    options: Any = None


@dataclass(frozen=True)
class TrainedModel:
    """What came of a training."""

    segmenter_id: str
    checkpoint: Checkpoint
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class TrainerSpec:
    """A way to fine-tune one segmenter."""

    id: str
    title: str
    segmenter_id: str
    train: Callable[[TrainRequest, Report], TrainedModel]
    options: type[Any] | None = None
