"""The category editor: what can be painted, and which of it is being painted."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QHBoxLayout,
    QHeaderView,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from segdesk.gui.editor import Editor
from segdesk.gui.icons import IconButton
from segdesk.gui.panels.category_model import COLOUR, KEY, KIND, NAME, CategoryModel


class CategoriesPanel(QWidget):
    """The list of categories; the current row is what tools paint."""

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.model = CategoryModel(editor, self)
        self.view = _view(self.model)
        self._add = IconButton("plus", "Add category")
        self._remove = IconButton("trash", "Remove category")
        self._lay_out()
        self._connect()
        self._follow_category()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self._add)
        row.addWidget(self._remove)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.view, 1)
        layout.addLayout(row)

    def _connect(self) -> None:
        self._add.clicked.connect(self._on_add_clicked)
        self._remove.clicked.connect(self._on_remove_clicked)
        self.view.doubleClicked.connect(self._on_view_double_clicked)
        self.view.selectionModel().currentRowChanged.connect(self._on_view_row_changed)
        self.model.modelReset.connect(self._follow_category)
        self._editor.category_changed.connect(self._follow_category)
        self._editor.document_changed.connect(self._follow_category)

    def _follow_category(self) -> None:
        row = self.model.row_of(self._editor.category)
        if row < 0 and self.model.count():
            row = min(1, self.model.count() - 1)  # the first one that is no background
            self._editor.set_category(self.model.category(row).id)
        if row >= 0:
            self.view.setCurrentIndex(self.model.index(row, NAME))
        self._add.setEnabled(self._editor.document is not None)
        self._remove.setEnabled(row >= 0 and self._editor.category != 0)

    def _on_view_row_changed(self, index: QModelIndex) -> None:
        if index.isValid():
            self._editor.set_category(self.model.category(index.row()).id)

    def _on_view_double_clicked(self, index: QModelIndex) -> None:
        category = self.model.category(index.row())
        if index.column() == COLOUR:
            colour = QColorDialog.getColor(QColor(*category.colour), self)
            if colour.isValid():
                self.model.recolour(index.row(), (colour.red(), colour.green(), colour.blue()))
        elif index.column() == KIND and category.id:
            self.model.change(index.row(), is_thing=not category.is_thing)

    def _on_add_clicked(self) -> None:
        new = self.model.add()
        if new:
            self._editor.set_category(new)
            self.view.edit(self.model.index(self.model.row_of(new), NAME))

    def _on_remove_clicked(self) -> None:
        row = self.model.row_of(self._editor.category)
        if row >= 0:
            self.model.remove(row)


def _view(model: CategoryModel) -> QTreeView:
    view = QTreeView()
    view.setModel(model)
    view.setAccessibleName("Categories of the active layer")
    view.setHeaderHidden(True)
    view.setRootIsDecorated(False)
    view.setUniformRowHeights(True)
    view.setEditTriggers(
        QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
    )
    header = view.header()
    header.setStretchLastSection(False)
    header.setMinimumSectionSize(24)
    header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
    for column, width in ((KEY, 26), (COLOUR, 30), (KIND, 52)):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(column, width)
    return view
