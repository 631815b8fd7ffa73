"""The project behind the window: every edit is in it moments later, with or without a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Qt, Signal

from segdesk.core.history import Step
from segdesk.engine.document import Document

if TYPE_CHECKING:
    from segdesk.engine.project.project import Project
    from segdesk.engine.project.reading import ProjectImage

State = Literal["", "kept", "keeping", "failing"]


class Keeping(QObject):
    """Holds the project; nothing of it is imported before the first edit.

    Attributes
    ----------
    project
        None before the first edit, or before one was opened.

    Signals
    -------
    project_changed
        Another project, or none, is there, or it has another name.
    images_changed
        The project has other images, or something is known of them.
    state_changed
        See ``state``.
    rescued
        One line: the file was deleted or replaced, and all is in another one now.
    """

    project_changed = Signal()
    images_changed = Signal()
    state_changed = Signal()
    rescued = Signal(str)

    # Emitted on the thread that writes.
    _written = Signal(int)
    _problem = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: Project | None = None
        queued = Qt.ConnectionType.QueuedConnection
        self._written.connect(self._on_written, queued)
        self._problem.connect(self._on_problem, queued)

    @property
    def state(self) -> State:
        """Whether all edits are safe on the disk; empty when there are none."""
        if self.problem:
            return "failing"
        if not self.project or not self.project.has_work:
            return ""
        return "kept" if self.project.is_kept else "keeping"

    @property
    def problem(self) -> str:
        """Why the last edits are only in memory; empty when all is well."""
        return self.project.problem if self.project else ""

    def attach(self, document: Document) -> ProjectImage:
        """Add a document to the project; make one where there is none."""
        from segdesk.engine.project.project import Project

        if self.project is None:
            self.take(Project())
        assert self.project is not None
        return self.project.attach(document)

    def take(self, project: Project | None) -> Project | None:
        """Go on with another project; return the one before."""
        last, self.project = self.project, project
        if last:
            last.kept.disconnect(self._tell_written)
            last.problems.disconnect(self._tell_problem)
        if project:
            project.kept.connect(self._tell_written)
            project.problems.connect(self._tell_problem)
        self.project_changed.emit()
        self.state_changed.emit()
        return last

    def retry(self) -> None:
        """Try again to keep what could not be kept."""
        if self.project:
            self.project.retry()

    def _tell_written(self, number: int) -> None:
        self._written.emit(number)

    def _tell_problem(self, text: str) -> None:
        self._problem.emit(text)

    def _on_written(self) -> None:
        self.state_changed.emit()

    def _on_problem(self, text: str) -> None:
        if not self.problem:
            self.project_changed.emit()
            self.rescued.emit(text)
        self.state_changed.emit()


class FirstEdit:
    """The recorder of a document that nobody has edited yet: lets it be kept once somebody does."""

    def __init__(self, keep: Callable[[], object]) -> None:
        self._keep = keep

    def pushed(self, step: Step[Any], after: int) -> None:
        """Have the document kept with the steps that it has; another recorder follows it then."""
        self._keep()

    def undone(self, step: Step[Any], last: int) -> None:
        """Nothing was done that could be undone."""

    def redone(self, step: Step[Any]) -> None:
        """Nothing was undone."""

    def cleared(self) -> None:
        """Nothing could be forgotten."""

    def keeps(self, step: Step[Any]) -> bool:
        """Say no: it keeps nothing."""
        return False

    def recall(self, step: Step[Any]) -> Step[Any]:
        """Return a step as it is."""
        return step
