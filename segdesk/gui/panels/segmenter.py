"""The segmenter panel: which model, with which weights and options, and learnt from what."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from segdesk.api import SegmenterSpec
from segdesk.core.prompts import Example
from segdesk.engine.document import Update
from segdesk.engine.registry import registry
from segdesk.gui.actions import Actions
from segdesk.gui.checkpointing import Checkpointing
from segdesk.gui.choice import Choice
from segdesk.gui.forms import OptionsForm
from segdesk.gui.icons import IconButton
from segdesk.gui.tiled import TileOptions
from segdesk.gui.workbench import Workbench


class SegmenterPanel(QWidget):
    """Shows and changes a ``Choice``, and runs it."""

    def __init__(
        self, bench: Workbench, actions: Actions[Any], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._bench = bench
        self._choice: Choice = bench.segmenting.choice
        self._actions = actions
        self._segmenters = _segmenter_combo()
        self._checkpoint = CheckpointRow(self._choice, bench.checkpoints)
        self._hint = QLabel(wordWrap=True)
        self._hint.setObjectName("muted")
        self.refusal = QLabel(wordWrap=True)
        self._form_slot = QVBoxLayout()
        self.form: OptionsForm | None = None
        self.tiles = OptionsForm(TileOptions)
        self._spec: SegmenterSpec | None = None
        self._live = QCheckBox("Answer after every prompt")
        self._examples = ExamplesRow(bench, actions["add_example"])
        self._lay_out()
        self._segmenters.activated.connect(self._on_segmenters_activated)
        self._live.toggled.connect(self._choice.set_live)
        self.tiles.changed.connect(self._on_tiles_changed)
        self._choice.changed.connect(self._refresh)
        self._choice.tuned.connect(self._on_choice_tuned)
        bench.editor.document_changed.connect(self._refresh_refusal)
        bench.editor.updated.connect(self._on_editor_updated)
        self._refresh()

    def _lay_out(self) -> None:
        top = QFormLayout()
        top.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        top.addRow("Segmenter", self._segmenters)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._checkpoint)
        layout.addWidget(self._hint)
        layout.addLayout(self._form_slot)
        layout.addWidget(self.tiles)
        layout.addWidget(self._live)
        layout.addWidget(self._examples)
        layout.addWidget(self.refusal)
        layout.addLayout(self._run_row())
        layout.addStretch()

    def _run_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        run = _push_button(self._actions["run"], "Run")
        run.setObjectName("primary")
        row.addWidget(run, 1)
        row.addWidget(_push_button(self._actions["stop"], "Stop"))
        return row

    def _refresh(self) -> None:
        spec = self._choice.spec
        self._segmenters.setCurrentIndex(self._segmenters.findData(spec.id if spec else None))
        self._hint.setText(spec.help if spec else "")
        self._hint.setVisible(bool(self._hint.text()))
        self._refresh_refusal()
        self._live.setVisible(bool(spec and spec.live))
        self.tiles.setVisible(bool(spec and spec.tile_size and not spec.live))
        with QSignalBlocker(self._live):
            self._live.setChecked(self._choice.live)
        self._checkpoint.refresh()
        self._examples.refresh()
        self._checkpoint.setVisible(bool(spec and (spec.needs_checkpoint or spec.checkpoints)))
        self._examples.setVisible(bool(spec and Example in spec.prompts))
        if spec is not self._spec:
            self._spec = spec
            self._refresh_form()

    def _on_segmenters_activated(self, index: int) -> None:
        self._choice.choose(self._segmenters.itemData(index))
        if tool := self._choice.tool():
            self._bench.editor.set_tool(tool)

    def _on_editor_updated(self, update: Update) -> None:
        if update.what == "prompts":
            self._refresh_refusal()

    def _refresh_refusal(self) -> None:
        """Say why it cannot run now."""
        self.refusal.setText(self._bench.segmenting.refusal())
        self.refusal.setVisible(bool(self.refusal.text()))

    def _refresh_form(self) -> None:
        spec = self._choice.spec
        if self.form:
            self._form_slot.removeWidget(self.form)
            self.form.deleteLater()
        self.form = OptionsForm(spec.options if spec else None)
        if spec and spec.options:
            self.form.show_value(self._choice.options)
            self.form.changed.connect(self._on_form_changed)
        self._form_slot.addWidget(self.form)

    def _on_choice_tuned(self) -> None:
        if self.form and self._choice.options is not None:
            self.form.show_value(self._choice.options)

    def _on_tiles_changed(self) -> None:
        self._choice.set_tiles(self.tiles.value())

    def _on_form_changed(self) -> None:
        if self.form:
            self._choice.set_options(self.form.value())


class CheckpointRow(QWidget):
    """Weights by name, Hub id or folder: installed, suggested, typed or browsed for."""

    def __init__(
        self, choice: Choice, checkpoints: Checkpointing, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._choice, self._checkpoints = choice, checkpoints
        self._refs = QComboBox(editable=True)
        self._refs.setAccessibleName("Checkpoint: a Hub id or a folder")
        self._refs.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        line = self._refs.lineEdit()
        if line:
            line.setPlaceholderText("Hub id or folder")
            line.editingFinished.connect(self._on_line_finished)
        browse = IconButton("folder-open", "Choose a folder with a checkpoint")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Checkpoint"))
        row.addWidget(self._refs, 1)
        row.addWidget(browse)
        self._refs.activated.connect(self._on_refs_activated)
        browse.clicked.connect(self._on_browse_clicked)
        checkpoints.changed.connect(self._on_checkpoints_changed)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for what is installed by now."""
        super().showEvent(event)
        self._checkpoints.refresh()

    def refresh(self) -> None:
        """Show what is installed for the chosen segmenter, what it suggests, and what is chosen."""
        spec = self._choice.spec
        titles = {item.ref: item.title for item in spec.checkpoints} if spec else {}
        here = [item.name for item in self._checkpoints.suiting(spec.task)] if spec else []
        with QSignalBlocker(self._refs):
            self._refs.clear()
            for ref in dict.fromkeys([*here, *titles]):
                self._refs.addItem(titles.get(ref, ref), ref)
                self._refs.setItemData(self._refs.count() - 1, ref, Qt.ItemDataRole.ToolTipRole)
            found = self._refs.findData(self._choice.checkpoint)
            self._refs.setCurrentIndex(found)
            if found < 0:
                self._refs.setEditText(self._choice.checkpoint)
        self._refs.setToolTip(self._choice.checkpoint)

    def _on_checkpoints_changed(self) -> None:
        line = self._refs.lineEdit()
        if not (line and line.isModified()):  # somebody is typing
            self.refresh()

    def _on_refs_activated(self, index: int) -> None:
        self._choice.set_checkpoint(self._refs.itemData(index) or self._refs.itemText(index))

    def _on_line_finished(self) -> None:
        text = self._refs.currentText().strip()
        found = self._refs.findText(text)
        self._choice.set_checkpoint(self._refs.itemData(found) if found >= 0 else text)

    def _on_browse_clicked(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A folder with a checkpoint")
        if folder:
            self._choice.set_checkpoint(folder)


class ExamplesRow(QWidget):
    """The finished images to learn from."""

    def __init__(self, bench: Workbench, add: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._names = QLabel(wordWrap=True)
        self._names.setObjectName("muted")
        self._forget = IconButton("trash", "Forget all examples")
        button = QToolButton()
        button.setDefaultAction(add)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        row = QHBoxLayout()
        row.addWidget(button)
        row.addStretch()
        row.addWidget(self._forget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self._names)
        self._forget.clicked.connect(lambda: bench.segmenting.choice.set_examples(()))

    def refresh(self) -> None:
        """Show the examples that there are."""
        names = [example.name for example in self._bench.segmenting.choice.examples]
        self._names.setText("Learnt from " + ", ".join(names) if names else "")
        self._names.setVisible(bool(names))
        self._forget.setVisible(bool(names))


def _segmenter_combo() -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName("Segmenter")
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    for spec in registry().segmenters.values():
        combo.addItem(spec.title, spec.id)
        combo.setItemData(combo.count() - 1, spec.help, Qt.ItemDataRole.ToolTipRole)
    return combo


def _push_button(action: QAction, text: str) -> QPushButton:
    """Return a button that does what an action does, and is enabled when that is."""
    button = QPushButton(text)
    button.setToolTip(action.toolTip())
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    return button
