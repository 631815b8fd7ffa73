"""The checkpoints: those on this machine, those on the Hub, and what goes on with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from segdesk.core.errors import SegdeskError
from segdesk.engine.offline import is_offline, set_offline
from segdesk.gui.checkpointing import Checkpointing
from segdesk.gui.dialogs.hub_checkpoints import HubCheckpoints
from segdesk.gui.dialogs.installed_checkpoints import InstalledCheckpoints
from segdesk.gui.icons import IconButton
from segdesk.gui.lanes import Job
from segdesk.gui.loading import local_files

Button = QMessageBox.StandardButton
_PICKLED = (
    "{name} holds its weights as a pickle, a format that can run code when it is opened.\n\n"
    "They can be converted: by a reader that takes tensors only, in a process of its own. Readers"
    " of this kind have had holes before: go on only when you trust whoever made the file."
)


class CheckpointsDialog(QDialog):
    """Two pages over one line that says what goes on, with a way to stop it."""

    def __init__(self, checkpoints: Checkpointing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Checkpoints")
        self.setAcceptDrops(True)
        self._checkpoints = checkpoints
        self._job: Job | None = None  # the one on show
        self._in_words: Callable[[Any], str] = str
        self.here = InstalledCheckpoints(checkpoints)
        self.hub = HubCheckpoints(checkpoints)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.here, "On This Machine")
        self.tabs.addTab(self.hub, "On the Hub")
        self.offline = QCheckBox("Offline: nothing uses the network")
        self.offline.setChecked(is_offline())
        self.outcome = QLabel(wordWrap=True)
        self._progress = QProgressBar(maximum=1000)
        self.stop = IconButton("x-circle", "Stop")
        self._lay_out()
        self._connect()
        self._on_offline_toggled(self.offline.isChecked())
        checkpoints.refresh()

    def sizeHint(self) -> QSize:
        """Return a size at which names can be read."""
        return QSize(860, 520)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders and packs."""
        if local_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Install what was dropped."""
        event.acceptProposedAction()
        for path in local_files(event.mimeData()):
            self.install(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let jobs go on: they are in the job bar."""
        self._forget_job()
        super().closeEvent(event)

    def install(self, path: Path) -> None:
        """Install a folder or a pack; asks first where its weights are pickles."""
        job = self._checkpoints.look_into(path)
        job.succeeded.connect(lambda pickled: self._on_looked_into(path, pickled))
        job.failed.connect(self._show_failure)

    def may_open_pickle(self, name: str) -> bool:
        """Ask whether weights that could run code may be opened."""
        box = QMessageBox(QMessageBox.Icon.Warning, "Pickled Weights", "", parent=self)
        box.setText(_PICKLED.format(name=name))
        box.setStandardButtons(Button.Yes | Button.Cancel)
        box.setDefaultButton(Button.Cancel)
        box.button(Button.Yes).setText("Convert")
        return box.exec() == Button.Yes

    def _lay_out(self) -> None:
        self._progress.hide()
        self.stop.hide()
        row = QHBoxLayout()
        row.addWidget(self.outcome, 1)
        row.addWidget(self._progress)
        row.addWidget(self.stop)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        bottom = QHBoxLayout()
        bottom.addWidget(self.offline)
        bottom.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(row)
        layout.addLayout(bottom)

    def _connect(self) -> None:
        self.offline.toggled.connect(self._on_offline_toggled)
        self.here.install_wanted.connect(self.install)
        self.here.job_wanted.connect(self._follow)
        self.hub.fetch_wanted.connect(self._on_fetch_wanted)
        self.hub.job_wanted.connect(self._follow)
        self.stop.clicked.connect(self._on_stop_clicked)

    def _on_looked_into(self, path: Path, pickled: bool) -> None:
        if not pickled or self.may_open_pickle(path.name):
            job = self._checkpoints.install(path, pickled)
            self._follow(job, lambda found: f"{found.name} is installed.")

    def _on_fetch_wanted(self, offer: Any) -> None:
        if not offer.is_pickled or self.may_open_pickle(offer.name):
            self._follow(self._checkpoints.fetch(offer), lambda found: f"{found.name} is here.")

    def _follow(self, job: Job, in_words: Callable[[Any], str]) -> None:
        """Show how far a job is, and in the end what came of it."""
        self._job, self._in_words = job, in_words
        self.outcome.setText(f"{job.title}…")
        self._progress.setValue(0)
        self._progress.show()
        self.stop.show()
        job.progressed.connect(self._on_progressed)
        job.succeeded.connect(self._on_succeeded)
        job.failed.connect(self._show_failure)
        job.cancelled.connect(self._on_cancelled)
        job.finished.connect(self._on_finished)

    def _on_progressed(self, fraction: float, message: str) -> None:
        if self.sender() is self._job:
            self._progress.setValue(round(1000 * fraction))
            self.outcome.setText(message or self.outcome.text())

    def _on_succeeded(self, result: object) -> None:
        if self.sender() is self._job:
            self.outcome.setText(self._in_words(result))

    def _on_cancelled(self) -> None:
        if self.sender() is self._job:
            self.outcome.setText("Stopped.")

    def _on_finished(self) -> None:
        if self.sender() is self._job:
            self._forget_job()

    def _forget_job(self) -> None:
        self._job = None
        self._progress.hide()
        self.stop.hide()

    def _show_failure(self, error: Exception) -> None:
        self.outcome.setText(str(error))

    def _on_stop_clicked(self) -> None:
        if self._job:
            self._job.cancel()

    def _on_offline_toggled(self, offline: bool) -> None:
        if offline != is_offline():
            try:
                set_offline(offline)
            except SegdeskError as error:
                self._show_failure(error)
        self.hub.set_online(not is_offline())
