"""Keeps finished images as examples, from which the segmenter learns to segment others."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from segdesk.core.prompts import Example
from segdesk.engine.examples import finished, make_example
from segdesk.gui.choice import Choice
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Lane
from segdesk.gui.shelf import Shelf


class Teaching(QObject):
    """The list of examples.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    """

    job_started = Signal(object)

    def __init__(self, editor: Editor, shelf: Shelf, choice: Choice, lane: Lane) -> None:
        super().__init__(editor)
        self._editor, self._shelf, self._choice, self._lane = editor, shelf, choice, lane

    def add(self) -> None:
        """Make an example of the image on show; it takes the place of an older one of its."""
        entry, editor = self._shelf.current, self._editor
        known = editor.attempt(finished, entry.document, entry.name) if entry else None
        if entry and known and editor.display:
            display, frame = editor.display, editor.frame
            job = self._lane.submit(
                lambda _: make_example(known, display, frame), f"Learning from {known.name}"
            )
            self._shelf.hold_during(entry, job)
            job.succeeded.connect(self._on_made)
            job.failed.connect(editor.fail)
            self.job_started.emit(job)

    def remove(self, name: str) -> None:
        """Forget an example."""
        self._choice.set_examples(tuple(e for e in self._choice.examples if e.name != name))

    def _on_made(self, example: Example) -> None:
        others = tuple(e for e in self._choice.examples if e.name != example.name)
        self._choice.set_examples((*others, example))
        self._editor.message.emit(f"{example.name} is an example now: run on other images.")
