"""Measures the active layer on the disk lane, and writes the table to a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segdesk.core.measure import measure
from segdesk.core.progress import Report
from segdesk.core.tile import TILE, TileIndex
from segdesk.engine.document import Update
from segdesk.engine.export import export
from segdesk.engine.layer import Layer
from segdesk.engine.measured import Measured
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Job, Lane, Work
from segdesk.gui.shelf import Shelf

FORMATS = {"csv": "CSV (*.csv)", "parquet": "Parquet (*.parquet)"}


class Measuring(QObject):
    """Measurements of the layers of the document on show; those that no longer hold are dropped.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    changed
        There are other measurements, or a job has begun or ended.
    """

    job_started = Signal(object)
    changed = Signal()

    def __init__(self, editor: Editor, shelf: Shelf, lane: Lane) -> None:
        super().__init__(editor)
        self._editor, self._shelf, self._lane = editor, shelf, lane
        self._measured: dict[int, Measured] = {}  # by layer id
        self._touched: dict[int, set[TileIndex] | None] = {}  # by layer id; None: any tile
        self._job: Job | None = None
        editor.document_changed.connect(self._on_document_changed)
        editor.updated.connect(self._on_editor_updated)

    @property
    def is_running(self) -> bool:
        """Whether a layer is being measured."""
        return self._job is not None

    def of(self, layer: Layer | None) -> Measured | None:
        """Return what is known of a layer."""
        return self._measured.get(layer.id) if layer else None

    def start(self) -> None:
        """Measure the active layer."""
        entry, layer = self._shelf.current, self._active()
        if not entry or not layer or self._job:
            return
        segmentation, image = layer.segmentation(), entry.document.image

        def work(report: Report) -> Measured:
            return Measured(segmentation, measure(segmentation, image, report))

        self._job = job = self._lane.submit(work, f"Measuring {layer.state.name}")
        self._shelf.hold_during(entry, job)
        job.succeeded.connect(partial(self._on_measured, job, layer))
        job.failed.connect(self._editor.fail)
        job.finished.connect(partial(self._on_finished, job))
        self.job_started.emit(job)
        self.changed.emit()

    def stop(self) -> None:
        """Stop measuring."""
        if self._job:
            self._job.cancel()

    def save(self, path: Path) -> None:
        """Measure the active layer anew and write a table, by the suffix of its name."""
        entry, layer = self._shelf.current, self._active()
        kind = path.suffix.removeprefix(".").lower()
        if not entry or not layer:
            return
        if kind not in FORMATS:
            self._editor.failed.emit(f"{path.name} must end in .csv or .parquet.")
            return
        segmentation, image = layer.segmentation(), entry.document.image

        def work(report: Report) -> Path:
            files = export(segmentation, image, [kind], path.parent, path.stem, report)
            return files[kind][0]

        job = self._lane.submit(work, f"Saving {path.name}")
        self._shelf.hold_during(entry, job)
        job.succeeded.connect(lambda file: self._editor.message.emit(f"{file.name} saved."))
        job.failed.connect(self._editor.fail)
        self.job_started.emit(job)

    def run(self, work: Work, title: str) -> Job:
        """Do something that takes a moment, such as writing a long text, on the lane."""
        job = self._lane.submit(work, title)
        job.failed.connect(self._editor.fail)
        self.job_started.emit(job)
        return job

    def _active(self) -> Layer | None:
        return self._editor.document.active if self._editor.document else None

    def _on_measured(self, job: Job, layer: Layer, measured: Measured) -> None:
        if job is self._job:
            measured.outdate(layer.planes, None)  # what has changed meanwhile
            self._touched.pop(layer.id, None)
            self._measured[layer.id] = measured

    def _on_finished(self, job: Job) -> None:
        if job is self._job:
            self._job = None
            self.changed.emit()

    def _on_document_changed(self) -> None:
        self.stop()
        self._job = None
        self._measured.clear()
        self._touched.clear()
        self.changed.emit()

    def _on_editor_updated(self, update: Update) -> None:
        if update.what == "tiles" and update.layer_id in self._measured:
            self._note(update)
        elif update.what == "history" and self._touched:
            self._drop_outdated()

    def _note(self, update: Update) -> None:
        """Note tiles; what was on them is looked at when the step is complete."""
        known = self._touched.setdefault(update.layer_id, set())
        if update.window is None or update.frame is None or known is None:
            self._touched[update.layer_id] = None
        else:
            known |= {(c, r, update.frame) for c, r in update.window.tiles(TILE)}

    def _drop_outdated(self) -> None:
        document = self._editor.document
        for layer in document.layers if document else ():
            if layer.id in self._touched:
                self._measured[layer.id].outdate(layer.planes, self._touched.pop(layer.id))
        self.changed.emit()
