"""Reads masks on the disk lane, and adds them as layers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from segdesk.core.segmentation import Segmentation
from segdesk.engine.document import Document
from segdesk.engine.imports import add_mask
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Lane


class Importing(QObject):
    """Masks for the document on show.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    """

    job_started = Signal(object)

    def __init__(self, editor: Editor, lane: Lane) -> None:
        super().__init__(editor)
        self._editor, self._lane = editor, lane

    def start(self, path: Path) -> None:
        """Add an index mask as a layer on the frame on show."""
        document = self._editor.document
        if document:
            job = self._lane.submit(lambda _: _read(path), f"Importing {path.name}")
            job.succeeded.connect(partial(self._on_read, document, path.name, self._editor.frame))
            job.failed.connect(self._editor.fail)
            self.job_started.emit(job)

    def _on_read(self, document: Document, name: str, frame: int, content: Segmentation) -> None:
        if document is self._editor.document:
            layer = self._editor.attempt(add_mask, document, content, name, frame)
            if layer:
                self._editor.message.emit(f"{name}: {len(layer.segments):,} segments.")
        else:
            self._editor.message.emit(f"{name} was not imported: another image is on show now.")


def _read(path: Path) -> Segmentation:
    from segdesk.engine.mask_files import read_segmentation

    content = read_segmentation(path)
    for plane in content.planes:
        plane.areas()  # here rather than on the window's thread
    return content
