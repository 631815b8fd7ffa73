"""Segments the document on show in tiles, into a proposal that grows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from segdesk.core.display import Display
from segdesk.core.geometry import Window
from segdesk.core.progress import Report
from segdesk.engine.document import Document
from segdesk.engine.growing_proposal import GrowingProposal
from segdesk.engine.job import SegmentJob
from segdesk.engine.tiling.growing import Growth
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun
from segdesk.engine.worker import Workers


@dataclass(frozen=True)
class TileOptions:
    """How an image is cut, as the user sets it."""

    in_tiles: bool = field(
        default=False, metadata={"help": "cut the image; one that memory cannot hold always is"}
    )
    tile_size: int = field(
        default=0, metadata={"help": "0: what the segmenter likes", "minimum": 0, "unit": "px"}
    )
    pixel_size: str = field(default="", metadata={"help": "0.5um, 2m, or a factor such as 0.5x"})
    only_in_view: bool = field(default=False, metadata={"help": "segment only what is on show"})

    def tiling(self, view: Window) -> Tiling | None:
        """Return how to cut an image of which a window is on show; None for not at all."""
        if not self.in_tiles:
            return None
        return Tiling(
            size=self.tile_size,
            pixel_size=self.pixel_size,
            window=view if self.only_in_view else None,
        )


@dataclass
class Attempt:
    """A run with the proposal that grows from it.

    The run is made, and used, on the lane's thread only.
    """

    document: Document
    job: SegmentJob
    tiling: Tiling
    display: Display | None
    frame: int
    proposal: GrowingProposal
    run: TiledRun | None = None

    def asks_like(self, other: Attempt) -> bool:
        """Say whether two attempts want the same, wherever they begin."""
        return self.document is other.document and self._facts == other._facts

    @property
    def _facts(self) -> tuple[Any, ...]:
        prompts = [id(prompt) for prompt in self.job.prompts]
        tiling = replace(self.tiling, focus=None)
        return self.job.key, self.job.options, prompts, tiling, self.display, self.frame


class Tiled(QObject):
    """Runs attempts; one that was stopped goes on when the same is asked for again.

    Signals
    -------
    grown
        More tiles of an ``Attempt`` are on show.
    """

    grown = Signal(object)
    _told = Signal(object, object)  # Attempt, Growth: from the thread that draws

    def __init__(self, workers: Workers, parent: QObject) -> None:
        super().__init__(parent)
        self._workers = workers
        self._last: Attempt | None = None
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)

    def begin(self, wanted: Attempt) -> Attempt:
        """Return the attempt to run: one that was stopped, where nothing has happened since."""
        last = self._last
        goes_on = (
            last is not None
            and last.run is not None
            and not last.run.is_finished
            and last.asks_like(wanted)
            and last.proposal.is_untouched
        )
        self._last = last if goes_on else wanted
        assert self._last
        return self._last

    def work(self, attempt: Attempt, report: Report) -> None:
        """Segment what is missing, on the lane's thread."""
        if attempt.run is None:
            attempt.run = TiledRun(
                attempt.document.image,
                attempt.job,
                attempt.tiling,
                attempt.display,
                attempt.frame,
            )
        attempt.run.go(self._workers, report, lambda growth: self._told.emit(attempt, growth))

    @Slot(object, object)
    def _on_told(self, attempt: Attempt, growth: Growth) -> None:
        attempt.proposal.grow(growth)
        self.grown.emit(attempt)
