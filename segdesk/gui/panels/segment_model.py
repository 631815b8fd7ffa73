"""The segments of the active layer as rows, sorted and filtered here: 10,000 are no burden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, Qt
from PySide6.QtGui import QIcon

from segdesk.core.segmentation import Segment
from segdesk.engine.layer import Layer
from segdesk.gui.icons import icon, swatch
from segdesk.gui.panels.rows import ItemRole, RowModel

ID, CATEGORY, AREA, SCORE, STATE = range(5)
STATE_ICONS = {"proposed": "sparkle", "accepted": "check", "rejected": "x"}
_ROLES = {
    ItemRole.DisplayRole,
    ItemRole.EditRole,
    ItemRole.DecorationRole,
    ItemRole.ToolTipRole,
    ItemRole.AccessibleTextRole,
}
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class SegmentModel(RowModel):
    """One row a segment.

    Attributes
    ----------
    ids
        Segment id of every row, in the order of rows.
    """

    titles = ("Id", "Category", "Area", "Score", "State")

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ids: list[int] = []
        self._rows: dict[int, int] = {}
        self._layer: Layer | None = None
        self._column, self._descending = ID, False
        self._phrase = ""

    @property
    def layer(self) -> Layer | None:
        """The layer on show."""
        return self._layer

    def show_layer(self, layer: Layer | None) -> None:
        """Show the segments that a layer, or none, has now."""
        ids = self._chosen(layer) if layer else []
        if layer is self._layer and ids == self.ids:
            if ids:
                last = self.index(len(ids) - 1, len(self.titles) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._layer, self.ids = layer, ids
        self._rows = {segment_id: row for row, segment_id in enumerate(ids)}
        self.endResetModel()

    def set_phrase(self, phrase: str) -> None:
        """Show only segments whose id, category or state holds a phrase."""
        self._phrase = phrase.strip().casefold()
        self.show_layer(self._layer)

    def row_of(self, segment_id: int) -> int:
        """Return the row of a segment; -1 when it is not shown."""
        return self._rows.get(segment_id, -1)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column."""
        self._column = max(column, ID)
        self._descending = order == Qt.SortOrder.DescendingOrder
        self.show_layer(self._layer)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = ItemRole.DisplayRole
    ) -> Any:
        """Return the title of a column."""
        if role == ItemRole.TextAlignmentRole and section == CATEGORY:
            return _LEFT
        return super().headerData(section, orientation, role)

    def count(self) -> int:
        """Return the number of segments that are shown."""
        return len(self.ids)

    def data(self, index: QModelIndex, role: int = ItemRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if role == ItemRole.TextAlignmentRole:
            return None if index.column() in (CATEGORY, STATE) else _RIGHT
        if role not in _ROLES:
            return None
        layer = self._layer
        segment = layer.segments.get(self.ids[index.row()]) if layer else None
        if not layer or not segment:
            return None  # gone, and the refresh is on its way
        if role == ItemRole.DecorationRole:
            return _picture(layer, segment, index.column())
        if role == ItemRole.EditRole:
            return segment.category
        text = _text(layer, segment, index.column())
        return "" if role == ItemRole.DisplayRole and index.column() == STATE else text

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Say that the category can be changed in place."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == CATEGORY else flags

    def _chosen(self, layer: Layer) -> list[int]:
        key = _sort_key(layer, self._column)
        segments = sorted(layer.segments.values(), key=key, reverse=self._descending)
        if self._phrase:
            segments = [s for s in segments if self._phrase in _all_text(layer, s)]
        return [segment.id for segment in segments]


def category_name(layer: Layer, segment: Segment) -> str:
    """Return the name of a segment's category."""
    category = layer.state.category(segment.category)
    return category.name if category else str(segment.category)


def _picture(layer: Layer, segment: Segment, column: int) -> QIcon | None:
    if column == CATEGORY:
        return swatch(layer.colour_of(segment))
    return icon(STATE_ICONS[segment.state]) if column == STATE else None


def _text(layer: Layer, segment: Segment, column: int) -> str:
    if column == ID:
        return str(segment.id)
    if column == CATEGORY:
        return category_name(layer, segment)
    if column == AREA:
        return f"{layer.areas.get(segment.id, 0):,}"
    if column == SCORE:
        return "" if segment.score is None else f"{segment.score:.2f}"
    return segment.state


def _all_text(layer: Layer, segment: Segment) -> str:
    return f"{segment.id} {category_name(layer, segment)} {segment.state}".casefold()


def _sort_key(layer: Layer, column: int) -> Callable[[Segment], Any]:
    if column == CATEGORY:
        return lambda segment: (category_name(layer, segment).casefold(), segment.id)
    if column == AREA:
        return lambda segment: (layer.areas.get(segment.id, 0), segment.id)
    if column == SCORE:
        return lambda segment: (-1.0 if segment.score is None else segment.score, segment.id)
    if column == STATE:
        return lambda segment: (segment.state, segment.id)
    return lambda segment: segment.id
