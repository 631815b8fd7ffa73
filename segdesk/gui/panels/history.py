"""The history panel: every step so far; a click goes there."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QStringListModel, QTimer
from PySide6.QtWidgets import QAbstractItemView, QListView, QVBoxLayout, QWidget

from segdesk.engine.document import Document
from segdesk.gui.editor import Editor


class HistoryPanel(QWidget):
    """A list of steps, oldest first; those below the current one can be redone."""

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.model = QStringListModel(self)
        self.view = QListView()
        self.view.setModel(self.model)
        self.view.setAccessibleName("History")
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setUniformItemSizes(True)
        self._timer = QTimer(self, singleShot=True, interval=0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.view)
        self._timer.timeout.connect(self._refresh)
        self.view.clicked.connect(self._on_view_clicked)
        editor.document_changed.connect(self._timer.start)
        editor.updated.connect(self._on_editor_updated)
        self._refresh()

    def _on_editor_updated(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _refresh(self) -> None:
        history = self._editor.document.history if self._editor.document else None
        names = ["Opened", *history.names] if history else []
        if names != self.model.stringList():
            self.model.setStringList(names)
        if history:
            current = self.model.index(history.done)
            self.view.setCurrentIndex(current)
            self.view.scrollTo(current)

    def _on_view_clicked(self, index: QModelIndex) -> None:
        if self._editor.document:
            self._editor.attempt(_go_to, self._editor.document, index.row())


def _go_to(document: Document, done: int) -> None:
    """Undo or redo until so many steps are done."""
    while document.history.done > done:
        document.undo()
    while document.history.done < done:
        document.redo()
