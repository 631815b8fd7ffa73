"""All keyboard shortcuts, as a table to search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segdesk.gui.actions import Action

CANVAS_KEYS = (
    ("Canvas", "Smaller or larger brush", "[ and ], Shift+Wheel"),
    ("Canvas", "Zoom to the cursor", "Wheel"),
    ("Canvas", "Pan", "Space+Drag, Middle button+Drag"),
)


def shortcut_table(table: Iterable[Action[Any]]) -> list[tuple[str, str, str]]:
    """Return (menu, action, keys) of every action that has keys, and of the canvas."""
    rows = []
    for entry in table:
        keys = [key.toString(QKeySequence.SequenceFormat.PortableText) for key in entry.shortcuts]
        if keys:
            rows.append((_plain(entry.menu), _plain(entry.title), ", ".join(keys)))
    return [*rows, *CANVAS_KEYS]


class ShortcutsDialog(QDialog):
    """Shows the table."""

    def __init__(self, table: Iterable[Action[Any]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.phrase = QLineEdit(placeholderText="Search")
        self.phrase.setClearButtonEnabled(True)
        self._tree = QTreeWidget(columnCount=2, rootIsDecorated=False)
        self._tree.setHeaderLabels(["Action", "Keys"])
        self._tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._tree.header().setStretchLastSection(False)
        self._tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._fill(shortcut_table(table))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        layout = QVBoxLayout(self)
        for widget in (self.phrase, self._tree, buttons):
            layout.addWidget(widget)
        buttons.rejected.connect(self.reject)
        self.phrase.textChanged.connect(self._on_phrase_changed)

    def sizeHint(self) -> QSize:
        """Return a size at which most of the table can be seen."""
        return QSize(480, 620)

    def _fill(self, rows: list[tuple[str, str, str]]) -> None:
        groups: dict[str, QTreeWidgetItem] = {}
        for menu, title, keys in rows:
            if menu not in groups:
                groups[menu] = QTreeWidgetItem(self._tree, [menu])
                groups[menu].setFirstColumnSpanned(True)
                font = groups[menu].font(0)
                font.setBold(True)
                groups[menu].setFont(0, font)
            QTreeWidgetItem(groups[menu], [title, keys])
        self._tree.expandAll()

    def _on_phrase_changed(self, phrase: str) -> None:
        words = phrase.strip().casefold()
        for row in range(self._tree.topLevelItemCount()):
            group = self._tree.topLevelItem(row)
            children = [group.child(n) for n in range(group.childCount())]
            for child in children:
                text = f"{child.text(0)} {child.text(1)}".casefold()
                child.setHidden(words not in text)
            group.setHidden(all(child.isHidden() for child in children))


def _plain(text: str) -> str:
    return text.replace("&", "").rstrip("…").replace("/", " > ")
