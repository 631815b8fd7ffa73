"""The layer panel: what lies on the image, in which order, and how it is shown."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import QModelIndex, Qt, Signal, SignalInstance
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QSlider,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from segdesk.core.segmentation import Task
from segdesk.engine import edits
from segdesk.engine.document import Update
from segdesk.engine.layer import Layer, LayerState
from segdesk.gui.editor import Editor, default_categories
from segdesk.gui.icons import IconButton, swatch
from segdesk.gui.panels.layer_model import COLOUR, LOCKED, NAME, SHOWN, LayerModel

DISPLAYS = ("fill", "contour")


class LayersPanel(QWidget):
    """The list of layers with the looks of the active one below.

    Signals
    -------
    accepted, rejected
        Id of a proposal that the user has judged.
    """

    accepted = Signal(int)
    rejected = Signal(int)

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.model = LayerModel(editor, self)
        self.view = _view(self.model)
        self.looks = LayerLooks(editor)
        self.add = self._add_button()
        self.remove = IconButton("trash", "Remove layer")
        self.accept = IconButton("check", "Accept proposal")
        self.reject = IconButton("x", "Reject proposal")
        self._lay_out()
        self._connect()
        self._follow_active()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self.add)
        row.addWidget(self.remove)
        row.addStretch()
        row.addWidget(self.accept)
        row.addWidget(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.view, 1)
        layout.addLayout(row)
        layout.addWidget(self.looks)

    def _add_button(self) -> QToolButton:
        button = IconButton("plus", "Add layer")
        menu = QMenu(button)
        for task in get_args(Task):
            action = QAction(f"{task.capitalize()} layer", menu)
            action.triggered.connect(lambda _=False, task=task: self._add_layer(task))
            menu.addAction(action)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _connect(self) -> None:
        self.view.clicked.connect(self._on_view_clicked)
        self.view.selectionModel().currentRowChanged.connect(self._on_view_row_changed)
        self.model.modelReset.connect(self._follow_active)
        self.remove.clicked.connect(self._on_remove_clicked)
        self.accept.clicked.connect(lambda: self._judge(self.accepted))
        self.reject.clicked.connect(lambda: self._judge(self.rejected))
        self._editor.updated.connect(self._on_editor_updated)

    def _add_layer(self, task: Task) -> None:
        document = self._editor.document
        if document:
            categories = document.active.state.categories if document.active else ()
            number = len(document.layers) + 1
            edits.add_layer(
                document,
                LayerState(f"Layer {number}", task, categories or default_categories()),
            )

    def _on_remove_clicked(self) -> None:
        document = self._editor.document
        if document and document.active:
            self._editor.attempt(edits.remove_layer, document, document.active.id)

    def _judge(self, verdict: SignalInstance) -> None:
        document = self._editor.document
        if document and document.active:
            verdict.emit(document.active.id)

    def _follow_active(self) -> None:
        layer = self._editor.document.active if self._editor.document else None
        if layer:
            self.view.setCurrentIndex(self.model.index(self.model.row_of(layer.id), NAME))
        is_proposal = bool(layer and layer.state.is_proposal)
        self.add.setEnabled(self._editor.document is not None)
        self.remove.setEnabled(layer is not None)
        self.accept.setVisible(is_proposal)
        self.reject.setVisible(is_proposal)
        self.looks.show_layer(layer)

    def _on_editor_updated(self, update: Update) -> None:
        if update.what in ("active", "layer"):
            self._follow_active()

    def _on_view_clicked(self, index: QModelIndex) -> None:
        if index.column() == COLOUR:
            self.looks.ask_colour()
        else:
            self.model.toggle(index)

    def _on_view_row_changed(self, index: QModelIndex) -> None:
        if index.isValid() and self._editor.document:
            self._editor.document.activate(self.model.layer(index.row()).id)


class LayerLooks(QWidget):
    """Opacity, fill or contour, and colour of one layer."""

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self._layer: Layer | None = None
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setAccessibleName("Opacity")
        self._percent = QLabel()
        self._percent.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %"))
        self._display = QComboBox()
        self._display.addItems([display.capitalize() for display in DISPLAYS])
        self._display.setAccessibleName("Fill or contour")
        self._colour = QComboBox()
        self._colour.setAccessibleName("Colour")
        self._colour.addItems(["By category", "One colour…"])
        self._lay_out()
        self.opacity.valueChanged.connect(self._on_opacity_changed)
        self._display.activated.connect(self._on_display_activated)
        self._colour.activated.connect(self._on_colour_activated)

    def show_layer(self, layer: Layer | None) -> None:
        """Show the looks of a layer, or of none."""
        self._layer = layer
        self.setEnabled(layer is not None)
        state = layer.state if layer else LayerState("")
        self.opacity.blockSignals(True)  # the value comes from the layer, not from the user
        self.opacity.setValue(round(state.opacity * 100))
        self.opacity.blockSignals(False)
        self._percent.setText(f"{round(state.opacity * 100)} %")
        self._display.setCurrentIndex(DISPLAYS.index(state.display))
        self._colour.setCurrentIndex(1 if state.colour else 0)
        is_by_category = state.task == "semantic"
        self._colour.setItemText(0, "By category" if is_by_category else "By segment")
        self._colour.setItemIcon(0, swatch(None))
        self._colour.setItemIcon(1, swatch(state.colour or (128, 128, 128)))

    def ask_colour(self) -> None:
        """Let the user choose one colour for the layer."""
        state = self._layer.state if self._layer else None
        if state:
            colour = QColorDialog.getColor(QColor(*(state.colour or (86, 180, 233))), self)
            if colour.isValid():
                self._change("Layer colour", colour=(colour.red(), colour.green(), colour.blue()))
            else:
                self.show_layer(self._layer)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(2, 4, 2, 0)
        grid.addWidget(QLabel("Opacity"), 0, 0)
        grid.addWidget(self.opacity, 0, 1)
        grid.addWidget(self._percent, 0, 2)
        grid.addWidget(QLabel("Show as"), 1, 0)
        grid.addWidget(self._display, 1, 1, 1, 2)
        grid.addWidget(QLabel("Colour"), 2, 0)
        grid.addWidget(self._colour, 2, 1, 1, 2)
        grid.setColumnStretch(1, 1)

    def _change(self, name: str, **fields: object) -> None:
        layer, document = self._layer, self._editor.document
        if layer and document and any(getattr(layer.state, k) != v for k, v in fields.items()):
            edits.change_layer(document, layer.id, name, **fields)

    def _on_opacity_changed(self, percent: int) -> None:
        self._change("Opacity", opacity=percent / 100)

    def _on_display_activated(self, index: int) -> None:
        self._change("Fill or contour", display=DISPLAYS[index])

    def _on_colour_activated(self, index: int) -> None:
        if index == 0:
            self._change("Layer colour", colour=None)
        else:
            self.ask_colour()


def _view(model: LayerModel) -> QTreeView:
    view = QTreeView()
    view.setModel(model)
    view.setAccessibleName("Layers, the topmost first")
    view.setHeaderHidden(True)
    view.setRootIsDecorated(False)
    view.setUniformRowHeights(True)
    view.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
    view.setEditTriggers(
        QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
    )
    header = view.header()
    header.setStretchLastSection(False)
    header.setMinimumSectionSize(28)
    for column in (SHOWN, COLOUR, LOCKED):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(column, 30)
    header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
    return view
