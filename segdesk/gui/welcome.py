"""What the window shows before an image is open."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from segdesk.engine.samples import sample_images
from segdesk.gui.icons import app_icon
from segdesk.gui.settings import recent_files

SHOWN = 6
WIDEST = 420  # logical pixels of a name: the window can be no narrower than this page


class Welcome(QWidget):
    """Ways to begin, and the images opened last.

    Signals
    -------
    chosen
        The path of a recent image that the user has clicked on.
    sample_chosen
        The path of a sample.
    """

    chosen = Signal(object)
    sample_chosen = Signal(object)

    def __init__(self, actions: list[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        column = QVBoxLayout()
        column.setSpacing(14)
        column.addLayout(heading())
        column.addLayout(_buttons(actions))
        column.addWidget(_muted("or drop images or a folder on this window"))
        column.addLayout(self._samples())
        column.addLayout(self._recent)
        grid = QGridLayout(self)
        grid.addLayout(column, 1, 1)
        for edge in (0, 2):
            grid.setRowStretch(edge, 1)
            grid.setColumnStretch(edge, 1)

    def showEvent(self, event: QShowEvent) -> None:
        """List the recent images as they are now."""
        self._list_recent()
        super().showEvent(event)

    def _list_recent(self) -> None:
        while item := self._recent.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        paths = [path for path in recent_files() if path.is_file()][:SHOWN]
        if paths:
            self._recent.addWidget(_muted("Recent"))
        for path in paths:
            self._recent.addWidget(_link(path.name, path, self.chosen))

    def _samples(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(14)
        samples = sample_images()
        if samples:
            row.addWidget(_muted("Try a sample"))
        for name, path in samples.items():
            row.addWidget(_link(name, path, self.sample_chosen))
        row.addStretch()
        return row


def _link(text: str, path: Path, chosen: SignalInstance) -> QPushButton:
    button = QPushButton()
    middle = Qt.TextElideMode.ElideMiddle
    button.setText(button.fontMetrics().elidedText(text, middle, WIDEST).replace("&", "&&"))
    button.setFlat(True)
    button.setObjectName("link")
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.setToolTip(str(path))
    button.clicked.connect(lambda: chosen.emit(path))
    return button


def heading() -> QHBoxLayout:
    """Return the program's icon beside its name."""
    picture = QLabel()
    picture.setPixmap(app_icon().pixmap(56, 56))
    title = QLabel("SegDesk")
    title.setObjectName("title")
    words = QVBoxLayout()
    words.setSpacing(0)
    words.addWidget(title)
    words.addWidget(_muted("Segment images on your desk: paint, run a model, correct, export."))
    row = QHBoxLayout()
    row.setSpacing(14)
    row.addWidget(picture)
    row.addLayout(words, 1)
    return row


def _buttons(actions: list[QAction]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for number, action in enumerate(actions):
        button = QPushButton(action.text().replace("&", ""))
        button.setObjectName("" if number else "primary")
        button.setToolTip(action.toolTip())
        button.clicked.connect(action.trigger)
        row.addWidget(button)
    row.addStretch()
    return row


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("muted")
    return label
