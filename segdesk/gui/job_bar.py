"""The jobs that wait or run, in the status bar: what, how far, and a way to stop."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QProgressBar, QToolButton, QWidget

from segdesk.gui.icons import IconButton
from segdesk.gui.lanes import Job

ELIDE = Qt.TextElideMode.ElideRight
SHOW_AFTER_MS = 300  # quicker jobs are not worth a flicker


class JobBar(QWidget):
    """Shows the oldest job; the others are in a menu behind their number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs: dict[Job, tuple[float, str]] = {}
        self._title = QLabel()
        self._progress = QProgressBar(textVisible=False, maximum=1000)
        self._progress.setFixedSize(120, 10)
        self._progress.setAccessibleName("Progress")
        self.stop = IconButton("x-circle", "Stop this job")
        self.more = QToolButton(popupMode=QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setToolTip("Jobs that wait")
        self._timer = QTimer(self, singleShot=True, interval=SHOW_AFTER_MS)
        self._lay_out()
        self._timer.timeout.connect(self._refresh)
        self.stop.clicked.connect(self._on_stop_clicked)
        self.hide()

    @property
    def text(self) -> str:
        """What it says of the oldest job."""
        return self._title.toolTip()

    def add(self, job: Job) -> None:
        """Show a job from now until it ends."""
        self._jobs[job] = (0.0, "")
        job.progressed.connect(partial(self._on_progressed, job))
        job.finished.connect(partial(self._on_finished, job))
        if self.isHidden() and not self._timer.isActive():
            self._timer.start()

    def _lay_out(self) -> None:
        menu = QMenu(self.more)
        menu.aboutToShow.connect(partial(self._fill, menu))
        self.more.setMenu(menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(6)
        for widget in (self._title, self._progress, self.stop, self.more):
            row.addWidget(widget)

    def _on_progressed(self, job: Job, fraction: float, message: str) -> None:
        if job in self._jobs:
            self._jobs[job] = (fraction, message)
            if self.isVisible():
                self._refresh()

    def _on_finished(self, job: Job) -> None:
        self._jobs.pop(job, None)
        if not self._jobs:
            self._timer.stop()
            self.hide()
        elif self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        first = next(iter(self._jobs), None)
        if not first:
            return
        fraction, message = self._jobs[first]
        text = f"{first.title}: {message}" if message else first.title
        width = 360
        self._title.setText(self._title.fontMetrics().elidedText(text, ELIDE, width))
        self._title.setToolTip(text)
        self._progress.setValue(round(1000 * fraction))
        waiting = len(self._jobs) - 1
        self.more.setVisible(waiting > 0)
        self.more.setText(f"+{waiting}")
        self.show()

    def _on_stop_clicked(self) -> None:
        first = next(iter(self._jobs), None)
        if first:
            first.cancel()

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        for job in list(self._jobs)[1:]:
            menu.addAction(f"Stop {job.title}", job.cancel)
