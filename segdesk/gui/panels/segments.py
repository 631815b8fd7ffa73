"""The segment table: find, choose, judge and change single segments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPoint,
    QTimer,
    Signal,
    SignalInstance,
)
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from segdesk.core.measurements import Column, cell_text
from segdesk.core.pixel_size import pixel_size
from segdesk.core.progress import Report
from segdesk.engine import edits
from segdesk.engine.layer import Layer
from segdesk.gui.editor import Editor
from segdesk.gui.icons import IconButton, swatch
from segdesk.gui.measuring import FORMATS, Measuring
from segdesk.gui.panels.rows import ItemRole
from segdesk.gui.panels.segment_model import CATEGORY, ID, SegmentModel
from segdesk.gui.panels.segment_view import SegmentView
from segdesk.gui.theme import ICON_SIZE

REFRESH_MS = 60


class SegmentsPanel(QWidget):
    """A table of the active layer's segments.

    Signals
    -------
    segment_shown
        A ``Window`` around the segment that the user has clicked on: to be centred.
    accepted, rejected
        Id of a proposal, and the ids of those of its segments that the user has judged.
    category_chosen
        Id of the category that the selected segments shall have.
    """

    segment_shown = Signal(object)
    accepted = Signal(int, object)
    rejected = Signal(int, object)
    category_chosen = Signal(int)

    def __init__(
        self,
        editor: Editor,
        measuring: Measuring,
        actions: Sequence[QAction],
        parent: QWidget | None = None,
    ) -> None:
        """Make the table; `actions` of the window get a button below it."""
        super().__init__(parent)
        self._editor = editor
        self._measuring = measuring
        self._window_actions = actions
        self.model = SegmentModel(self)
        self.view = SegmentView(self.model)
        self.view.setItemDelegateForColumn(CATEGORY, CategoryDelegate(editor, self.view))
        self._phrase = QLineEdit(placeholderText="Filter by id, category or state")
        self._count = QLabel()
        self._count.setObjectName("muted")
        self._timer = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._is_following = False
        self.buttons = self._make_buttons()
        self.measure = IconButton("ruler", "Measure all segments of the layer")
        self.measure.setCheckable(True)
        self.table = self._make_table_button()
        self._lay_out()
        self._connect()
        self._refresh()

    def _make_buttons(self) -> dict[str, QToolButton]:
        buttons: dict[str, QToolButton] = {
            "accept": IconButton("check", "Accept the selected segments"),
            "reject": IconButton("x", "Reject the selected segments"),
            "category": IconButton("tag", "Change the category of the selected segments"),
        }
        buttons["category"].setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(buttons["category"])
        menu.aboutToShow.connect(lambda: self._fill_category_menu(menu))
        buttons["category"].setMenu(menu)
        return buttons

    def _make_table_button(self) -> QToolButton:
        button = IconButton("table", "Copy, save or choose the columns of the table")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.aboutToShow.connect(lambda: self._fill_table_menu(menu))
        button.setMenu(menu)
        return button

    def _lay_out(self) -> None:
        self._phrase.setClearButtonEnabled(True)
        self._phrase.setAccessibleName("Filter segments")
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self._count)
        row.addStretch()
        for button in (self.measure, self.table, *self.buttons.values()):
            row.addWidget(button)
        for action in self._window_actions:
            row.addWidget(_action_button(action))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self._phrase)
        layout.addWidget(self.view, 1)
        layout.addLayout(row)

    def _connect(self) -> None:
        self._timer.timeout.connect(self._refresh)
        self._phrase.textChanged.connect(self.model.set_phrase)
        self.model.modelReset.connect(self._follow_selection)
        self.view.selectionModel().selectionChanged.connect(self._on_view_selection_changed)
        self.view.clicked.connect(self._on_view_clicked)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.measure.clicked.connect(self._on_measure_clicked)
        self._measuring.changed.connect(self._refresh)
        self._editor.document_changed.connect(self._refresh)
        self._editor.updated.connect(self._on_editor_updated)
        self._editor.selection_changed.connect(self._follow_selection)
        self.buttons["accept"].clicked.connect(lambda: self._judge(self.accepted))
        self.buttons["reject"].clicked.connect(lambda: self._judge(self.rejected))

    def _layer(self) -> Layer | None:
        return self._editor.document.active if self._editor.document else None

    def _judge(self, verdict: SignalInstance) -> None:
        layer = self._layer()
        if layer:
            verdict.emit(layer.id, set(self._editor.selection) & set(layer.segments))

    def _on_editor_updated(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _refresh(self) -> None:
        layer, document = self._layer(), self._editor.document
        size = pixel_size(document.image.info) if document else None
        self.model.show_layer(layer, self._measuring.of(layer), size)
        segments = layer.segments.values() if layer else ()
        self.view.set_has_scores(any(segment.score is not None for segment in segments))
        total, shown = len(segments), self.model.count()
        self._count.setText(f"{total:,}" if shown == total else f"{shown:,} of {total:,}")
        self._count.setToolTip("Number of segments")
        self._follow_buttons()

    def _follow_buttons(self) -> None:
        layer, count = self._layer(), len(self._editor.selection)
        is_proposal = bool(layer and layer.state.is_proposal)
        self.buttons["accept"].setVisible(is_proposal)
        self.buttons["reject"].setVisible(is_proposal)
        for button in self.buttons.values():
            button.setEnabled(count > 0)
        is_running = self._measuring.is_running
        self.measure.setChecked(is_running)
        self.measure.setToolTip("Stop measuring" if is_running else self.measure.accessibleName())
        for button in (self.measure, self.table):
            button.setEnabled(is_running or bool(layer and layer.segments))

    def _follow_selection(self) -> None:
        """Select the rows of the segments that the editor has selected."""
        if not self._is_following:
            rows = self.model.rows_of(self._editor.selection)
            self._is_following = True
            self.view.select_rows(rows)
            self._is_following = False
            if len(rows) == 1:
                self.view.scrollTo(self.model.index(int(rows[0]), ID))
        self._follow_buttons()

    def _on_view_selection_changed(self) -> None:
        if not self._is_following:
            self._is_following = True
            ids = self.model.ids[self.view.selected_rows()]
            self._editor.select(frozenset(ids.tolist()))
            self._is_following = False
            self._follow_buttons()

    def _on_measure_clicked(self) -> None:
        if self._measuring.is_running:
            self._measuring.stop()
        else:
            self._measuring.start()
        self._follow_buttons()

    def _fill_table_menu(self, menu: QMenu) -> None:
        menu.clear()
        menu.addAction("Copy Table", self.copy_table)
        menu.addAction("Save Table...", self.save_table)
        self.view.column_menu(menu.addMenu("Columns"))

    def copy_table(self) -> None:
        """Put the rows and columns on show into the clipboard, for spreadsheets."""
        columns = {name: self.model.column(name) for name in self.view.shown_names()}
        job = self._measuring.run(lambda report: _as_text(columns, report), "Copying the table")
        job.succeeded.connect(lambda text: QGuiApplication.clipboard().setText(text))

    def save_table(self) -> None:
        """Ask for a file, and write all measurements of the layer to it."""
        document = self._editor.document
        image = Path(document.image.info.name) if document else Path()
        suggested = str(image.with_name(f"{image.stem}-measurements.csv"))
        filters = ";;".join(FORMATS.values())
        chosen, _ = QFileDialog.getSaveFileName(self, "Save Table", suggested, filters)
        if chosen:
            self._measuring.save(Path(chosen))

    def _on_view_clicked(self, index: QModelIndex) -> None:
        layer = self._layer()
        if layer:
            bounds = self._editor.attempt(layer.bounds, int(self.model.ids[index.row()]))
            if bounds:
                if self._editor.frame not in bounds:
                    self._editor.set_frame(next(iter(bounds)))
                self.segment_shown.emit(bounds[self._editor.frame])

    def _fill_category_menu(self, menu: QMenu) -> None:
        menu.clear()
        layer = self._layer()
        for category in layer.state.categories if layer else ():
            if category.id:
                action = menu.addAction(swatch(category.colour), category.name)
                action.triggered.connect(
                    lambda _=False, i=category.id: self.category_chosen.emit(i)
                )

    def _open_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        categories = menu.addMenu("Category")
        self._fill_category_menu(categories)
        for name in ("accept", "reject"):
            button = self.buttons[name]
            if button.isVisible():
                menu.addAction(button.icon(), button.accessibleName(), button.click)
        menu.addActions(list(self._window_actions))
        menu.exec(self.view.viewport().mapToGlobal(position))


class CategoryDelegate(QStyledItemDelegate):
    """Changes the category of a segment in its cell."""

    def __init__(self, editor: Editor, parent: QWidget) -> None:
        super().__init__(parent)
        self._editor = editor

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QWidget:
        """Return a list of the layer's categories."""
        combo = QComboBox(parent)
        layer = self._editor.document.active if self._editor.document else None
        for category in layer.state.categories if layer else ():
            if category.id:
                combo.addItem(swatch(category.colour), category.name, category.id)
        combo.activated.connect(lambda: self.commitData.emit(combo))
        combo.activated.connect(lambda: self.closeEditor.emit(combo))
        return combo

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:
        """Show the category that the segment has."""
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(editor.findData(index.data(ItemRole.EditRole)))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: QModelIndex) -> None:
        """Give the segment the category that was chosen."""
        document = self._editor.document
        if isinstance(editor, QComboBox) and isinstance(model, SegmentModel) and document:
            layer, category_id = model.layer, editor.currentData()
            if layer and category_id and category_id != index.data(ItemRole.EditRole):
                chosen = {int(model.ids[index.row()])}
                self._editor.attempt(edits.set_category, document, layer.id, chosen, category_id)


def _as_text(columns: dict[str, Column], report: Report) -> str:
    """Return a table as lines of cells with tabs between them, names above."""
    cells = []
    for number, (name, column) in enumerate(columns.items()):
        report(number / len(columns), "Writing")
        cells.append([name, *map(_on_one_line, map(cell_text, column.tolist()))])
    return "\n".join(map("\t".join, zip(*cells, strict=True)))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _action_button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(ICON_SIZE)
    return button
