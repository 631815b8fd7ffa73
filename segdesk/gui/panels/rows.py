"""What the tables of layers, segments and categories have in common."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QSize, Qt

Index = QModelIndex
ItemRole = Qt.ItemDataRole
ROOT = QModelIndex()
ROW_SIZE = QSize(0, 26)


class RowModel(QAbstractTableModel):
    """A table of equal rows; who derives from it gives ``titles``, ``count`` and ``data``."""

    titles: tuple[str, ...] = ()

    def count(self) -> int:
        """Return the number of rows."""
        raise NotImplementedError

    def reset(self) -> None:
        """Show everything anew."""
        self.beginResetModel()
        self.endResetModel()

    def refresh_row(self, row: int) -> None:
        """Show one row anew."""
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(self.titles) - 1))

    def rowCount(self, parent: Index = ROOT) -> int:
        """Return the number of rows; rows have none below them."""
        return 0 if parent.isValid() else self.count()

    def columnCount(self, parent: Index = ROOT) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = ItemRole.DisplayRole
    ) -> Any:
        """Return the title of a column; rows have none."""
        horizontal = orientation == Qt.Orientation.Horizontal
        return self.titles[section] if horizontal and role == ItemRole.DisplayRole else None
