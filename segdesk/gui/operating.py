"""Runs operations on segments: on a draft in a thread, which the document then adopts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from segdesk.core.progress import Report
from segdesk.engine.document import Document
from segdesk.engine.layer import Layer
from segdesk.engine.operations import Operation, difference, operate
from segdesk.engine.regions import Target
from segdesk.engine.threshold import Place, Range, paint_range
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Job, Lane
from segdesk.gui.shelf import Shelf

Change = Callable[[Document, Report], object]
CHEAP = 2**22  # pixels of segments up to which an operation is tried while the user chooses


@dataclass(frozen=True)
class Order:
    """An operation with all that has been chosen for it."""

    operation: Operation
    target: Target
    options: Any = None


@dataclass(frozen=True)
class Outcome:
    """A draft of the document on which an order has been carried out."""

    document: Document
    draft: Document
    words: str  # what is different
    frame: int | None = None  # where that is to be seen, if not on the frame on show


class Operating(QObject):
    """Operations on the active layer of the document on show.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    """

    job_started = Signal(object)

    def __init__(self, editor: Editor, shelf: Shelf, lane: Lane) -> None:
        super().__init__(editor)
        self._editor, self._shelf, self._lane = editor, shelf, lane

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self._editor.frames

    def can_run(self, operation: Operation) -> bool:
        """Say whether there is anything to work on."""
        layer = self._active()
        if layer is None or layer.state.locked or not layer.areas:
            return False
        return not operation.needs_frames or self.frames > 1

    def target(self, operation: Operation) -> Target | None:
        """Return the selected segments of the active layer, or all of it."""
        layer = self._active()
        if not layer:
            return None
        chosen = self._editor.selection & layer.segments.keys()
        frame = self._editor.frame if operation.frames == "one" else None
        return Target(layer.id, chosen or None, frame)

    def on_this_frame(self, target: Target) -> Target:
        """Return a target on the frame on show only."""
        return Target(target.layer_id, target.segment_ids, self._editor.frame)

    def words_of(self, target: Target) -> str:
        """Return what a target is, for a dialog."""
        layer, chosen = self._layer(target), target.segment_ids
        count = len(layer.segments if chosen is None else chosen)
        which = "" if chosen is None else "selected "
        return f"{count:,} {which}segment{'s' * (count != 1)} of {layer.state.name}"

    def is_cheap(self, target: Target) -> bool:
        """Say whether an operation can be tried while the user chooses."""
        areas = self._layer(target).areas
        chosen = areas if target.segment_ids is None else target.segment_ids
        return sum(areas.get(i, 0) for i in chosen) <= CHEAP

    def run(self, order: Order) -> None:
        """Start an operation that is adopted when it is done."""
        self._adopt_later(self.rehearse(order))

    def rehearse(self, order: Order) -> Job | None:
        """Start an operation whose ``Outcome`` changes nothing yet."""

        def change(draft: Document, report: Report) -> None:
            operate(draft, order.operation.id, order.target, order.options, report)

        frame = order.target.frame
        leads_on = order.operation.id == "copy_to_next_frame" and frame is not None
        to_show = (frame or 0) + 1 if leads_on else None
        work = partial(_compared, order.target.layer_id, change, to_show)
        return self._submit(order.operation.title, work)

    def change(self, title: str, layer_id: int, act: Callable[[Document], object]) -> None:
        """Change segments of a layer: at once, or beside the window where it has many pixels."""
        document = self._editor.document
        if document and self.is_cheap(Target(layer_id)):
            self._editor.attempt(act, document)
        elif document:
            self._adopt_later(self._submit(title, partial(_done, title, act)))

    def paint_range(self, place: Place, within: Range) -> None:
        """Paint the chosen category where pixels are in a range."""
        category = self._editor.category

        def change(draft: Document, report: Report) -> None:
            paint_range(draft, place, within, category, report)

        self._adopt_later(
            self._submit("Threshold", partial(_compared, place.layer_id, change, None))
        )

    def adopt(self, outcome: Outcome) -> None:
        """Take an outcome over, and say what it has changed."""
        if not self._shelf.holds(outcome.document):
            return
        before = outcome.document.version
        self._editor.attempt(outcome.document.adopt, outcome.draft)
        is_idle = outcome.draft.version == before  # which is worth a word too
        if is_idle or outcome.document.version != before:
            self._editor.message.emit(outcome.words)
        is_seen = outcome.document is self._editor.document
        if outcome.frame is not None and is_seen and outcome.document.version != before:
            self._editor.set_frame(outcome.frame)

    def _submit(self, title: str, work: Callable[..., Outcome]) -> Job | None:
        document, entry = self._editor.document, self._shelf.current
        if not document or not entry:
            return None
        job = self._lane.submit(partial(work, document, document.draft()), title)
        self._shelf.hold_during(entry, job)
        return job

    def _adopt_later(self, job: Job | None) -> None:
        if job:
            job.succeeded.connect(self.adopt)
            job.failed.connect(self._editor.fail)
            self.job_started.emit(job)

    def _layer(self, target: Target) -> Layer:
        assert self._editor.document is not None
        return self._editor.document.layer(target.layer_id)

    def _active(self) -> Layer | None:
        return self._editor.document.active if self._editor.document else None


def _done(
    title: str,
    act: Callable[[Document], object],
    document: Document,
    draft: Document,
    report: Report,
) -> Outcome:
    act(draft)
    return Outcome(document, draft, f"{title}: done.")


def _compared(
    layer_id: int,
    change: Change,
    frame: int | None,
    document: Document,
    draft: Document,
    report: Report,
) -> Outcome:
    """Carry an order out, and say how the segments of a layer differ."""
    layer = draft.layer(layer_id)
    before = dict(layer.areas)
    change(draft, report)
    return Outcome(document, draft, difference(before, layer.areas), frame)
