"""The page that searches the Hub: task, licence and size are seen before anything is fetched."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segdesk.engine.checkpoints.hub import Found, Offer, Query
from segdesk.gui.checkpointing import Checkpointing
from segdesk.gui.dialogs.installed_checkpoints import checkpoint_list, size_in_words
from segdesk.gui.panels.rows import ROW_SIZE

TITLES = ("Id on the Hub", "Task", "Weights", "Licence", "Downloads")
TASKS = (
    ("Any task", ""),
    ("Semantic", "semantic"),
    ("Instance", "instance"),
    ("Panoptic", "panoptic"),
    ("Prompted", "prompted"),
)
LICENCES = (
    ("Any licence", ""),
    ("Apache 2.0", "apache-2.0"),
    ("MIT", "mit"),
    ("BSD 3-clause", "bsd-3-clause"),
)
SIZES = (
    ("Any size", 0),
    ("Up to 100 MB", 10**8),
    ("Up to 500 MB", 5 * 10**8),
    ("Up to 2 GB", 2 * 10**9),
)
_OFFLINE = "Offline mode is on: the Hub is not asked."


class HubCheckpoints(QWidget):
    """A search, its results, and what exactly would be fetched of the selected one.

    Signals
    -------
    fetch_wanted
        An ``Offer``.
    job_wanted
        A ``Job`` to be followed, and a function that puts its result into words.
    """

    fetch_wanted = Signal(object)
    job_wanted = Signal(object, object)

    def __init__(self, checkpoints: Checkpointing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._checkpoints = checkpoints
        self._offer: Offer | None = None
        self._is_online = True
        self.words = QLineEdit(placeholderText="Parts of a name")
        self.words.setClearButtonEnabled(True)
        self.task, self.licence, self.size = (_combo(o) for o in (TASKS, LICENCES, SIZES))
        self.search = QPushButton("Search")
        self.search.setDefault(True)
        self.list = checkpoint_list(TITLES)
        self.details = QLabel(wordWrap=True)
        self.details.setObjectName("muted")
        self.fetch = QPushButton("Fetch")
        self._lay_out()
        self.search.clicked.connect(self._on_search_clicked)
        self.words.returnPressed.connect(self._on_search_clicked)
        self.list.itemSelectionChanged.connect(self._on_selection_changed)
        self.fetch.clicked.connect(self._on_fetch_clicked)
        self._show_offer(None)

    def query(self) -> Query:
        """Return what has been asked for."""
        return Query(
            self.words.text().strip(),
            self.task.currentData(),
            self.licence.currentData(),
            self.size.currentData(),
        )

    def set_online(self, online: bool) -> None:
        """Allow or forbid to ask the Hub."""
        self._is_online = online
        for widget in (self.words, self.task, self.licence, self.size, self.search):
            widget.setEnabled(online)
        self.details.setText("" if online else _OFFLINE)
        self._enable()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.words, 1)
        for widget in (self.task, self.licence, self.size, self.search):
            top.addWidget(widget)
        bottom = QHBoxLayout()
        bottom.addWidget(self.details, 1)
        bottom.addWidget(self.fetch)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addLayout(bottom)

    def _on_search_clicked(self) -> None:
        job = self._checkpoints.search(self.query())
        job.succeeded.connect(self._show_found)
        self.job_wanted.emit(job, lambda found: f"{len(found)} models found.")

    def _show_found(self, found: list[Found]) -> None:
        self.list.clear()
        for model in found:
            item = QTreeWidgetItem(_cells(model))
            item.setData(0, Qt.ItemDataRole.UserRole, model.name)
            item.setSizeHint(0, ROW_SIZE)
            self.list.addTopLevelItem(item)

    def _on_selection_changed(self) -> None:
        name = self._chosen()
        self._show_offer(None)
        if name and self._is_online:
            self.details.setText(f"Asking for {name}…")
            job = self._checkpoints.describe(name)
            job.succeeded.connect(self._on_described)
            job.failed.connect(lambda error: self._on_not_described(name, error))

    def _on_described(self, offer: Offer) -> None:
        if offer.name == self._chosen():
            self._show_offer(offer)

    def _on_not_described(self, name: str, error: Exception) -> None:
        if name == self._chosen():
            self.details.setText(str(error))

    def _on_fetch_clicked(self) -> None:
        if self._offer:
            self.fetch_wanted.emit(self._offer)

    def _show_offer(self, offer: Offer | None) -> None:
        self._offer = offer
        self.details.setText(_in_words(offer) if offer else "")
        self._enable()

    def _enable(self) -> None:
        self.fetch.setEnabled(self._offer is not None and self._is_online)

    def _chosen(self) -> str:
        chosen = self.list.selectedItems()
        return str(chosen[0].data(0, Qt.ItemDataRole.UserRole)) if chosen else ""


def _in_words(offer: Offer) -> str:
    here = f"{size_in_words(offer.size)} in {len(offer.files)} files"
    licence = offer.licence or "not said"
    pickled = ", pickled weights that have to be converted" if offer.is_pickled else ""
    return f"{offer.name}: {here}, licence {licence}{pickled}"


def _cells(model: Found) -> list[str]:
    return [
        model.name,
        ", ".join(model.tasks) or "unknown",
        size_in_words(model.size),
        model.licence or "not said",
        f"{model.downloads:,}",
    ]


def _combo(entries: tuple[tuple[str, Any], ...]) -> QComboBox:
    combo = QComboBox()
    for title, value in entries:
        combo.addItem(title, value)
    return combo
