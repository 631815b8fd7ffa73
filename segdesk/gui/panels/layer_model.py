"""The layers of a document as rows, the topmost first."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QMimeData, QModelIndex, QObject, Qt
from PySide6.QtGui import QFont

from segdesk.engine import edits
from segdesk.engine.document import Update
from segdesk.engine.layer import Layer
from segdesk.gui.editor import Editor
from segdesk.gui.icons import icon, swatch
from segdesk.gui.panels.rows import ROW_SIZE, Index, ItemRole, RowModel

SHOWN, COLOUR, NAME, LOCKED = range(4)
MIME = "application/x-segdesk-layer"


class LayerModel(RowModel):
    """Rows that can be renamed in place and dragged to another position."""

    titles = ("Shown", "Colour", "Name", "Locked")

    def __init__(self, editor: Editor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        editor.document_changed.connect(self.reset)
        editor.updated.connect(self._on_editor_updated)

    def layer(self, row: int) -> Layer:
        """Return the layer of a row."""
        return self._layers()[row]

    def row_of(self, layer_id: int) -> int:
        """Return the row of a layer; -1 when it is gone."""
        return next((n for n, layer in enumerate(self._layers()) if layer.id == layer_id), -1)

    def toggle(self, index: QModelIndex) -> None:
        """Show or hide, lock or unlock a layer: what a click on its icon does."""
        state = self.layer(index.row()).state
        if index.column() == SHOWN:
            self._change(index, "Hide layer" if state.visible else "Show layer", "visible")
        elif index.column() == LOCKED:
            self._change(index, "Unlock layer" if state.locked else "Lock layer", "locked")

    def count(self) -> int:
        """Return the number of layers."""
        return len(self._layers())

    def data(self, index: QModelIndex, role: int = ItemRole.DisplayRole) -> Any:
        """Return what a cell shows or says."""
        layer = self.layer(index.row())
        if role == ItemRole.SizeHintRole:
            return ROW_SIZE
        if role == ItemRole.DecorationRole:
            return _picture(layer, index.column())
        if role in (ItemRole.ToolTipRole, ItemRole.AccessibleTextRole):
            return _words(layer, index.column())
        if index.column() != NAME:
            return None
        if role in (ItemRole.DisplayRole, ItemRole.EditRole):
            return layer.state.name
        if role == ItemRole.FontRole and layer.state.is_proposal:
            font = QFont()
            font.setItalic(True)
            return font
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = ItemRole.EditRole) -> bool:
        """Rename a layer."""
        name = str(value).strip()
        document = self._editor.document
        if not name or not document:
            return False
        edits.change_layer(document, self.layer(index.row()).id, "Rename layer", name=name)
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Say that names can be edited, and rows dropped between rows only."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else flags

    def supportedDropActions(self) -> Qt.DropAction:
        """Return that rows move; they are never copied."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Return the kind of data that stands for a dragged row."""
        return [MIME]

    def mimeData(self, indexes: list[QModelIndex]) -> QMimeData:
        """Return a dragged row: the id of its layer."""
        data = QMimeData()
        data.setData(MIME, str(self.layer(indexes[0].row()).id).encode())
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """Move the dragged layer to where it was dropped."""
        document = self._editor.document
        if not document or not data.hasFormat(MIME):
            return False
        layer_id = int(bytes(data.data(MIME).data()))
        target = parent.row() if parent.isValid() else row if row >= 0 else self.rowCount()
        above = target - (
            self.row_of(layer_id) < target
        )  # rows above it once it has been taken out
        edits.move_layer(document, layer_id, self.rowCount() - 1 - above)
        return True

    def _layers(self) -> tuple[Layer, ...]:
        return self._editor.document.layers[::-1] if self._editor.document else ()

    def _change(self, index: QModelIndex, name: str, field: str) -> None:
        layer, document = self.layer(index.row()), self._editor.document
        if document:
            value = not getattr(layer.state, field)
            edits.change_layer(document, layer.id, name, **{field: value})

    def _on_editor_updated(self, update: Update) -> None:
        if update.what == "layers":
            self.reset()
        elif update.what == "layer":
            self.refresh_row(self.row_of(update.layer_id))


def _picture(layer: Layer, column: int) -> Any:
    state = layer.state
    if column == SHOWN:
        return icon("eye" if state.visible else "eye-slash")
    if column == COLOUR:
        return swatch(state.colour)
    if column == LOCKED:
        return icon("lock-simple" if state.locked else "lock-simple-open")
    return icon("sparkle") if state.is_proposal else None


def _words(layer: Layer, column: int) -> str:
    state = layer.state
    if column == SHOWN:
        return "Shown: click to hide" if state.visible else "Hidden: click to show"
    if column == COLOUR:
        return "One colour for all" if state.colour else "Coloured by category or segment"
    if column == LOCKED:
        return "Locked: click to unlock" if state.locked else "Unlocked: click to lock"
    kind = f"{state.task}, a proposal" if state.is_proposal else state.task
    return f"{state.name} ({kind}); double-click to rename"
