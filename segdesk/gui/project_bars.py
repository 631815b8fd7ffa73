"""Lines above the image about the project: a copy, edits that are not kept, a missing image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from segdesk.gui.message_bar import MessageBar, Offer

if TYPE_CHECKING:
    from segdesk.gui.asking_projects import AskingProjects
    from segdesk.gui.main_window import MainWindow


class ProjectBars(QWidget):
    """Each is there as long as what it says is so; only the offer to recover can be closed."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window, self._bench = window, window.bench
        self.damage = MessageBar()
        bars = (MessageBar(can_close=False) for _ in range(4))
        self.unsaved, self.copy, self.keeping, self.image = bars
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for bar in (self.unsaved, self.damage, self.copy, self.keeping, self.image):
            column.addWidget(bar)
        keeping, projects = self._bench.keeping, self._bench.projects
        keeping.project_changed.connect(self._on_project_changed)
        keeping.state_changed.connect(self._on_state_changed)
        keeping.images_changed.connect(self._on_image_changed)
        window.editor.document_changed.connect(self._on_image_changed)
        projects.unsaved_found.connect(self._on_unsaved_found)
        projects.damaged.connect(self._on_damaged)

    @property
    def _asking(self) -> AskingProjects:
        return self._window.asking.projects

    def _on_project_changed(self) -> None:
        project = self._bench.keeping.project
        self.damage.hide()
        if project:
            self.unsaved.hide()
        if project and project.read_only_origin and project.origin:
            why = project.read_only_origin
            text = f"{project.origin.name}: {why}. This is a copy; Save As keeps your changes."
            self.copy.say(text, ("Save As…", self._asking.save_as))
        else:
            self.copy.hide()

    def _on_state_changed(self) -> None:
        problem = self._bench.keeping.problem
        offers = (("Retry", self._bench.keeping.retry), ("Save As…", self._asking.save_as))
        self.keeping.say(problem, *offers)

    def _on_image_changed(self) -> None:
        entry, project = self._bench.shelf.current, self._bench.keeping.project
        if not entry or not entry.problem or not project:
            self.image.hide()
            return
        offers: list[Offer] = [("Locate…", self._asking.locate)]
        if entry.path and entry.path.exists():
            offers.append(("Use It as It Is", self._asking.accept_change))
        if len(project.lost) > 1:
            offers.append(("Look in Folder…", self._asking.look_in))
        self.image.say(entry.problem, *offers)

    def _on_unsaved_found(self, found: list) -> None:  # type: ignore[type-arg]  # of Unsaved
        from segdesk.gui.dialogs.unsaved import in_words

        offers = (("Show…", self._asking.show_unsaved), ("Later", self.unsaved.hide))
        self.unsaved.say(in_words(found), *offers)

    def _on_damaged(self, path: Path, why: str) -> None:
        offer = ("Recover into a New File…", lambda: self._asking.recover(path))
        self.damage.say(why, offer)
