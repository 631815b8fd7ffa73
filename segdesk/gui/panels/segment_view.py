"""The view of the segment table: its columns, and rows selected as ranges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelection, QItemSelectionModel, QItemSelectionRange, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView

from segdesk.gui.panels.rows import ROW_SIZE
from segdesk.gui.panels.segment_columns import is_shown, remember
from segdesk.gui.panels.segment_model import AREA, CATEGORY, ID, SCORE, STATE, SegmentModel

_WIDEST = {ID: "00000", AREA: "0,000,000", SCORE: "Score ", STATE: "State"}
MOST_RANGES = 1000  # Qt takes half a second for 50,000
_CATEGORY_WIDTH = 120  # where there are measured columns


class SegmentView(QTableView):
    """A table whose header has a menu of columns; what is chosen there is remembered."""

    def __init__(self, model: SegmentModel) -> None:
        super().__init__()
        self._model = model
        self._has_scores = False
        self._names: tuple[str, ...] = ()
        self.setModel(model)
        self.setAccessibleName("Segments of the active layer")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(True)
        rows = self.verticalHeader()
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)  # or every single row is measured
        rows.setDefaultSectionSize(ROW_SIZE.height())
        self._make_header()
        self.setSortingEnabled(True)
        self.sortByColumn(ID, Qt.SortOrder.AscendingOrder)
        self.follow_columns()

    def shown_names(self) -> list[str]:
        """Return the names of the columns on show, from left to right."""
        return [
            name
            for section, name in enumerate(self._model.names)
            if not self.isColumnHidden(section)
        ]

    def set_has_scores(self, has_scores: bool) -> None:
        """Show the scores only where there are any."""
        if has_scores != self._has_scores:
            self._has_scores = has_scores
            self.follow_columns()

    def follow_columns(self) -> None:
        """Show the columns that are wanted of those that the model has now."""
        names, header = self._model.names, self.horizontalHeader()
        self._names = names
        for section, name in enumerate(names):
            is_empty = section == SCORE and not self._has_scores
            self.setColumnHidden(section, is_empty or not is_shown(name, names))
            if section > STATE:
                header.resizeSection(section, header.sectionSizeHint(section))
        modes = QHeaderView.ResizeMode
        is_narrow = len(self.shown_names()) <= len(_WIDEST) + 1
        header.setSectionResizeMode(CATEGORY, modes.Stretch if is_narrow else modes.Interactive)
        if not is_narrow:
            header.resizeSection(CATEGORY, _CATEGORY_WIDTH)

    def select_rows(self, rows: NDArray[np.int64]) -> None:
        """Select sorted rows, neighbours as one range; of too many ranges the first ones."""
        selection = QItemSelection()
        breaks = np.flatnonzero(np.diff(rows) > 1)[:MOST_RANGES] + 1
        last = len(self._model.names) - 1
        for run in np.split(rows, breaks)[:MOST_RANGES] if len(rows) else ():
            first, end = int(run[0]), int(run[-1])
            selection.append(
                QItemSelectionRange(self._model.index(first, ID), self._model.index(end, last))
            )
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def selected_rows(self) -> NDArray[np.int64]:
        """Return the rows that are selected."""
        ranges = [
            np.arange(part.top(), part.bottom() + 1) for part in self.selectionModel().selection()
        ]
        return np.concatenate(ranges) if ranges else np.zeros(0, np.int64)

    def column_menu(self, menu: QMenu) -> None:
        """Fill a menu with a check box for every column but the id."""
        for section, name in enumerate(self._model.names):
            if section != ID:
                action = QAction(self._model.titles[section], menu, checkable=True)
                action.setChecked(is_shown(name, self._model.names))
                action.toggled.connect(lambda shown, n=name: self._on_column_toggled(n, shown))
                menu.addAction(action)

    def _make_header(self) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        # Its own, always empty: else every paint asks of every row whether whole columns are
        # selected.
        header.setSelectionModel(QItemSelectionModel(self._model, header))
        header.setStretchLastSection(False)
        for section, text in _WIDEST.items():
            header.resizeSection(section, self.fontMetrics().horizontalAdvance(text) + 22)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu_requested)
        self._model.modelReset.connect(self._on_model_reset)

    def _on_model_reset(self) -> None:
        if self._model.names != self._names:
            self.follow_columns()

    def _on_header_menu_requested(self, position: QPoint) -> None:
        menu = QMenu(self)
        self.column_menu(menu)
        menu.exec(self.horizontalHeader().mapToGlobal(position))

    def _on_column_toggled(self, name: str, shown: bool) -> None:
        remember(name, shown)
        self.follow_columns()
