"""The categories of the active layer as rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt

from segdesk.core.palette import distinct_colour
from segdesk.core.segmentation import Category, Colour
from segdesk.engine import edits
from segdesk.engine.document import Update
from segdesk.engine.layer import Layer
from segdesk.gui.category_keys import key_of
from segdesk.gui.editor import Editor
from segdesk.gui.icons import swatch
from segdesk.gui.panels.rows import ROW_SIZE, ItemRole, RowModel

KEY, COLOUR, NAME, KIND = range(4)


class CategoryModel(RowModel):
    """Rows that can be renamed in place; every change is one step of the history."""

    titles = ("Key", "Colour", "Name", "Kind")

    def __init__(self, editor: Editor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self._shown: tuple[Category, ...] = ()
        editor.document_changed.connect(self._follow)
        editor.updated.connect(self._on_editor_updated)
        self._follow()

    def category(self, row: int) -> Category:
        """Return the category of a row."""
        return self._shown[row]

    def row_of(self, category_id: int) -> int:
        """Return the row of a category; -1 when there is none."""
        return next((n for n, c in enumerate(self._shown) if c.id == category_id), -1)

    def add(self) -> int:
        """Add a category with its own id, name and colour; return the id, 0 when refused."""
        new = max((category.id for category in self._shown), default=0) + 1
        taken = {category.colour for category in self._shown}
        colour = next(c for n in range(len(taken) + 1) if (c := distinct_colour(n)) not in taken)
        added = Category(new, f"category {new}", colour)
        return new if self._set((*self._shown, added)) else 0

    def remove(self, row: int) -> None:
        """Remove a category, unless segments still have it."""
        self._set(self._shown[:row] + self._shown[row + 1 :])

    def change(self, row: int, **fields: Any) -> None:
        """Change fields of a category."""
        changed = replace(self._shown[row], **fields)
        self._set((*self._shown[:row], changed, *self._shown[row + 1 :]))

    def recolour(self, row: int, colour: Colour) -> None:
        """Give a category another colour."""
        self.change(row, colour=colour)

    def count(self) -> int:
        """Return the number of categories."""
        return len(self._shown)

    def data(self, index: QModelIndex, role: int = ItemRole.DisplayRole) -> Any:
        """Return what a cell shows or says."""
        category = self._shown[index.row()]
        if role == ItemRole.SizeHintRole:
            return ROW_SIZE
        if role == ItemRole.DecorationRole and index.column() == COLOUR:
            return swatch(category.colour)
        if role in (ItemRole.ToolTipRole, ItemRole.AccessibleTextRole):
            return _words(category, index.column())
        if role == ItemRole.TextAlignmentRole and index.column() == KEY:
            return Qt.AlignmentFlag.AlignCenter
        if role in (ItemRole.DisplayRole, ItemRole.EditRole):
            return self._text(category, index)
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = ItemRole.EditRole) -> bool:
        """Rename a category."""
        name = str(value).strip()
        if not name or name == self._shown[index.row()].name:
            return False
        if any(name == category.name for category in self._shown):
            self._editor.failed.emit(f"There is a category {name!r} already.")
            return False
        self.change(index.row(), name=name)
        return True

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Say that names can be edited."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else flags

    def _text(self, category: Category, index: QModelIndex) -> str | None:
        if index.column() == KEY:
            key = key_of(self._shown, category.id)
            return "" if key is None else str(key)
        if index.column() == NAME:
            return category.name
        if index.column() == KIND and category.id:
            return "thing" if category.is_thing else "stuff"
        return None

    def _set(self, categories: tuple[Category, ...]) -> bool:
        layer = self._editor.layer_to_paint()
        if not layer or not self._editor.document:
            return False
        before = layer.state
        self._editor.attempt(edits.set_categories, self._editor.document, layer.id, categories)
        return layer.state is not before

    def _follow(self) -> None:
        layer: Layer | None = self._editor.document.active if self._editor.document else None
        categories = layer.state.categories if layer else ()
        if categories != self._shown:
            self.beginResetModel()
            self._shown = categories
            self.endResetModel()

    def _on_editor_updated(self, update: Update) -> None:
        if update.what in ("layer", "layers", "active"):
            self._follow()


def _words(category: Category, column: int) -> str:
    if column == COLOUR:
        return "Double-click for another colour"
    if column == KIND and category.id:
        kind = "things are counted one by one" if category.is_thing else "stuff is one area"
        return f"Double-click to change: {kind}"
    return f"{category.name} (id {category.id}); double-click to rename"
