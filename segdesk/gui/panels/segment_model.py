"""The segments of the active layer as rows, sorted and filtered here: 100,000 are no burden."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QObject, Qt
from PySide6.QtGui import QIcon

from segdesk.core.measurements import Column
from segdesk.core.pixel_size import HECTARE, PixelSize
from segdesk.core.segmentation import Segment
from segdesk.engine.layer import Layer
from segdesk.engine.measured import Measured
from segdesk.gui.icons import icon, swatch
from segdesk.gui.panels.rows import ItemRole, RowModel
from segdesk.gui.panels.segment_columns import shown_number, title_of

ID, CATEGORY, AREA, SCORE, STATE = range(5)
STATE_ICONS = {"proposed": "sparkle", "accepted": "check", "rejected": "x"}
_LIVE = ("id", "category", "area_px", "score", "state")
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
    """One row a segment; areas are live, the columns after them measured.

    Attributes
    ----------
    ids
        Segment id of every row, in the order of rows.
    names
        Name of every column.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ids: NDArray[np.int64] = np.zeros(0, np.int64)
        self.names: tuple[str, ...] = _LIVE
        self._by_id: NDArray[np.int64] | None = None  # rows in the order of ids
        self._layer: Layer | None = None
        self._measured: Measured | None = None
        self._pixel_areas: dict[str, float] = {"area_px": 1}
        self._column, self._descending = "id", False
        self._phrase = ""

    @property
    def layer(self) -> Layer | None:
        """The layer on show."""
        return self._layer

    @property
    def titles(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the columns are called."""
        has_units = len(self._pixel_areas) > 1
        titles = (title_of(name) for name in self.names)
        return tuple(titles) if has_units else tuple(t.replace(" (px)", "") for t in titles)

    def show_layer(
        self,
        layer: Layer | None,
        measured: Measured | None = None,
        size: PixelSize | None = None,
    ) -> None:
        """Show the segments that a layer, or none, has now.

        Areas are shown in units too where pixels have a size.
        """
        areas = _pixel_areas(size)
        measures = [name for name in measured.names if name not in areas] if measured else []
        names = (*_LIVE, *list(areas)[1:], *measures)
        self._measured = measured
        if names != self.names:
            self.beginResetModel()
            self._pixel_areas, self.names = areas, names
            self.endResetModel()
            self._column = self._column if self._column in names else "id"
        self._show(layer)

    def set_phrase(self, phrase: str) -> None:
        """Show only segments whose id, category or state holds each word of a phrase."""
        self._phrase = phrase.casefold()
        self._show(self._layer)

    def row_of(self, segment_id: int) -> int:
        """Return the row of a segment; -1 when it is not shown."""
        rows = self.rows_of([segment_id])
        return int(rows[0]) if len(rows) else -1

    def rows_of(self, segment_ids: Iterable[int]) -> NDArray[np.int64]:
        """Return the rows of those segments that are shown, from top to bottom."""
        if self._by_id is None:
            self._by_id = np.argsort(self.ids, kind="stable")
        wanted = np.fromiter(segment_ids, np.int64)
        if not len(self.ids):
            return np.zeros(0, np.int64)
        sorted_ids = self.ids[self._by_id]
        slots = np.minimum(np.searchsorted(sorted_ids, wanted), len(self.ids) - 1)
        rows: NDArray[np.int64] = np.sort(self._by_id[slots[sorted_ids[slots] == wanted]])
        return rows

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column."""
        name = self.names[column] if 0 <= column < len(self.names) else "id"
        is_descending = order == Qt.SortOrder.DescendingOrder
        if (name, is_descending) != (self._column, self._descending):  # Qt asks twice
            self._column, self._descending = name, is_descending
            self._show(self._layer)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = ItemRole.DisplayRole
    ) -> Any:
        """Return the title of a column."""
        if role == ItemRole.TextAlignmentRole and section == CATEGORY:
            return _LEFT
        return super().headerData(section, orientation, role)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - as Qt has it
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.names)

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
        segment = layer.segments.get(int(self.ids[index.row()])) if layer else None
        if not layer or not segment:
            return None  # gone, and the refresh is on its way
        if role == ItemRole.DecorationRole:
            return _picture(layer, segment, index.column())
        if role == ItemRole.EditRole:
            return segment.category
        text = self._text(layer, segment, self.names[index.column()])
        return "" if role == ItemRole.DisplayRole and index.column() == STATE else text

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Say that the category can be changed in place."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == CATEGORY else flags

    def column(self, name: str) -> Column:
        """Return the values of a column in the order of rows; nan where there is none."""
        layer, ids = self._layer, self.ids
        if layer is None:
            return np.zeros(0)
        if name == "category":
            names = _category_names(layer)
            of = (layer.segments[i].category for i in ids.tolist())
            return np.array([names.get(c, str(c)) for c in of], np.str_)
        if name == "state":
            return np.array([layer.segments[i].state for i in ids.tolist()], np.str_)
        return self._numbers(layer, name, ids)

    def _show(self, layer: Layer | None) -> None:
        """Choose and sort the rows anew."""
        ids = self._chosen(layer) if layer else np.zeros(0, np.int64)
        if layer is self._layer and np.array_equal(ids, self.ids):
            if len(ids):
                last = self.index(len(ids) - 1, len(self.names) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._layer, self.ids, self._by_id = layer, ids, None
        self.endResetModel()

    def _numbers(self, layer: Layer, name: str, ids: NDArray[np.int64]) -> Column:
        if name == "id":
            return ids
        if name in self._pixel_areas:
            areas = [layer.areas.get(i, 0) for i in ids.tolist()]
            return np.array(areas, np.int64) * self._pixel_areas[name]
        if name == "score":
            return np.array(
                [layer.segments[i].score for i in ids.tolist()], np.float64
            )  # None: nan
        return self._measured.values(name, ids) if self._measured else np.full(len(ids), np.nan)

    def _text(self, layer: Layer, segment: Segment, name: str) -> str:
        if name == "id":
            return str(segment.id)
        if name == "category":
            return _category_names(layer).get(segment.category, str(segment.category))
        if name == "area_px":
            return f"{layer.areas.get(segment.id, 0):,}"
        if name == "score":
            return "" if segment.score is None else f"{segment.score:.2f}"
        if name == "state":
            return segment.state
        return shown_number(float(self._numbers(layer, name, np.array([segment.id]))[0]))

    def _chosen(self, layer: Layer) -> NDArray[np.int64]:
        """Return the ids of the rows, in their order."""
        ids = np.fromiter(layer.segments, np.int64, len(layer.segments))
        for word in self._phrase.split():
            ids = ids[_holds(layer, ids, word)]
        if self._column == "id":
            ids = np.sort(ids)
        else:
            ids = ids[np.lexsort((ids, self._sort_key(layer, ids)))]
        return ids[::-1].copy() if self._descending else ids

    def _sort_key(self, layer: Layer, ids: NDArray[np.int64]) -> Column:
        """Return a number for each id; what has no value comes first."""
        if self._column == "category":
            names = _category_names(layer)
            of = [layer.segments[i].category for i in ids.tolist()]
            ranked = sorted(set(of), key=lambda c: names.get(c, str(c)).casefold())
            ranks = {category: rank for rank, category in enumerate(ranked)}
            return np.array([ranks[category] for category in of], np.int64)
        if self._column == "state":
            states = sorted(STATE_ICONS)
            return np.array([states.index(layer.segments[i].state) for i in ids.tolist()], np.int64)
        numbers = self._numbers(layer, self._column, ids)
        return np.nan_to_num(numbers, nan=-np.inf) if numbers.dtype.kind == "f" else numbers


def _pixel_areas(size: PixelSize | None) -> dict[str, float]:
    """Return the area of a pixel in each unit, by the name of the column."""
    areas: dict[str, float] = {"area_px": 1}
    if size:
        areas[f"area_{size.unit}2"] = size.area
        if size.unit == "m":
            areas["area_ha"] = size.area / HECTARE
    return areas


def _category_names(layer: Layer) -> dict[int, str]:
    return {category.id: category.name for category in layer.state.categories}


def _holds(layer: Layer, ids: NDArray[np.int64], word: str) -> NDArray[np.bool_]:
    """Say for each segment whether its id, category or state holds a word."""
    names, segments = _category_names(layer), layer.segments
    of = [segments[i].category for i in ids.tolist()]
    fit = {c for c in set(of) if word in names.get(c, str(c)).casefold()}
    states = {state for state in STATE_ICONS if word in state}
    held = np.fromiter((category in fit for category in of), bool, len(of))
    if states:
        held |= np.fromiter((segments[i].state in states for i in ids.tolist()), bool, len(of))
    if word.isdigit():
        held |= np.fromiter((word in str(i) for i in ids.tolist()), bool, len(of))
    return held


def _picture(layer: Layer, segment: Segment, column: int) -> QIcon | None:
    if column == CATEGORY:
        return swatch(layer.colour_of(segment))
    return icon(STATE_ICONS[segment.state]) if column == STATE else None
