"""Segments an image tile by tile; can be stopped, and go on later with the tiles that are missing.

Three things happen at a time: the next tiles are read, the segmenter answers for some, and what it
answered before is drawn. So a device never waits for a disk or for drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol
from uuid import uuid4

from segdesk.api import SegmentRequest
from segdesk.core.display import Display, default_display
from segdesk.core.errors import OutOfMemory, UsageError, WouldNotFit
from segdesk.core.image import ImageSource, Pixels
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, silent
from segdesk.core.prompts import Example
from segdesk.core.segmentation import Answer, Segmentation
from segdesk.engine.images import check_memory, overview
from segdesk.engine.job import SegmentJob, check_job, read_only
from segdesk.engine.registry import registry
from segdesk.engine.sessions import provenance_of
from segdesk.engine.tiling.drawing import Drawing
from segdesk.engine.tiling.growing import Growing, Growth
from segdesk.engine.tiling.ladder import Rung, RungMemory
from segdesk.engine.tiling.pixels import TileReader, prefetched
from segdesk.engine.tiling.plan import Tile, Tiling, plan_tiles

_SAMPLE = 1024  # pixels along the side of the copy of an image that its display comes from


class Answerer(Protocol):
    """What asks segmenters: ``Sessions`` in this process, ``Workers`` in others."""

    def answers(
        self, job: SegmentJob, requests: Sequence[SegmentRequest], report: Report = silent
    ) -> list[Answer]:
        """Return what the segmenter says of some windows."""
        ...


@dataclass(frozen=True)
class LoadedTile:
    """A tile with its pixels; None where there is nothing to see."""

    tile: Tile
    pixels: Pixels | None


class _OtherSize(Exception):
    """Tiles must be smaller to fit into memory."""

    def __init__(self, rung: Rung) -> None:
        self.rung = rung


class TiledRun:
    """One segmentation in tiles.

    For one thread at a time.

    Parameters
    ----------
    source
        An open image.
    job
        The segmenter and what to tell it.
    tiling
        How to cut the image into tiles.
    display
        How the image is shown, for segmenters that take RGB; None: as the window opens it.
    frame
        Which plane of a stack.

    Raises
    ------
    UsageError, PromptError, ImageError
        When the job or the tiling does not fit the segmenter or the image.
    """

    def __init__(
        self,
        source: ImageSource,
        job: SegmentJob,
        tiling: Tiling,
        display: Display | None = None,
        frame: int = 0,
    ) -> None:
        info, spec = source.info, registry().segmenter(job.segmenter)
        if not spec.tile_size:
            raise UsageError(f"The segmenter {spec.id!r} does not work in tiles.")
        self._source, self.tiling, self._frame = source, tiling, frame
        self.job = check_job(source, job, frame)
        size = tiling.size or spec.tile_size
        self._first = Rung(tiling.batch, job.half, size, job.device, spec.half)
        self._rungs = RungMemory(job, self._first)
        self._display = display or _display_of(source, frame)
        empty = LabelMap(info.width, info.height, info.frames)
        self.growing = Growing(empty, frame, provenance_of(job))
        self._words = ""  # what has changed since memory ran out
        self._answered = 0  # tiles; some may not be drawn yet
        self.begin(self._rungs.recall())
        if self.plan.scale != (1.0, 1.0) and not all(isinstance(p, Example) for p in job.prompts):
            raise UsageError("Prompts on the image and another resolution do not go together.")

    @property
    def asked(self) -> tuple[Any, ...]:
        """The segmenter, checkpoint, device and size of tiles that the user asked for."""
        return (*self.job.key, self._first.size)

    @property
    def is_finished(self) -> bool:
        """Whether all tiles are drawn."""
        return len(self.drawing.done) == len(self.plan)

    def go(
        self,
        answerer: Answerer,
        report: Report = silent,
        on_growth: Callable[[Growth], None] | None = None,
    ) -> Segmentation:
        """Segment all tiles that are missing, and return the whole.

        What is done stays when an error ends it: ``segmentation`` returns it, and another call
        goes on. The tiles of a smaller size begin anew.

        Parameters
        ----------
        answerer
            Asks the segmenter.
        report
            Progress and stop.
        on_growth
            Is told what is new after every few tiles, in another thread.

        Raises
        ------
        Cancelled
            When ``report`` says so.
        OutOfMemory
            When the smallest tile on the slowest device is still too much.
        SegdeskError
            What ``Sessions.answers`` or reading the image raises.
        """
        if on_growth:
            self.growing.watch()
        while not self.is_finished:
            try:
                self._go_on(answerer, report, on_growth)
            except _OtherSize as other:
                self.begin(other.rung)
        return self.growing.segmentation()

    def segmentation(self) -> Segmentation:
        """Return what is drawn so far."""
        return self.growing.segmentation()

    def begin(self, rung: Rung) -> None:
        """Start from nothing with tiles of a rung's size."""
        self.rung = rung
        tiling = replace(self.tiling, size=rung.size)
        if tiling.overlap is not None and rung.size < self._first.size:
            tiling = replace(tiling, overlap=min(tiling.overlap, rung.size // 2))
        self.plan = plan_tiles(self._source.info, tiling, rung.size)
        check_memory(self._source.info, self.plan.tile_window((0, 0)))
        self._reader = TileReader(self._source, self.plan.scale, self._frame)
        self.growing.clear()
        self.drawing = Drawing(self.plan, self.growing)

    def _go_on(
        self, answerer: Answerer, report: Report, on_growth: Callable[[Growth], None] | None
    ) -> None:
        """Ask for all missing tiles."""
        done = frozenset(self.drawing.done)
        self._answered = len(done)
        missing = (tile for tile in self.plan.in_order() if tile not in done)
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as artist:
            drawn: list[Future[None]] = []
            try:
                for loaded in self._batches(reader, missing):
                    answers = self._ask(answerer, loaded, report)
                    self._answered += len(answers)
                    drawn.append(artist.submit(self._draw, answers, on_growth))
                    if len(drawn) > 1:
                        drawn.pop(0).result()
            finally:
                for future in drawn:
                    future.result()

    def _batches(self, reader: Executor, missing: Iterable[Tile]) -> Iterator[list[LoadedTile]]:
        tiles = prefetched(reader, self._load, missing, 2 * self.rung.batch)
        while batch := list(islice(tiles, self.rung.batch)):
            yield batch

    def _load(self, tile: Tile) -> LoadedTile:
        pixels = self._reader.read(self.plan.tile_window(tile))
        return LoadedTile(tile, None if self._reader.is_empty(pixels) else pixels)

    def _ask(
        self, answerer: Answerer, loaded: list[LoadedTile], report: Report
    ) -> dict[Tile, Answer | None]:
        """Return the answers for tiles; None for those that show nothing."""
        answers: dict[Tile, Answer | None] = {t.tile: None for t in loaded}
        shown = [tile for tile in loaded if tile.pixels is not None]
        while shown:
            group = shown[: self.rung.batch]
            told = self._telling(report, len(loaded) - len(shown), len(group))
            requests = [self._request(tile) for tile in group]
            try:
                found = answerer.answers(self.rung.job(self.job), requests, told)
            except OutOfMemory as error:
                self._climb_down(error)
                continue
            answers |= zip((tile.tile for tile in group), found, strict=True)
            shown = shown[len(group) :]
        return answers

    def _climb_down(self, error: OutOfMemory) -> None:
        """Go one rung down; at the bottom the error is final."""
        below = self.rung.below()
        if below is None:
            raise error
        rung, words = below
        if isinstance(error, WouldNotFit):  # now; the next time more may be free
            self._words = f"to fit into memory: {words}"
        else:
            self._words = f"memory ran out: {words}"
            self._rungs.note(rung)
        if rung.size != self.rung.size:
            raise _OtherSize(rung)
        self.rung = rung

    def _telling(self, report: Report, more: int, count: int) -> Report:
        total, start = len(self.plan), self._answered + more

        def told(fraction: float, message: str) -> None:
            place = f"Tile {start + 1} of {total}" if start else f"{total} tiles"
            words = f"{place}: {message}" if message else place
            if self._words:
                words += f" ({self._words})"
            report((start + count * min(max(fraction, 0.0), 1.0)) / total, words)

        return told

    def _request(self, loaded: LoadedTile) -> SegmentRequest:
        assert loaded.pixels is not None
        info = self._source.info
        return SegmentRequest(
            pixels=read_only(loaded.pixels),
            rgb=read_only(self._display.apply(loaded.pixels)),
            window=self.plan.tile_window(loaded.tile),
            image_key=uuid4().hex,
            prompts=self.job.prompts,
            categories=self.job.categories,
            options=self.job.options,
            image_size=self._reader.size,
            frame=self._frame,
            frames=info.frames,
        )

    def _draw(
        self, answers: dict[Tile, Answer | None], on_growth: Callable[[Growth], None] | None
    ) -> None:
        for tile, answer in answers.items():
            self.drawing.take(tile, answer)
        if on_growth:
            on_growth(self.growing.growth(len(self.drawing.done), len(self.plan)))


def _display_of(source: ImageSource, frame: int) -> Display:
    """Return how an image is shown at first; its pixels are looked at only where that matters."""
    info = source.info
    sample = None if info.dtype == "uint8" else overview(source, _SAMPLE, frame)
    return default_display(info, sample)
