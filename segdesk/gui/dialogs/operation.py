"""Asks how an operation on segments is to be done, and says what it would change."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from segdesk.engine.operations import Operation
from segdesk.engine.regions import Target
from segdesk.gui.forms import OptionsForm
from segdesk.gui.lanes import Job
from segdesk.gui.operating import Operating, Order, Outcome

_PAUSE_MS = 200  # without a change, after which the operation is tried


class OperationDialog(QDialog):
    """The form of an operation, which is tried on a draft meanwhile where that is quick."""

    def __init__(
        self, operating: Operating, operation: Operation, target: Target, parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(operation.title)
        self._operating, self._operation, self._target = operating, operation, target
        self._job: Job | None = None
        self._outcome: tuple[Order, Outcome] | None = None
        self.form = OptionsForm(operation.options)
        self.one_frame = QCheckBox("Only the frame on show")
        self.outcome = QLabel(wordWrap=True)
        self.outcome.setObjectName("muted")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.apply = self._buttons.addButton("Apply", QDialogButtonBox.ButtonRole.AcceptRole)
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._lay_out()
        self._connect()
        self._timer.start()

    def sizeHint(self) -> QSize:
        """Return a size at which all can be read."""
        return QSize(420, super().sizeHint().height())

    def order(self) -> Order:
        """Return what has been chosen."""
        is_one = self.one_frame.isChecked() and self._target.frame is None
        target = self._operating.on_this_frame(self._target) if is_one else self._target
        return Order(self._operation, target, self.form.value())

    def done(self, result: int) -> None:
        """Stop trying."""
        self._timer.stop()
        if self._job:
            self._job.cancel()
        super().done(result)

    def accept(self) -> None:
        """Do it: as it has been tried, or in the background."""
        order = self.order()
        outcome = self._outcome
        super().accept()
        if outcome and outcome[0] == order:
            self._operating.adopt(outcome[1])
        else:
            self._operating.run(order)

    def _lay_out(self) -> None:
        about = QLabel(self._operation.help, wordWrap=True)
        scope = QLabel(self._operating.words_of(self._target), wordWrap=True)
        scope.setObjectName("muted")
        self.apply.setObjectName("primary")
        self.apply.setDefault(True)
        has_choice = self._operating.frames > 1 and self._operation.id != "convert"
        self.one_frame.setVisible(has_choice)
        self.outcome.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        column = QVBoxLayout(self)
        column.setSpacing(10)
        for widget in (about, scope, self.form, self.one_frame, self.outcome, self._buttons):
            column.addWidget(widget)

    def _connect(self) -> None:
        self.form.changed.connect(self._on_changed)
        self.one_frame.toggled.connect(self._on_changed)
        self._timer.timeout.connect(self._try)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)

    def _on_changed(self) -> None:
        self._outcome = None
        if self._job:
            self._job.cancel()
        self._timer.start()

    def _try(self) -> None:
        if not self._operating.is_cheap(self._target):
            self.outcome.setText("These are many pixels: Apply works in the background.")
            return
        order = self.order()
        job = self._job = self._operating.rehearse(order)
        if job:
            self.outcome.setText("…")
            job.succeeded.connect(partial(self._on_tried, job, order))
            job.failed.connect(partial(self._on_failed, job))

    def _on_tried(self, job: Job, order: Order, outcome: Outcome) -> None:
        if job is self._job:
            self._job, self._outcome = None, (order, outcome)
            self.outcome.setText(outcome.words)

    def _on_failed(self, job: Job, error: Exception) -> None:
        if job is self._job:
            self._job = None
            self.outcome.setText(str(error))
