"""Asks what to export, and says what each format would lose before anything is written."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from segdesk.engine.registry import registry
from segdesk.gui.exporting import Exporting, Files, Order
from segdesk.gui.icons import IconButton
from segdesk.gui.lanes import Job
from segdesk.gui.settings import settings

Losses = dict[str, list[str]]


class ExportDialog(QDialog):
    """Layer, formats, folder and name; then progress, and the way to the files."""

    def __init__(self, exporting: Exporting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._exporting = exporting
        self._job: Job | None = None
        self.layers = QComboBox()
        self.layers.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.formats = {name: QCheckBox(spec.title) for name, spec in registry().writers.items()}
        self.losses = QLabel(wordWrap=True)
        self.losses.setObjectName("muted")
        self.losses.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.losses.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.losses.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.folder = QLineEdit(str(exporting.folder))
        self.stem = QLineEdit(exporting.stem)
        self._progress = QProgressBar(maximum=1000)
        self.outcome = QLabel(wordWrap=True)
        self.open_folder = QPushButton("Open Folder")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.export = self._buttons.addButton("Export", QDialogButtonBox.ButtonRole.ActionRole)
        self._fill()
        self._lay_out()
        self._connect()
        self._check()

    def sizeHint(self) -> QSize:
        """Return a size at which paths can be read."""
        return QSize(560, 380)

    def order(self) -> Order | None:
        """Return what has been chosen; None while something is missing."""
        formats = tuple(name for name, box in self.formats.items() if box.isChecked())
        layer_id, stem = self.layers.currentData(), self.stem.text().strip()
        folder = self.folder.text().strip()
        if not formats or layer_id is None or not stem or not folder:
            return None
        return Order(layer_id, formats, Path(folder).expanduser(), stem)

    def _fill(self) -> None:
        for layer in self._exporting.layers():
            proposal = ", a proposal" if layer.state.is_proposal else ""
            words = f"{layer.state.name} ({layer.state.task}{proposal})"
            self.layers.addItem(words, layer.id)
        remembered = settings().value("export_formats", ["png"])
        for name, box in self.formats.items():
            box.setChecked(name in (remembered or []))
        self._progress.hide()
        self.outcome.hide()
        self.open_folder.hide()
        self.export.setObjectName("primary")
        self.export.setDefault(True)

    def _lay_out(self) -> None:
        formats = QVBoxLayout()
        formats.setSpacing(4)
        for box in self.formats.values():
            formats.addWidget(box)
        browse = IconButton("folder-open", "Choose a folder")
        browse.clicked.connect(self._on_browse_clicked)
        folder = QHBoxLayout()
        folder.addWidget(self.folder, 1)
        folder.addWidget(browse)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setVerticalSpacing(10)
        form.addRow("Layer", self.layers)
        form.addRow("Formats", formats)
        form.addRow("Not kept", self.losses)
        form.addRow("Folder", folder)
        form.addRow("Name", self.stem)
        outcome = QHBoxLayout()
        outcome.addWidget(self.outcome, 1)
        outcome.addWidget(self.open_folder)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addStretch()
        layout.addWidget(self._progress)
        layout.addLayout(outcome)
        layout.addWidget(self._buttons)

    def _connect(self) -> None:
        self.layers.currentIndexChanged.connect(self._check)
        for box in self.formats.values():
            box.toggled.connect(self._check)
        self.folder.textChanged.connect(self._check_complete)
        self.stem.textChanged.connect(self._check_complete)
        self.export.clicked.connect(self._on_export_clicked)
        self.open_folder.clicked.connect(self._on_open_folder_clicked)
        self._buttons.rejected.connect(self.reject)

    def _check_complete(self) -> None:
        self.export.setEnabled(self.order() is not None and self._job is None)

    def _check(self) -> None:
        """Look for losses anew."""
        self._check_complete()
        order = self.order()
        self.losses.setText("" if order else "Choose a format.")
        if order:
            job = self._exporting.find_losses(order)
            job.succeeded.connect(partial(self._on_losses_found, order.formats))

    def _on_losses_found(self, formats: tuple[str, ...], found: Losses) -> None:
        order = self.order()
        if order and order.formats == formats:
            titles = {name: self.formats[name].text() for name in found}
            lines = [f"{titles[name]}: {loss}" for name, losses in found.items() for loss in losses]
            self.losses.setText("\n".join(lines) or "Nothing: these formats hold all of it.")
            self._make_room()

    def _on_browse_clicked(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Export to", self.folder.text())
        if name:
            self.folder.setText(name)

    def _on_export_clicked(self) -> None:
        order = self.order()
        self._job = self._exporting.start(order) if order else None
        if not order or not self._job:
            return
        settings().setValue("export_formats", list(order.formats))
        self._progress.setValue(0)
        self._progress.show()
        self.outcome.hide()
        self.open_folder.hide()
        self._job.progressed.connect(self._on_progressed)
        self._job.succeeded.connect(self._on_succeeded)
        self._job.failed.connect(lambda error: self._show_outcome(str(error)))
        self._job.finished.connect(self._on_finished)
        self._check_complete()

    def _on_progressed(self, fraction: float) -> None:
        self._progress.setValue(round(1000 * fraction))

    def _on_succeeded(self, files: Files) -> None:
        names = [path.name for paths in files.values() for path in paths[:1]]
        count = sum(map(len, files.values()))
        self._show_outcome(
            f"{count} file{'s' * (count != 1)} written and read back: {', '.join(names)}"
        )
        self.open_folder.show()
        self._make_room()

    def _on_finished(self) -> None:
        self._job = None
        self._progress.hide()
        self._check_complete()

    def _show_outcome(self, text: str) -> None:
        self.outcome.setText(text)
        self.outcome.show()
        self._make_room()

    def _make_room(self) -> None:
        """Grow until all texts can be read."""
        layout = self.layout()
        layout.activate()
        needed = max(layout.totalMinimumSize().height(), layout.heightForWidth(self.width()))
        self.resize(self.width(), max(self.height(), needed))

    def _on_open_folder_clicked(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self.folder.text()))
