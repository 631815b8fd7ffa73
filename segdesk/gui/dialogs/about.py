"""The program, the devices that it can use, and where it keeps its files."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

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
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(heading())
        layout.addWidget(self._text, 1)
        layout.addWidget(buttons)
        buttons.rejected.connect(self.reject)
        copy.clicked.connect(self._on_copy_clicked)
        job = lane.submit(lambda _: _report(), "Asking the devices")
        job.succeeded.connect(self._text.setPlainText)

    def sizeHint(self) -> QSize:
        """Return a size at which paths can be read."""
        return QSize(640, 480)

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._text.toPlainText())


def _report() -> str:
    from segdesk.engine.diagnosis import diagnose, in_words

    return "\n".join(in_words(diagnose()))
