"""Makes menus, toolbar buttons and shortcuts from one table of actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QToolBar, QWidget

from segdesk.gui.icons import blank_icon, icon

T = TypeVar("T")


@dataclass(frozen=True)
class Action(Generic[T]):
    """One thing that the user can do with a window of type T.

    ``menu`` is a path such as "View/Theme"; without one, only its key leads to the action.
    ``keys`` holds shortcuts apart by "; ", the first of them shown.
    """

    id: str
    title: str
    run: Callable[[T], object]
    menu: str = ""
    keys: str = ""
    icon: str = ""
    enabled: Callable[[T], bool] | None = None
    checked: Callable[[T], bool] | None = None
    starts_group: bool = False  # a line above it in its menu
    help: str = ""  # what its button says beside title and key

    @property
    def shortcuts(self) -> list[QKeySequence]:
        """The keys that trigger it."""
        return [QKeySequence(key) for key in self.keys.split("; ") if key]


class Actions(QObject, Generic[T]):
    """The table come to life in a window.

    Attributes
    ----------
    menus
        By their paths, once the menu bar has been filled.
    """

    def __init__(self, table: Iterable[Action[T]], window: T) -> None:
        super().__init__(window if isinstance(window, QObject) else None)
        self.table = tuple(table)
        self._window = window
        self.menus: dict[str, QMenu] = {}
        self._blank = blank_icon()  # keeps the place of icons until they are loaded
        self._made = {entry.id: self._make(entry) for entry in self.table}

    def __getitem__(self, action_id: str) -> QAction:
        return self._made[action_id]

    def attach(self, widget: QWidget) -> None:
        """Let the shortcuts work wherever the focus is in a window."""
        widget.addActions(list(self._made.values()))

    def fill_menu_bar(self, bar: QMenuBar) -> None:
        """Put every action that names a menu into it, in the order of the table."""
        for entry in self.table:
            if entry.menu:
                menu = self._menu(bar, entry.menu)
                if entry.starts_group:
                    menu.addSeparator()
                menu.addAction(self._made[entry.id])

    def fill_tool_bar(self, bar: QToolBar, ids: Iterable[str]) -> None:
        """Put actions on a toolbar; an empty id is a line."""
        for action_id in ids:
            if action_id:
                bar.addAction(self._made[action_id])
            else:
                bar.addSeparator()

    def refresh(self) -> None:
        """Enable and check every action as things stand."""
        for entry in self.table:
            action = self._made[entry.id]
            if entry.enabled:
                action.setEnabled(entry.enabled(self._window))
            if entry.checked:
                action.setChecked(entry.checked(self._window))

    def show_icons(self) -> None:
        """Load the icons, or take those of another theme."""
        for entry in self.table:
            if entry.icon:
                self._made[entry.id].setIcon(icon(entry.icon))

    def _make(self, entry: Action[T]) -> QAction:
        action = QAction(entry.title, self)
        action.setObjectName(entry.id)
        if entry.icon:
            action.setIcon(self._blank)
        action.setShortcuts(entry.shortcuts)
        action.setToolTip(tip(entry))
        action.setCheckable(entry.checked is not None)
        action.triggered.connect(lambda: self._run(entry))
        return action

    def _menu(self, bar: QMenuBar, path: str) -> QMenu:
        if path not in self.menus:
            parent, _, title = path.rpartition("/")
            owner = self._menu(bar, parent) if parent else bar
            self.menus[path] = owner.addMenu(title)
        return self.menus[path]

    def _run(self, entry: Action[T]) -> None:
        entry.run(self._window)
        self.refresh()


def tip(entry: Action[Any]) -> str:
    """Return what a button says when the mouse rests on it."""
    words = entry.title.replace("&", "").rstrip("…")
    if entry.shortcuts:
        words += f" ({entry.shortcuts[0].toString(QKeySequence.SequenceFormat.NativeText)})"
    return f"<b>{words}</b><br>{entry.help}" if entry.help else words
