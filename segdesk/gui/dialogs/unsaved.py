"""Offers work of windows that ended without saving it: recover it, discard it, or leave it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segdesk.core.errors import ProjectError
from segdesk.engine.project.journal import Unsaved, discard_unsaved, list_unsaved
from segdesk.gui.panels.rows import ROW_SIZE
from segdesk.gui.projects import Projects

Button = QMessageBox.StandardButton


class UnsavedDialog(QDialog):
    """A list of unsaved projects, newest first."""

    def __init__(self, projects: Projects, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Unsaved work")
        self.resize(640, 320)
        self._projects = projects
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Images", "Steps", "Last edit"])
        self.list.setRootIsDecorated(False)
        self.list.setAccessibleName("Unsaved work")
        self.recover = QPushButton("Recover")
        self.recover.setObjectName("primary")
        self.discard = QPushButton("Discard…")
        self._lay_out()
        self._fill()
        self.list.itemSelectionChanged.connect(self._on_selection_changed)
        self.list.itemDoubleClicked.connect(self._on_recover_clicked)
        self.recover.clicked.connect(self._on_recover_clicked)
        self.discard.clicked.connect(self._on_discard_clicked)

    def _lay_out(self) -> None:
        about = QLabel(
            "SegDesk ended before this work was saved in a project. Every edit is still here."
        )
        about.setWordWrap(True)
        later = QDialogButtonBox()
        later.addButton("Later", QDialogButtonBox.ButtonRole.RejectRole)
        later.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.recover)
        row.addWidget(self.discard)
        row.addStretch()
        row.addWidget(later)
        column = QVBoxLayout(self)
        column.addWidget(about)
        column.addWidget(self.list, 1)
        column.addLayout(row)

    def _fill(self) -> None:
        self.list.clear()
        for unsaved in list_unsaved():
            item = QTreeWidgetItem([_images(unsaved), f"{unsaved.steps:,}", _when(unsaved)])
            item.setSizeHint(0, ROW_SIZE)
            item.setData(0, Qt.ItemDataRole.UserRole, unsaved)
            item.setToolTip(0, unsaved.problem or "\n".join(unsaved.images))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
            self.list.addTopLevelItem(item)
        self.list.setColumnWidth(0, 360)
        self.list.setCurrentItem(self.list.topLevelItem(0))
        self._on_selection_changed()

    def _chosen(self) -> Unsaved | None:
        item = self.list.currentItem()
        return item.data(0, Qt.ItemDataRole.UserRole) if item else None

    def _on_selection_changed(self) -> None:
        has_choice = self._chosen() is not None
        self.recover.setEnabled(has_choice)
        self.discard.setEnabled(has_choice)

    def _on_recover_clicked(self) -> None:
        unsaved = self._chosen()
        if unsaved:
            self.accept()
            self._projects.open(unsaved.path)

    def _on_discard_clicked(self) -> None:
        unsaved = self._chosen()
        if not unsaved:
            return
        text = f"Delete the work on {_images(unsaved)}? It cannot be brought back."
        buttons = Button.Discard | Button.Cancel
        if QMessageBox.question(self, "Unsaved work", text, buttons) != Button.Discard:
            return
        try:
            discard_unsaved(unsaved.path)
        except ProjectError as error:
            QMessageBox.warning(self, "Unsaved work", str(error))
        self._fill()
        if not self.list.topLevelItemCount():
            self.accept()


def in_words(found: list[Unsaved]) -> str:
    """Return what to say of unsaved work, in one line."""
    steps = sum(unsaved.steps for unsaved in found)
    if len(found) == 1:
        return f"Unsaved work on {_images(found[0])} ({steps:,} steps, {_when(found[0])})."
    return f"Unsaved work of {len(found)} windows ({steps:,} steps)."


def _images(unsaved: Unsaved) -> str:
    if unsaved.problem:
        return "damaged: what is whole can be recovered"
    names = list(unsaved.images)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _when(unsaved: Unsaved) -> str:
    return f"{unsaved.time.astimezone():%Y-%m-%d %H:%M}"
