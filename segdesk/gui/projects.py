"""Opens and leaves projects; reading happens on the disk lane."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segdesk.core.errors import DamagedError, SegdeskError
from segdesk.engine.folders import data_folder
from segdesk.gui.editor import Editor
from segdesk.gui.keeping import Keeping
from segdesk.gui.lanes import Lane
from segdesk.gui.opening import PROJECT, Opening
from segdesk.gui.settings import remember_file
from segdesk.gui.shelf import Shelf

if TYPE_CHECKING:
    from segdesk.engine.project.journal import Unsaved
    from segdesk.engine.project.project import Project


class Projects(QObject):
    """The way from one project to the next.

    Attributes
    ----------
    may_leave
        Asked before the project gives way to another one.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    damaged
        The path of a project that cannot be opened, and why: what is whole can be recovered.
    unsaved_found
        A list of ``Unsaved``: work of windows that ended without saving it.
    """

    job_started = Signal(object)
    damaged = Signal(object, str)
    unsaved_found = Signal(list)

    def __init__(
        self, editor: Editor, shelf: Shelf, keeping: Keeping, opening: Opening, lane: Lane
    ) -> None:
        super().__init__(editor)
        self._editor, self._shelf, self._keeping = editor, shelf, keeping
        self._opening, self._lane = opening, lane
        self._left: list[Project] = []  # not closed yet
        self.may_leave: Callable[[], bool] = lambda: True
        opening.project_asked.connect(self.open)

    def open(self, path: Path) -> None:
        """Open a project in place of the one that is open."""
        path, project = path.resolve(), self._keeping.project
        if project and project.path == path:
            self._editor.message.emit(f"{path.name} is open already.")
            return
        job = self._lane.submit(lambda _: _open(path), f"Opening {path.name}")
        job.succeeded.connect(self._on_opened)
        job.failed.connect(partial(self._on_failed, path))
        self.job_started.emit(job)

    def take(self, project: Project | None) -> None:
        """Go on with another project, or none.

        The one before is closed; one without a name is deleted, which is to be asked before.
        """
        self._opening.leaving.emit()
        self._shelf.clear()
        last = self._keeping.take(project)
        if not self._shelf.current:
            self._opening.show_nothing()
        if last:
            self._close(last)
        if project and not project.is_unsaved:
            remember_file(project.path)

    def find_unsaved(self) -> None:
        """Look for work of windows that ended without saving it."""
        if any((data_folder() / "unsaved").glob(f"*{PROJECT}")):
            job = self._lane.submit(lambda _: _unsaved(), "Looking for unsaved work")
            job.succeeded.connect(self._on_unsaved_found)

    def look_for_images(self) -> None:
        """Look which images of the project are not where they were."""
        project = self._keeping.project
        if project:
            job = self._lane.submit(lambda _: project.look_for_images(), "Looking for images")
            job.succeeded.connect(partial(self._on_looked, project))

    def close(self) -> None:
        """Close every project; only once the lanes have stopped."""
        project = self._keeping.take(None)
        for left in (*self._left, project):
            if left:
                _close_at_last(left)

    def _on_opened(self, project: Project) -> None:
        if not self.may_leave():
            project.close()  # also one without a name stays: it is offered again
            return
        self.take(project)
        self.look_for_images()
        images = project.images
        if images:
            shown = next((image for image in images if image.view.get("on_show")), images[0])
            self._opening.open_image(shown.id)

    def _on_failed(self, path: Path, error: Exception) -> None:
        if isinstance(error, DamagedError):
            self.damaged.emit(path, str(error))
        else:
            self._editor.fail(error)

    def _on_unsaved_found(self, found: list[Unsaved]) -> None:
        project = self._keeping.project
        others = [unsaved for unsaved in found if not project or unsaved.path != project.path]
        if others:
            self.unsaved_found.emit(others)

    def _on_looked(self, project: Project, problems: dict[int, str]) -> None:
        project.note_problems(problems)
        if project is self._keeping.project:
            self._keeping.images_changed.emit()

    def _close(self, project: Project) -> None:
        self._left.append(project)
        job = self._lane.submit(
            lambda _: project.close(discard=True), f"Closing {project.path.name}"
        )
        job.succeeded.connect(lambda _: self._left.remove(project))
        job.failed.connect(self._editor.fail)


def _open(path: Path) -> Project:
    from segdesk.engine.project.opening import open_project

    return open_project(path)


def _unsaved() -> list[Unsaved]:
    from segdesk.engine.project.journal import list_unsaved

    return list_unsaved()


def _close_at_last(project: Project) -> None:
    """Close a project whatever happens: nobody is there any more to be told."""
    import logging

    try:
        project.close(discard=True)
    except SegdeskError as error:
        logging.getLogger(__name__).error("A project could not be closed: %s", error)
