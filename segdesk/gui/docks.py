"""The panels around the canvas, as one table; they are filled after the first frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMenu, QScrollArea, QWidget

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow

LEFT, RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
WIDTHS = {LEFT: 250, RIGHT: 380}


@dataclass(frozen=True)
class Panel:
    """One dock; a panel that shares a tab with another names it."""

    id: str
    title: str
    area: Qt.DockWidgetArea
    make: Callable[[MainWindow], QWidget]
    height: int
    tab_of: str = ""


def _layers(window: MainWindow) -> QWidget:
    from segdesk.gui.panels.layers import LayersPanel

    panel = LayersPanel(window.editor)
    panel.accepted.connect(window.bench.segmenting.accept)
    panel.rejected.connect(window.bench.segmenting.reject)
    return panel


def _categories(window: MainWindow) -> QWidget:
    from segdesk.gui.panels.categories import CategoriesPanel

    return CategoriesPanel(window.editor)


def _segmenter(window: MainWindow) -> QWidget:
    from segdesk.gui.panels.segmenter import SegmenterPanel

    panel = SegmenterPanel(window.bench, window.actions_)
    area = QScrollArea(widgetResizable=True, frameShape=QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(panel)
    return area


def _segments(window: MainWindow) -> QWidget:
    from segdesk.gui.panels.segments import SegmentsPanel

    actions = [window.actions_["merge"], window.actions_["delete"]]
    panel = SegmentsPanel(window.editor, window.bench.measuring, actions)
    panel.segment_shown.connect(window.canvas.centre_on)
    panel.accepted.connect(window.bench.segmenting.accept)
    panel.rejected.connect(window.bench.segmenting.reject)
    panel.category_chosen.connect(window.bench.set_category)
    return panel


def _history(window: MainWindow) -> QWidget:
    from segdesk.gui.panels.history import HistoryPanel

    return HistoryPanel(window.editor, window.actions_["clear_history"])


def _images(window: MainWindow) -> QWidget:
    from segdesk.gui.panels.images import ImagesPanel

    panel = ImagesPanel(window.bench, window.actions_["add_to_project"])
    panel.removed.connect(window.asking.projects.remove)
    panel.relinked.connect(window.asking.projects.locate)
    return panel


def _display(window: MainWindow) -> QWidget:
    from segdesk.gui.panels.display import DisplayPanel

    return DisplayPanel(window.editor, window.bench.displaying)


PANELS = (
    Panel("layers", "Layers", LEFT, _layers, 360),
    Panel("categories", "Categories", LEFT, _categories, 300),
    Panel("segmenter", "Segmenter", RIGHT, _segmenter, 340),
    Panel("segments", "Segments", RIGHT, _segments, 320),
    Panel("display", "Display", RIGHT, _display, 320, tab_of="segments"),
    Panel("history", "History", RIGHT, _history, 320, tab_of="segments"),
    Panel("images", "Images", RIGHT, _images, 320, tab_of="segments"),
)


class Docks:
    """All panels of a main window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._docks = {panel.id: self._add(panel) for panel in PANELS}
        self._arrange()

    def __getitem__(self, panel_id: str) -> QWidget:
        """Return the panel in a dock."""
        return self._docks[panel_id].widget()

    def fillers(self) -> list[Callable[[], None]]:
        """Return calls that each make a panel."""
        return [partial(self._fill, panel) for panel in PANELS]

    def menu(self) -> QMenu:
        """Return a menu to show and hide each panel."""
        menu = QMenu("&Panels", self._window)
        for dock in self._docks.values():
            menu.addAction(dock.toggleViewAction())
        menu.addSeparator()
        menu.addAction("Default Layout", self.reset)
        return menu

    def reset(self) -> None:
        """Put all panels back to where they were at first."""
        for panel in PANELS:
            dock = self._docks[panel.id]
            dock.setFloating(False)
            self._window.addDockWidget(panel.area, dock)
            dock.show()
        self._arrange()

    def show(self, panel_id: str) -> None:
        """Bring a panel to the front."""
        self._docks[panel_id].show()
        self._docks[panel_id].raise_()

    def _fill(self, panel: Panel) -> None:
        self._docks[panel.id].setWidget(panel.make(self._window))

    def _arrange(self) -> None:
        for panel in PANELS:
            if panel.tab_of:
                first = self._docks[panel.tab_of]
                self._window.tabifyDockWidget(first, self._docks[panel.id])
                first.raise_()
        docks = list(self._docks.values())
        heights = [panel.height for panel in PANELS]
        self._window.resizeDocks(docks, heights, Qt.Orientation.Vertical)
        for area, width in WIDTHS.items():
            first = next(self._docks[panel.id] for panel in PANELS if panel.area == area)
            self._window.resizeDocks([first], [width], Qt.Orientation.Horizontal)

    def _add(self, panel: Panel) -> QDockWidget:
        dock = QDockWidget(panel.title, self._window)
        dock.setObjectName(panel.id)
        dock.setMinimumWidth(200)
        self._window.addDockWidget(panel.area, dock)
        return dock
