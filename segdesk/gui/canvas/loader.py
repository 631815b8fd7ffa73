"""Makes the tiles that the canvas lacks, on a lane."""

from __future__ import annotations

from time import perf_counter

from PySide6.QtCore import QObject, Signal

from segdesk.core.progress import Report
from segdesk.engine.tiles import DisplayTiles, TileKey
from segdesk.gui.lanes import Lane

_PATIENCE = 0.016  # seconds of work before the canvas hears of it


class TileLoader(QObject):
    """Makes the tiles that are wanted most, a few at a time; what is wanted may change meanwhile.

    Signals
    -------
    loaded
        A list of ``TileKey`` that are there now, or never will be. Late ones, of tiles that have
        been replaced since, are dropped.
    failed
        The exception with which a tile could not be made; it is not tried again.
    """

    loaded = Signal(list)
    failed = Signal(object)

    def __init__(self, lane: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self._tiles: DisplayTiles | None = None
        self._wanted: list[TileKey] = []
        self._broken: set[TileKey] = set()
        self._batch: _Batch | None = None

    def want(self, tiles: DisplayTiles | None, keys: list[TileKey]) -> None:
        """Say which tiles are wanted now, the most wanted first; forget what was wanted before."""
        if tiles is not self._tiles:
            self._tiles, self._broken = tiles, set()
        self._wanted = [key for key in keys if key not in self._broken]
        self._go_on()

    def is_broken(self, key: TileKey) -> bool:
        """Say whether a tile could not be made."""
        return key in self._broken

    def _go_on(self) -> None:
        if self._batch or not self._wanted or not self._tiles:
            return
        self._batch = _Batch(self._tiles, self._wanted)
        job = self._lane.submit(self._batch.run, "Reading pixels")
        job.failed.connect(self._on_failed)
        job.finished.connect(self._on_finished)

    def _on_failed(self, error: Exception) -> None:
        batch = self._batch
        if batch and batch.tiles is self._tiles:
            if not self._broken:
                self.failed.emit(error)
            self._broken.add(batch.keys[len(batch.made)])

    def _on_finished(self) -> None:
        batch, self._batch = self._batch, None
        if batch and batch.tiles is self._tiles:
            tried = set(batch.made) | self._broken
            self._wanted = [key for key in self._wanted if key not in tried]
            self.loaded.emit(list(tried))
        self._go_on()


class _Batch:
    """As many tiles as can be made in a moment, at least one."""

    def __init__(self, tiles: DisplayTiles, keys: list[TileKey]) -> None:
        self.tiles, self.keys = tiles, keys
        self.made: list[TileKey] = []

    def run(self, report: Report) -> None:
        """Make them, on the lane's thread."""
        start = perf_counter()
        for key in self.keys:
            self.tiles.tile(key)
            self.made.append(key)
            if perf_counter() - start > _PATIENCE:
                break
