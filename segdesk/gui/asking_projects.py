"""Asks for names and places of projects and their images, and what is to become of unsaved work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox

from segdesk.core.errors import ProjectError, SegdeskError
from segdesk.engine.samples import sample_images
from segdesk.gui.dialogs.waiting import wait_for
from segdesk.gui.lanes import Work
from segdesk.gui.opening import PROJECT
from segdesk.gui.settings import remember_file, settings

if TYPE_CHECKING:
    from segdesk.engine.project.project import Project
    from segdesk.engine.project.reading import ProjectImage
    from segdesk.gui.main_window import MainWindow

Button = QMessageBox.StandardButton
Role = QMessageBox.ButtonRole
FILTER = f"SegDesk projects (*{PROJECT})"


class AskingProjects:
    """What the window asks about projects.

    Attributes
    ----------
    is_waiting
        Whether something is under way that the window must not be closed during.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._bench = window.bench
        self.is_waiting = False

    @property
    def _project(self) -> Project | None:
        return self._bench.keeping.project

    def new(self) -> None:
        """Begin a project in a file that the user names."""
        path = self._ask_name("New project", "")
        if path and self.may_leave():
            from segdesk.engine.project.project import Project

            project = Project()
            if self._do(lambda _: project.save_as(path), f"Saving {path.name}"):
                self._bench.projects.take(project)

    def open(self) -> None:
        """Let the user choose a project."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open project", _folder(), f"{FILTER};;All files (*)"
        )
        if name:
            self._bench.projects.open(Path(name))

    def save(self) -> None:
        """Say that all is kept; a project without a name gets one."""
        project = self._project
        if not project or project.is_unsaved:
            self.save_as()
            return
        self._bench.views.keep()
        if project.flush():
            text = f"All changes are kept in {project.path.name}."
            self._window.editor.message.emit(text)
        else:
            self._window.editor.failed.emit(project.problem)

    def save_as(self) -> bool:
        """Give the project a name, or another one; return whether that was done."""
        path = self._ask_name("Save project as", self._suggestion())
        if not path:
            return False
        entry, keeping = self._bench.shelf.current, self._bench.keeping
        if entry and not entry.image and (not keeping.project or not keeping.project.images):
            self._bench.shelf.keep(entry)
        project = keeping.project
        if not project:
            return False
        self._bench.views.keep()
        if not self._do(lambda _: project.save_as(path), f"Saving {path.name}"):
            return False
        remember_file(path)
        keeping.project_changed.emit()
        keeping.state_changed.emit()
        self._window.editor.message.emit(f"All changes are kept in {path.name}.")
        return True

    def close(self) -> None:
        """Close the project."""
        if self.may_leave():
            self._bench.projects.take(None)

    def may_leave(self) -> bool:
        """Ask what to do with work that would be lost; return whether the project may be closed."""
        project = self._project
        if not project:
            return True
        self._bench.views.keep()
        if not project.is_unsaved:
            return project.flush() or self._ask_for_unkept(project)
        names = self._bench.shelf.unnamed()
        return not names or self._ask_for_unnamed(names)

    def locate(self) -> None:
        """Let the user say where the file of the image on show is."""
        entry = self._bench.shelf.current
        image = entry.image if entry else None
        if image and image.link:
            before = str(Path(image.link.path).parent)
            title = f"Where is {image.name}?"
            name, _ = QFileDialog.getOpenFileName(self._window, title, before)
            if name:
                self._relink(image, Path(name))

    def accept_change(self) -> None:
        """Take the file that lies where the image on show was, whatever is in it by now."""
        entry = self._bench.shelf.current
        if entry and entry.image and entry.path:
            self._relink(entry.image, entry.path, is_welcome=True)

    def look_in(self) -> None:
        """Let the user choose a folder in which missing images are."""
        project = self._project
        if not project:
            return
        name = QFileDialog.getExistingDirectory(self._window, "Look for images in", _folder())
        if not name:
            return
        before = len(project.lost)
        self._do(lambda _: project.look_in(Path(name)), "Looking for images")
        found = before - len(project.lost)
        text = f"{found} of {before} images found in {Path(name).name}."
        self._window.editor.message.emit(text)
        self._show_images_anew()

    def remove(self, image: int) -> None:
        """Ask whether an image may leave the project with the work on it, and let it."""
        project = self._project
        if not project:
            return
        box = self._box(
            f"Remove {project.image(image).name} from the project?",
            "What was painted on it is deleted and cannot be brought back. The image file stays.",
        )
        button = box.addButton("Remove", Role.DestructiveRole)
        box.addButton(Button.Cancel)
        box.exec()
        if box.clickedButton() is button:
            is_on_show = self._bench.shelf.current is self._bench.shelf.entry(image)
            self._bench.shelf.drop(image)
            project.remove(image)
            self._bench.keeping.images_changed.emit()
            if is_on_show:
                self._bench.opening.show_nothing()

    def recover(self, path: Path) -> None:
        """Write what is whole of a damaged project into a new one, and open that."""
        suggestion = str(path.with_name(f"{path.stem}-recovered{PROJECT}"))
        target = self._ask_name("Recover into", suggestion)
        if not target:
            return

        def work(_: object) -> object:
            from segdesk.engine.project.recover import recover

            return recover(path, target)

        found = self._do(work, f"Recovering {path.name}")
        if found:
            self._tell_losses(path, found.losses)
            self._bench.projects.open(target)

    def show_unsaved(self) -> None:
        """Show the work of windows that ended without saving it."""
        from segdesk.gui.dialogs.unsaved import UnsavedDialog

        UnsavedDialog(self._bench.projects, self._window).exec()

    def clear_history(self) -> None:
        """Ask whether all steps may be forgotten, and forget them."""
        document = self._window.editor.document
        if not document:
            return
        box = self._box(
            "Clear the history of this image?",
            "Its steps cannot be undone any more. Everything that you see stays as it is.",
        )
        button = box.addButton("Clear History", Role.DestructiveRole)
        box.addButton(Button.Cancel)
        box.exec()
        if box.clickedButton() is button:
            document.clear_history()

    def _ask_for_unnamed(self, names: list[str]) -> bool:
        listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        box = self._box(
            f"Work on {listed} is in no project yet.",
            "It is deleted when you close it without saving a project.",
        )
        box.setStandardButtons(Button.Save | Button.Discard | Button.Cancel)
        box.button(Button.Save).setText("Save As…")
        answer = box.exec()
        return self.save_as() if answer == Button.Save else answer == Button.Discard

    def _ask_for_unkept(self, project: Project) -> bool:
        """Ask what to do where the last edits could not be written."""
        while not project.flush():
            box = self._box(project.problem, "They are lost when you close the project now.")
            box.setStandardButtons(Button.Retry | Button.Save | Button.Discard | Button.Cancel)
            box.button(Button.Save).setText("Save As…")
            answer = box.exec()
            if answer == Button.Save:
                return self.save_as()
            if answer != Button.Retry:
                return answer == Button.Discard
        return True

    def _relink(self, image: ProjectImage, path: Path, is_welcome: bool = False) -> None:
        project = self._project
        assert project is not None, "there is an image of it"
        try:
            is_welcome = is_welcome or project.is_same(image.id, path) or self._accepts(path, image)
        except ProjectError as error:
            self._window.editor.fail(error)
            return
        title = f"Opening {path.name}"
        if is_welcome and self._do(lambda _: project.relink(image.id, path, changed=True), title):
            self._show_images_anew()

    def _accepts(self, path: Path, image: ProjectImage) -> bool:
        """Ask whether a file with another content is to be taken."""
        box = self._box(
            f"{path.name} is not the file that was worked on: its content differs.",
            f"What was painted on {image.name} may not fit it.",
        )
        button = box.addButton("Use It", Role.AcceptRole)
        box.addButton(Button.Cancel)
        box.exec()
        return box.clickedButton() is button

    def _show_images_anew(self) -> None:
        self._bench.keeping.images_changed.emit()
        entry = self._bench.shelf.current
        if entry and entry.image:
            entry.is_open = True
            self._bench.opening.show_anew()

    def _tell_losses(self, path: Path, losses: tuple[str, ...]) -> None:
        if losses:
            box = self._box(
                f"{path.name} was recovered, but not all of it.",
                f"{len(losses)} things could not be saved; the details list them.",
            )
            box.setDetailedText("\n".join(losses))
        else:
            box = self._box(f"All of {path.name} was recovered.", "The old file stays as it is.")
        box.setStandardButtons(Button.Ok)
        box.exec()

    def _do(self, work: Work, title: str) -> object:
        """Wait for some work; say why it failed, and return False then, else what it returned."""
        self.is_waiting = True
        try:
            return wait_for(self._bench.disk, work, title, self._window) or True
        except SegdeskError as error:
            self._window.editor.fail(error)
            return False
        finally:
            self.is_waiting = False

    def _ask_name(self, title: str, suggestion: str) -> Path | None:
        name, _ = QFileDialog.getSaveFileName(self._window, title, suggestion or _folder(), FILTER)
        if not name:
            return None
        path = Path(name)
        path = path if path.suffix.lower() == PROJECT else path.with_name(path.name + PROJECT)
        settings().setValue("project_folder", str(path.parent))
        return path

    def _suggestion(self) -> str:
        """Return where to save the project at first: where the last one went, or the image is."""
        project, entry = self._project, self._bench.shelf.current
        if project and project.origin:
            return str(project.origin)
        folder, name = Path(_folder() or Path.home()), entry.name if entry else "project"
        if not settings().value("project_folder") and entry and entry.path:
            is_sample = entry.path in sample_images().values()
            folder = folder if is_sample else entry.path.parent
        return str(folder / f"{Path(name).stem}{PROJECT}")

    def _box(self, text: str, more: str) -> QMessageBox:
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("SegDesk")
        box.setText(text)
        box.setInformativeText(more)
        return box


def _folder() -> str:
    stored = settings()
    return str(stored.value("project_folder", stored.value("folder", "")))
