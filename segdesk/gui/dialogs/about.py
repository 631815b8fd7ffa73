"""The program, the devices that it can use, and where it keeps its files."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from segdesk.core.progress import Report
from segdesk.gui.lanes import Lane
from segdesk.gui.welcome import heading


class AboutDialog(QDialog):
    """Says in words what ``segdesk doctor`` prints; asking the devices happens on a lane."""

    def __init__(self, lane: Lane, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About SegDesk")
        self._text = QPlainTextEdit("Asking the devices…", readOnly=True)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._text.setAccessibleName("Devices, versions and folders")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self._test = buttons.addButton("Measure Devices", QDialogButtonBox.ButtonRole.ActionRole)
        self._test.setToolTip("Run a small model on each device for some ten seconds")
        self._lane: Lane | None = None  # for the measurement: others need not wait for it
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(heading())
        layout.addWidget(self._text, 1)
        layout.addWidget(buttons)
        buttons.rejected.connect(self.reject)
        copy.clicked.connect(self._on_copy_clicked)
        self._test.clicked.connect(self._on_test_clicked)
        job = lane.submit(lambda _: _report(), "Asking the devices")
        job.succeeded.connect(self._text.setPlainText)

    def sizeHint(self) -> QSize:
        """Return a size at which paths can be read."""
        return QSize(640, 480)

    def done(self, result: int) -> None:
        """Stop a measurement that is under way."""
        if self._lane:
            self._lane.close()
            self._lane = None
        super().done(result)

    def _on_test_clicked(self) -> None:
        self._test.setEnabled(False)
        self._lane = self._lane or Lane("doctor", self)
        job = self._lane.submit(_measured, "Measuring the devices")
        job.progressed.connect(self._on_progressed)
        job.succeeded.connect(self._text.appendPlainText)
        job.finished.connect(self._on_test_finished)

    def _on_progressed(self, fraction: float) -> None:
        self._test.setText(f"Measuring… {fraction:.0%}")

    def _on_test_finished(self) -> None:
        self._test.setText("Measure Devices")
        self._test.setEnabled(True)

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText())


def _measured(report: Report) -> str:
    from segdesk.engine.devices import self_test
    from segdesk.engine.diagnosis import test_in_words

    return "\n".join(test_in_words(self_test(report)))


def _report() -> str:
    from segdesk.engine.diagnosis import diagnose, in_words

    return "\n".join(in_words(diagnose()))
