"""A line above the image for what must not be missed, without stopping anybody's work."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from segdesk.gui.icons import IconButton

Offer = tuple[str, Callable[[], object]]


class MessageBar(QFrame):
    """One line with what can be done about it.

    Parameters
    ----------
    can_close
        Whether the user can close it: a state, unlike a failure, stays as long as it lasts.
    """

    def __init__(self, can_close: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setProperty("kind", "warning")
        self._text = QLabel(wordWrap=True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 6, 6)
        layout.addWidget(self._text, 1)
        layout.addLayout(self._row)
        if can_close:
            close = IconButton("x", "Close this message")
            close.clicked.connect(self.hide)
            layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return "" if self.isHidden() else self._text.text()

    @property
    def buttons(self) -> dict[str, QPushButton]:
        """What can be done about it, by the words on the buttons."""
        items = (self._row.itemAt(place).widget() for place in range(self._row.count()))
        return {item.text(): item for item in items if isinstance(item, QPushButton)}

    def show_failure(self, text: str) -> None:
        """Say what could not be done, and why."""
        self.say(text)

    def say(self, text: str, *offers: Offer) -> None:
        """Show a line, with a button for each (title, what it does); an empty line hides it."""
        self._text.setText(text)
        self._text.setAccessibleName(text)
        while item := self._row.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        for title, act in offers:
            button = QPushButton(title)
            button.clicked.connect(partial(_call, act))
            self._row.addWidget(button)
        self.setVisible(bool(text))


def _call(act: Callable[[], object], is_checked: bool = False) -> None:
    act()
