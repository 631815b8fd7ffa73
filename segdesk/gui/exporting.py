"""Writes a layer to files on the disk lane."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segdesk.core.errors import ExportError
from segdesk.core.progress import Report
from segdesk.core.segmentation import Segmentation
from segdesk.engine.export import export, losses
from segdesk.engine.layer import Layer
from segdesk.engine.samples import sample_images
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Job, Lane
from segdesk.gui.settings import settings
from segdesk.gui.shelf import Entry, Shelf

Files = dict[str, list[Path]]


@dataclass(frozen=True)
class Order:
    """What to export, and where to."""

    layer_id: int
    formats: tuple[str, ...]
    folder: Path
    stem: str


class Exporting(QObject):
    """Exports of the document on show.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    exported
        All files that have been written.
    """

    job_started = Signal(object)
    exported = Signal(object)

    def __init__(self, editor: Editor, shelf: Shelf, lane: Lane) -> None:
        super().__init__(editor)
        self._editor, self._shelf, self._lane = editor, shelf, lane

    @property
    def folder(self) -> Path:
        """Where to export to at first: the folder used last, else that of the image."""
        last = settings().value("export_folder")
        if last:
            return Path(str(last))
        path = self._shelf.current.path if self._shelf.current else None
        is_sample = path in sample_images().values()
        return path.parent if path and not is_sample else Path.home()

    @property
    def stem(self) -> str:
        """First part of the names of the files at first: never that of the image beside them."""
        entry = self._shelf.current
        if not entry:
            return ""
        stem = Path(entry.name).stem
        is_beside = entry.path is not None and entry.path.parent == self.folder
        return f"{stem}-masks" if is_beside else stem

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers with something on them, the topmost first."""
        document = self._editor.document
        return tuple(o for o in document.layers[::-1] if o.areas) if document else ()

    def find_losses(self, order: Order) -> Job:
        """Start to look for what formats cannot hold: {format: [what is lost]}."""
        segmentation = self._segmentation(order)
        return self._lane.submit(lambda _: losses(segmentation, order.formats), "Checking formats")

    def start(self, order: Order) -> Job | None:
        """Start an export; None when there is nothing on show."""
        entry = self._shelf.current
        if not entry:
            return None
        segmentation = self._segmentation(order)
        image, last = entry.document.image, entry.last_step

        def work(report: Report) -> Files:
            return export(segmentation, image, order.formats, order.folder, order.stem, report)

        settings().setValue("export_folder", str(order.folder))
        job = self._lane.submit(work, f"Exporting {order.stem}")
        self._shelf.hold_during(entry, job)
        job.succeeded.connect(partial(self._on_exported, entry, last))
        job.failed.connect(self._editor.fail)
        self.job_started.emit(job)
        return job

    def _segmentation(self, order: Order) -> Segmentation:
        document = self._editor.document
        if not document:
            raise ExportError("There is nothing to export: open an image first.")
        return document.layer(order.layer_id).segmentation()

    def _on_exported(self, entry: Entry, last: int, files: Files) -> None:
        entry.exported = last
        count = sum(map(len, files.values()))
        self._editor.message.emit(f"{count} file{'s' * (count != 1)} exported.")
        self.exported.emit(files)
