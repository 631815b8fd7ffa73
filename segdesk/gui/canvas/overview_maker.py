"""Makes the overviews of large label maps on a lane, so that zooming out never waits for them."""

from __future__ import annotations

from functools import partial
from time import perf_counter

from PySide6.QtCore import QObject, Signal

from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report
from segdesk.gui.canvas.view import View
from segdesk.gui.lanes import Lane

MANY = 600  # tiles to be made: fewer are made while painting
_PORTION = 0.1  # seconds of work between two looks at whether to stop


class OverviewMaker(QObject):
    """Brings label maps up to date that lag far behind.

    Signals
    -------
    made
        A label map has been brought up to date.
    failed
        The exception with which that failed; it is not tried again.
    """

    made = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane: Lane | None = None  # until it is needed
        self._busy: set[LabelMap] = set()
        self._broken: set[LabelMap] = set()

    def takes(self, plane: LabelMap, view: View) -> bool:
        """Say whether a label map is left to the lane; what is there of it can be shown."""
        if plane in self._busy:
            return True
        if plane in self._broken or plane.lag(view.label_level) < MANY:
            return False
        snapshot = plane.begin_overviews()
        self._busy.add(plane)
        job = self._started_lane().submit(partial(_make, snapshot, view), "Drawing segments")
        job.succeeded.connect(partial(self._on_made, plane))
        job.failed.connect(partial(self._on_failed, plane))
        return True

    @property
    def is_busy(self) -> bool:
        """Whether any label map is being brought up to date."""
        return bool(self._busy)

    def close(self) -> None:
        """Stop what is being made."""
        if self._lane:
            self._lane.close()

    def _started_lane(self) -> Lane:
        if self._lane is None:
            self._lane = Lane("overviews")
            self.destroyed.connect(self._lane.close)
        return self._lane

    def _on_made(self, plane: LabelMap, snapshot: LabelMap) -> None:
        plane.take_overviews(snapshot)
        self._busy.discard(plane)
        self.made.emit()

    def _on_failed(self, plane: LabelMap, error: Exception) -> None:
        self._busy.discard(plane)
        self._broken.add(plane)
        self.failed.emit(error)


def _make(snapshot: LabelMap, view: View, report: Report) -> LabelMap:
    level = view.label_level
    whole = snapshot.overview(level).window
    most = max(1, snapshot.lag(level))
    while not snapshot.freshen(whole, level, view.frame, perf_counter() + _PORTION):
        report(1 - snapshot.lag(level) / most, "")
    return snapshot
