"""The project behind the window: its name, its images, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.menus.conditions import has_image

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow


def project_actions() -> list[Action[MainWindow]]:
    """Return the actions, in the order in which menus show them."""
    return [*_files(), *_members()]


def _files() -> list[Action[MainWindow]]:
    return [
        Action(
            "new_project",
            "&New Project…",
            lambda w: w.asking.projects.new(),
            "&File",
            "Ctrl+N",
            "file-plus",
            starts_group=True,
        ),
        Action(
            "open_project",
            "Open Pro&ject…",
            lambda w: w.asking.projects.open(),
            "&File",
            "Ctrl+Shift+J",
            "folder-simple",
        ),
        Action(
            "save_project",
            "&Save Project",
            lambda w: w.asking.projects.save(),
            "&File",
            "Ctrl+S",
            "floppy-disk",
            _has_something,
        ),
        Action(
            "save_project_as",
            "Save Project &As…",
            lambda w: w.asking.projects.save_as(),
            "&File",
            "Ctrl+Shift+S",
            enabled=_has_something,
        ),
    ]


def _members() -> list[Action[MainWindow]]:
    return [
        Action(
            "add_to_project",
            "Add &Image to Project",
            lambda w: w.bench.add_to_project(),
            "&File",
            "",
            "plus",
            lambda w: w.bench.can_add_to_project,
        ),
        Action(
            "close_project",
            "&Close Project",
            lambda w: w.asking.projects.close(),
            "&File",
            "Ctrl+W",
            enabled=lambda w: w.bench.keeping.project is not None,
        ),
    ]


def _has_something(window: MainWindow) -> bool:
    return has_image(window) or window.bench.keeping.project is not None
