"""The history panel: every step so far; a click goes there."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QTimer
from PySide6.QtGui import QAction, QBrush, QColor, QFont
from PySide6.QtWidgets import QAbstractItemView, QListView, QToolButton, QVBoxLayout, QWidget

from segdesk.gui.editor import Editor
from segdesk.gui.icons import icon
from segdesk.gui.panels.rows import ROOT, Index, ItemRole
from segdesk.gui.theme import shades

ICONS = (  # the first word that a step's name holds decides
    ("brush", "paint-brush"),
    ("eras", "eraser"),
    ("threshold", "circle-half"),
    ("grow", "arrows-out-simple"),
    ("shrink", "arrows-in-simple"),
    ("smooth", "waves"),
    ("split", "circles-four"),
    ("convert", "swap"),
    ("copy", "copy"),
    ("between", "stack"),
    ("fill", "paint-bucket"),
    ("polygon", "polygon"),
    ("lasso", "lasso"),
    ("wand", "magic-wand"),
    ("prompt", "crosshair-simple"),
    ("accept", "check"),
    ("reject", "x"),
    ("delete", "trash"),
    ("remove", "trash"),
    ("merge", "intersect"),
    ("categor", "tag"),
    ("layer", "stack"),
)
OTHER = "circle"


class HistoryModel(QAbstractListModel):
    """The steps of the document on show, oldest first, after a row for its beginning."""

    def __init__(self, editor: Editor, parent: QWidget) -> None:
        super().__init__(parent)
        self._editor = editor
        self._names: tuple[str, ...] = ()
        self._has_document = False

    @property
    def done(self) -> int:
        """The row of the last step that is done."""
        return self._editor.document.history.done if self._editor.document else 0

    def refresh(self) -> None:
        """Show the steps as they are now."""
        document = self._editor.document
        names = document.history.names if document else ()
        if names != self._names or (document is not None) != self._has_document:
            self.beginResetModel()
            self._names, self._has_document = names, document is not None
            self.endResetModel()
        elif self.rowCount():
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    def rowCount(self, parent: Index = ROOT) -> int:
        """Return the number of steps and one, for an image without a change."""
        is_list = self._has_document and not parent.isValid()
        return len(self._names) + 1 if is_list else 0

    def data(self, index: Index, role: int = ItemRole.DisplayRole) -> Any:
        """Return a step's name and icon; one that is not done is greyed."""
        row = index.row()
        name = self._names[row - 1] if row else "Opened"
        if role in (ItemRole.DisplayRole, ItemRole.ToolTipRole):
            return name
        if role == ItemRole.DecorationRole:
            return icon(
                icon_of(name) if row else "image", shades().faded if self._waits(row) else ""
            )
        if role == ItemRole.ForegroundRole and self._waits(row):
            return QBrush(QColor(shades().faded))
        if role == ItemRole.FontRole and self._waits(row):
            font = QFont()
            font.setItalic(True)
            return font
        return None

    def _waits(self, row: int) -> bool:
        """Say whether a step was taken back and waits to be made again."""
        return row > self.done


class HistoryPanel(QWidget):
    """A list of steps; those below the current one can be redone."""

    def __init__(self, editor: Editor, clear: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.model = HistoryModel(editor, self)
        self.view = QListView()
        self.view.setModel(self.model)
        self.view.setAccessibleName("History")
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setUniformItemSizes(True)
        button = QToolButton()
        button.setDefaultAction(clear)
        self._timer = QTimer(self, singleShot=True, interval=0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.view)
        layout.addWidget(button)
        self._timer.timeout.connect(self._refresh)
        self.view.clicked.connect(self._on_view_clicked)
        editor.document_changed.connect(self._timer.start)
        editor.updated.connect(self._on_editor_updated)
        self._refresh()

    def _on_editor_updated(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _refresh(self) -> None:
        self.model.refresh()
        if self.model.rowCount():
            current = self.model.index(self.model.done)
            self.view.setCurrentIndex(current)
            self.view.scrollTo(current)

    def _on_view_clicked(self, index: Index) -> None:
        if self._editor.document:
            self._editor.retrace(self._editor.document.go_to, index.row())


def icon_of(name: str) -> str:
    """Return the name of the icon for a step of this name."""
    words = name.lower()
    return next((found for word, found in ICONS if word in words), OTHER)
