"""Runs the chosen segmenter on the document on show, once or after every stroke."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from segdesk.core.errors import PromptError
from segdesk.core.geometry import Window
from segdesk.core.progress import Report
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Segmentation
from segdesk.engine import edits, proposals
from segdesk.engine.document import Document
from segdesk.engine.growing_proposal import GrowingProposal
from segdesk.engine.job import SegmentJob, make_request
from segdesk.engine.segment import needed_tiling
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.worker import Workers
from segdesk.gui.choice import Choice
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Job, Lane, Work
from segdesk.gui.operating import Operating
from segdesk.gui.shelf import Entry, Shelf, categories_of
from segdesk.gui.tiled import Attempt, Tiled

LIVE_PAUSE_MS = 40


@dataclass(frozen=True)
class Question:
    """What a job was asked, to judge whether its answer is late."""

    document: Document
    prompts: tuple[Prompt, ...]
    title: str
    key: str
    is_live: bool


class Segmenting(QObject):
    """The jobs of the chosen segmenter, and what becomes of their answers.

    Signals
    -------
    running_changed
        A job that the user has started begins or ends.
    job_started
        A ``Job`` waits or runs: for the job bar.
    """

    running_changed = Signal()
    job_started = Signal(object)

    def __init__(self, editor: Editor, shelf: Shelf, lane: Lane, operating: Operating) -> None:
        super().__init__(editor)
        self._editor, self._shelf, self._lane = editor, shelf, lane
        self._operating = operating
        self.workers = Workers()
        self._tiled = Tiled(self.workers, self)
        self.viewport: Callable[[], Window] = lambda: Window(0, 0, 0, 0)  # what is on show
        self._job: Job | None = None
        self._live_job: Job | None = None
        self._asks_again = False
        self.choice = Choice(self)
        self._pause = QTimer(self, singleShot=True, interval=LIVE_PAUSE_MS)
        self._pause.timeout.connect(self._ask_live)
        editor.prompt_added.connect(self._on_prompt_added)
        self.choice.tuned.connect(self._pause.start)

    @property
    def is_running(self) -> bool:
        """Whether a job that the user has started waits or runs."""
        return self._job is not None

    @property
    def is_busy(self) -> bool:
        """Whether any answer, also a live one, is awaited."""
        return self._job is not None or self._live_job is not None

    def refusal(self) -> str:
        """Return why nothing can be segmented now; empty when it can."""
        document = self._editor.document
        return self.choice.refusal(document.prompts) if document else "Open an image first."

    def run(self) -> None:
        """Run the chosen segmenter, or say why not."""
        refusal = self.refusal()
        if refusal:
            self._editor.failed.emit(refusal)
        elif not self._job:
            self._job = self._ask(is_live=False)
            self._job.finished.connect(self._on_job_finished)
            self.running_changed.emit()

    def stop(self) -> None:
        """Stop the job that the user has started."""
        if self._job:
            self._job.cancel()

    def accept(self, layer_id: int, segment_ids: set[int] | None = None) -> None:
        """Accept a proposal, or some of its segments.

        Prompts that each ask for one segment have then done their work, and go.
        """
        spec = self.choice.spec
        is_done = segment_ids is None and spec is not None and spec.task == "prompted"

        def accept(document: Document) -> None:
            proposals.accept(document, layer_id, segment_ids)
            if is_done:
                edits.clear_prompts(document)

        self._operating.change("Accept", layer_id, accept)

    def reject(self, layer_id: int, segment_ids: set[int] | None = None) -> None:
        """Reject a proposal, or some of its segments."""
        reject = partial(proposals.reject, layer_id=layer_id, segment_ids=segment_ids)
        self._operating.change("Reject", layer_id, reject)

    def close(self) -> None:
        """End the processes; only once the lane has stopped."""
        self.workers.close()

    def _on_prompt_added(self, prompt: Prompt) -> None:
        if self.choice.take(prompt):
            self._pause.start()
        else:
            kind = type(prompt).__name__.lower()
            self._editor.message.emit(f"No segmenter takes a {kind}: see Help > Plugins.")

    def _ask_live(self) -> None:
        """Answer the prompts as they are now, once the answer before has come."""
        self._asks_again = self.is_busy
        if self.choice.is_live and not self._asks_again and not self.refusal():
            self._live_job = self._ask(is_live=True)
            self._live_job.finished.connect(self._on_live_job_finished)

    def _ask(self, is_live: bool) -> Job:
        entry = self._shelf.current
        if not entry:
            raise RuntimeError("nothing is on show")
        document = entry.document
        question = self._question(document, is_live)
        job = self.choice.job(document.prompts, categories_of(document))
        image, display, frame = document.image, self._editor.display, self._editor.frame
        tiling = None if is_live else self._tiling(document, job)
        if tiling:
            proposal = GrowingProposal(document, question.title)
            wanted = Attempt(document, job, tiling, display, frame, proposal)
            return self._ask_in_tiles(entry, self._tiled.begin(wanted), question)

        def work(report: Report) -> Segmentation:
            request = make_request(image, job, display, None, frame, entry.key)
            return self.workers.run(job, request, report)

        started = self._submit(entry, work, question)
        started.succeeded.connect(partial(self._on_answer, question))
        return started

    def _ask_in_tiles(self, entry: Entry, attempt: Attempt, question: Question) -> Job:
        started = self._submit(entry, partial(self._tiled.work, attempt), question)
        started.finished.connect(partial(self._on_tiles_ended, attempt, question))
        return started

    def _submit(self, entry: Entry, work: Work, question: Question) -> Job:
        started = self._lane.submit(work, question.title)
        self._shelf.hold_during(entry, started)
        started.failed.connect(partial(self._on_failure, question))
        self.job_started.emit(started)
        return started

    def _tiling(self, document: Document, job: SegmentJob) -> Tiling | None:
        """Return how to cut an image, where it is to be or must be; from what is on show."""
        spec, view = self.choice.spec, self.viewport()
        wanted = self.choice.tiles.tiling(view) if spec and spec.tile_size else None
        tiling = wanted or needed_tiling(document.image, job)
        if not tiling or not view:
            return tiling
        return replace(tiling, focus=(view.x + view.width / 2, view.y + view.height / 2))

    def _question(self, document: Document, is_live: bool) -> Question:
        title = self.choice.spec.title if self.choice.spec else ""
        if self._editor.frames > 1:  # each frame has a proposal of its own
            title += f", frame {self._editor.frame + 1}"
        step = document.history.last
        return Question(document, document.prompts, title, step.key if step else "", is_live)

    def _on_answer(self, question: Question, answer: Segmentation) -> None:
        document = question.document
        if not self._shelf.holds(document):
            return
        if question.is_live and document.prompts is not question.prompts:
            return  # late: the next answer is on its way
        step = document.history.last
        key = question.key if question.is_live and step and step.key == question.key else ""
        old = next(
            (o for o in document.layers if o.state.is_proposal and o.state.name == question.title),
            None,
        )
        layer = proposals.add_proposal(document, answer, question.title, old.id if old else 0, key)
        if not question.is_live:
            document.activate(layer.id)
            self._editor.message.emit(f"{question.title}: {len(answer.segments):,} segments.")

    def _on_tiles_ended(self, attempt: Attempt, question: Question) -> None:
        proposal = attempt.proposal
        layer = proposal.layer
        if not layer or not self._shelf.holds(question.document):
            return
        proposal.commit()
        if layer in question.document.layers:
            question.document.activate(layer.id)
        words = f"{question.title}: {len(layer.segments):,} segments"
        if proposal.done < proposal.total:
            words += f" in {proposal.done:,} of {proposal.total:,} tiles; run it again to go on"
        self._editor.message.emit(f"{words}.")

    def _on_failure(self, question: Question, error: Exception) -> None:
        if question.is_live and isinstance(error, PromptError):
            self._editor.message.emit(str(error))  # more strokes will help
        else:
            self._editor.fail(error)

    def _on_job_finished(self) -> None:
        self._job = None
        self.running_changed.emit()
        if self._asks_again:
            self._ask_live()

    def _on_live_job_finished(self) -> None:
        self._live_job = None
        if self._asks_again:
            self._ask_live()
