"""Joins editor, engine and lanes: what the actions of the window call."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from segdesk.engine import edits
from segdesk.engine.layer import Layer
from segdesk.gui.canvas import Canvas
from segdesk.gui.category_keys import category_of_key
from segdesk.gui.checkpointing import Checkpointing
from segdesk.gui.displaying import Displaying
from segdesk.gui.editor import Editor
from segdesk.gui.exporting import Exporting
from segdesk.gui.importing import Importing
from segdesk.gui.keeping import Keeping
from segdesk.gui.lanes import Lane
from segdesk.gui.measuring import Measuring
from segdesk.gui.opening import Opening
from segdesk.gui.operating import Operating
from segdesk.gui.projects import Projects
from segdesk.gui.review_bar import proposal_of
from segdesk.gui.segmenting import Segmenting
from segdesk.gui.shelf import Shelf, categories_of
from segdesk.gui.teaching import Teaching
from segdesk.gui.views import Views


class Workbench(QObject):
    """The editor with all that goes on around it.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    """

    job_started = Signal(object)

    def __init__(self, editor: Editor, canvas: Canvas) -> None:
        super().__init__(editor)
        self.editor = editor
        self.disk, self._gpu = Lane("disk", self), Lane("gpu", self)
        self._edits, self._slow = Lane("edits", self), Lane("overviews", self)
        self.keeping = Keeping(self)
        self.shelf = Shelf(self.keeping)
        self.opening = Opening(editor, self.shelf, self.keeping, self.disk, self._slow)
        self.projects = Projects(editor, self.shelf, self.keeping, self.opening, self.disk)
        self.views = Views(canvas, self.shelf, self.keeping)
        self.operating = Operating(editor, self.shelf, self._edits)
        self.segmenting = Segmenting(editor, self.shelf, self._gpu, self.operating)
        self.teaching = Teaching(editor, self.shelf, self.segmenting.choice, self.disk)
        self.importing = Importing(editor, self.disk)
        self.exporting = Exporting(editor, self.shelf, self.disk)
        self.measuring = Measuring(editor, self.shelf, self.disk)
        self.displaying = Displaying(editor, self.shelf, self.disk)
        self.checkpoints = Checkpointing(self)
        self.opening.leaving.connect(self.views.keep)
        for topic in (
            self.opening,
            self.projects,
            self.segmenting,
            self.teaching,
            self.importing,
            self.exporting,
            self.measuring,
            self.checkpoints,
            self.operating,
        ):
            topic.job_started.connect(self.job_started)

    @property
    def proposal(self) -> Layer | None:
        """The proposal to be judged."""
        return proposal_of(self.editor.document)

    @property
    def undoable(self) -> str:
        """The name of the step to take back; empty when there is none."""
        step = self.editor.document.history.last if self.editor.document else None
        return step.name if step else ""

    @property
    def redoable(self) -> str:
        """The name of the step to make again; empty when there is none."""
        step = self.editor.document.history.next if self.editor.document else None
        return step.name if step else ""

    def undo(self) -> None:
        """Take back the last step."""
        document = self.editor.document
        if document and (name := self.editor.retrace(document.undo)):
            self.editor.message.emit(f"Undone: {name}")

    def redo(self) -> None:
        """Make the next step again."""
        document = self.editor.document
        if document and (name := self.editor.retrace(document.redo)):
            self.editor.message.emit(f"Redone: {name}")

    def paste(self) -> None:
        """Open what the clipboard holds."""
        self.opening.paste(QGuiApplication.clipboard().mimeData())

    @property
    def can_add_to_project(self) -> bool:
        """Whether the image on show is not in the project yet, and has one to go to."""
        entry = self.shelf.current
        return entry is not None and entry.image is None and self.keeping.project is not None

    def add_to_project(self) -> None:
        """Add the image on show to the project, as its first edit would."""
        if self.shelf.current and self.can_add_to_project:
            self.shelf.keep(self.shelf.current)

    def accept(self) -> None:
        """Accept the proposal."""
        if self.proposal:
            self.segmenting.accept(self.proposal.id)

    def reject(self) -> None:
        """Reject the proposal."""
        if self.proposal:
            self.segmenting.reject(self.proposal.id)

    def delete_segments(self) -> None:
        """Delete the selected segments of the active layer."""
        layer, chosen = self._active(), self._chosen()
        if layer and chosen:
            delete = partial(edits.delete_segments, layer_id=layer.id, segment_ids=chosen)
            self.operating.change("Delete segments", layer.id, delete)
            self.editor.select(frozenset())

    def merge_segments(self) -> None:
        """Make one segment of the selected ones."""
        layer, chosen = self._active(), self._chosen()
        if layer and len(chosen) > 1:
            merge = partial(edits.merge_segments, layer_id=layer.id, segment_ids=chosen)
            self.operating.change("Merge segments", layer.id, merge)
            self.editor.select(frozenset(chosen & layer.segments.keys()))

    def set_category(self, category_id: int) -> None:
        """Give the selected segments of the active layer another category."""
        layer, chosen = self._active(), self._chosen()
        if layer and chosen:
            change = partial(
                edits.set_category,
                layer_id=layer.id,
                segment_ids=chosen,
                category_id=category_id,
            )
            self.operating.change("Change category", layer.id, change)

    def select_all(self) -> None:
        """Select all segments of the active layer."""
        layer = self._active()
        self.editor.select(frozenset(layer.segments) if layer else frozenset())

    def clear_prompts(self) -> None:
        """Remove all prompts."""
        if self.editor.document:
            edits.clear_prompts(self.editor.document)

    def toggle_layer(self) -> None:
        """Show or hide the active layer."""
        layer, document = self._active(), self.editor.document
        if layer and document:
            shown = layer.state.visible
            name = "Hide layer" if shown else "Show layer"
            edits.change_layer(document, layer.id, name, visible=not shown)

    def choose_category(self, key: int) -> None:
        """Choose the category of a digit key."""
        chosen = category_of_key(categories_of(self.editor.document), key)
        if chosen is not None:
            self.editor.set_category(chosen)

    def close(self) -> None:
        """Stop all jobs, end the processes and let go of all files."""
        from segdesk.engine.probe import dismiss

        self._slow.close()
        self.disk.close()
        self.checkpoints.close()
        dismiss()
        self._gpu.close()
        self._edits.close()
        self.segmenting.close()
        self.projects.close()
        self.shelf.close()

    def _chosen(self) -> set[int]:
        """Return the selected segments that are still there."""
        layer = self._active()
        return set(self.editor.selection) & set(layer.segments) if layer else set()

    def _active(self) -> Layer | None:
        return self.editor.document.active if self.editor.document else None
