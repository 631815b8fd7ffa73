"""The page of the checkpoints on this machine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segdesk.engine.checkpoints.packs import SUFFIX
from segdesk.engine.checkpoints.store import Installed
from segdesk.gui.checkpointing import Checkpointing
from segdesk.gui.panels.rows import ROW_SIZE

TITLES = ("Name", "Task", "Size", "Licence", "From", "Last used")
SOURCES = {"hub": "Hub", "cache": "Hub (shared)", "folder": "folder", "pack": "pack"}
_PACKS = f"Packs (*{SUFFIX})"


class InstalledCheckpoints(QWidget):
    """A list, and what can be done with its rows.

    Signals
    -------
    install_wanted
        Path of a folder or pack.
    job_wanted
        A ``Job`` to be followed, and a function that puts its result into words.
    """

    install_wanted = Signal(object)
    job_wanted = Signal(object, object)

    def __init__(self, checkpoints: Checkpointing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._checkpoints = checkpoints
        self.list = checkpoint_list(TITLES)
        self.buttons = {
            "folder": QPushButton("Import Folder…"),
            "file": QPushButton("Import Pack…"),
            "pack": QPushButton("Pack…"),
            "verify": QPushButton("Verify"),
            "remove": QPushButton("Remove…"),
        }
        row = QHBoxLayout()
        for button in self.buttons.values():
            row.addWidget(button)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.addWidget(self.list, 1)
        layout.addLayout(row)
        self._connect()
        self._fill()

    @property
    def chosen(self) -> Installed | None:
        """The checkpoint of the selected row."""
        item = self.list.currentItem()
        return item.data(0, Qt.ItemDataRole.UserRole) if item else None

    def _connect(self) -> None:
        self._checkpoints.changed.connect(self._fill)
        self.list.itemSelectionChanged.connect(self._enable)
        self.buttons["folder"].clicked.connect(self._on_folder_clicked)
        self.buttons["file"].clicked.connect(self._on_file_clicked)
        self.buttons["pack"].clicked.connect(self._on_pack_clicked)
        self.buttons["verify"].clicked.connect(self._on_verify_clicked)
        self.buttons["remove"].clicked.connect(self._on_remove_clicked)

    def _fill(self) -> None:
        self.list.clear()
        for checkpoint in self._checkpoints.installed:
            item = QTreeWidgetItem(_cells(checkpoint))
            item.setData(0, Qt.ItemDataRole.UserRole, checkpoint)
            item.setSizeHint(0, ROW_SIZE)
            item.setToolTip(0, str(checkpoint.path))
            self.list.addTopLevelItem(item)
        self._enable()

    def _enable(self) -> None:
        for name in ("pack", "verify", "remove"):
            self.buttons[name].setEnabled(bool(self.list.selectedItems()))

    def _on_folder_clicked(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "A folder with a checkpoint")
        if name:
            self.install_wanted.emit(Path(name))

    def _on_file_clicked(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "A pack", "", f"{_PACKS};;All files (*)")
        if name:
            self.install_wanted.emit(Path(name))

    def _on_pack_clicked(self) -> None:
        chosen = self.chosen
        proposal = chosen.name.replace("/", "--") + SUFFIX if chosen else ""
        name, _ = QFileDialog.getSaveFileName(self, "Pack into", proposal, _PACKS)
        if chosen and name:
            job = self._checkpoints.pack(chosen.name, Path(name))
            self.job_wanted.emit(job, lambda path: f"{path} is written.")

    def _on_verify_clicked(self) -> None:
        chosen = self.chosen
        if chosen:
            job = self._checkpoints.verify(chosen)
            words = f"{chosen.name}: whole, all weights finite"
            self.job_wanted.emit(job, lambda known: f"{words}, {known} hashes compared.")

    def _on_remove_clicked(self) -> None:
        chosen = self.chosen
        if chosen and self.may_remove(chosen):
            words = f"{chosen.name} is removed."
            self.job_wanted.emit(self._checkpoints.remove(chosen.name), lambda _: words)

    def may_remove(self, checkpoint: Installed) -> bool:
        """Ask whether a checkpoint may be deleted."""
        size = size_in_words(checkpoint.size)
        question = f"Delete {checkpoint.name} ({size}) from this machine?"
        answer = QMessageBox.question(self, "Remove Checkpoint", question)
        return answer == QMessageBox.StandardButton.Yes


def checkpoint_list(titles: tuple[str, ...]) -> QTreeWidget:
    """Return an empty list whose first column takes the room that is left."""
    tree = QTreeWidget(columnCount=len(titles), rootIsDecorated=False, uniformRowHeights=True)
    tree.setHeaderLabels(list(titles))
    header = tree.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    tree.setAllColumnsShowFocus(True)
    return tree


def size_in_words(size: int | None) -> str:
    """Return bytes as "15.0 MB"."""
    return "unknown" if size is None else f"{size / 1e6:,.1f} MB"


def _cells(checkpoint: Installed) -> list[str]:
    return [
        checkpoint.name,
        ", ".join(checkpoint.tasks) or "unknown",
        size_in_words(checkpoint.size),
        checkpoint.licence or "not said",
        SOURCES.get(checkpoint.source, checkpoint.source),
        f"{datetime.fromtimestamp(checkpoint.used):%Y-%m-%d %H:%M}",
    ]
