"""The plugins: what each offers, and why one that does not work does not."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segdesk.core.errors import SegdeskError
from segdesk.engine.folders import plugin_folder
from segdesk.engine.registry import Plugin, registry, set_plugin_enabled

ON, OFF = Qt.CheckState.Checked, Qt.CheckState.Unchecked
TITLES = ["Plugin", "Source", "Status", "Offers, or what is wrong"]


class PluginsDialog(QDialog):
    """A list of all plugins with a box to switch each on or off."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Plugins")
        self._tree = QTreeWidget(columnCount=len(TITLES), rootIsDecorated=False)
        self._tree.setHeaderLabels(TITLES)
        self._tree.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self._tree.setWordWrap(True)
        for plugin in registry().plugins:
            self._tree.addTopLevelItem(_item(plugin))
        header = self._tree.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self._note = QLabel(wordWrap=True)
        self._note.setObjectName("muted")
        self._note.setText(f"Your own plugins belong in {plugin_folder()}")
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        layout = QVBoxLayout(self)
        for widget in (self._tree, self._note, buttons):
            layout.addWidget(widget)
        buttons.rejected.connect(self.reject)
        self._tree.itemChanged.connect(self._on_item_changed)

    def sizeHint(self) -> QSize:
        """Return a size at which reasons can be read."""
        return QSize(860, 420)

    def _on_item_changed(self, item: QTreeWidgetItem) -> None:
        is_on = item.checkState(0) == ON
        try:
            set_plugin_enabled(item.text(0), is_on)
        except SegdeskError as error:
            self._note.setText(str(error))
            return
        word = "used" if is_on else "left out"
        self._note.setText(f"{item.text(0)} will be {word} from the next start on.")


def _item(plugin: Plugin) -> QTreeWidgetItem:
    about = plugin.reason or ", ".join(plugin.offers)
    item = QTreeWidgetItem([plugin.name, plugin.source, plugin.status, about])
    item.setCheckState(0, OFF if plugin.status == "disabled" else ON)
    for column in range(len(TITLES)):
        item.setToolTip(column, item.text(column))
    return item
