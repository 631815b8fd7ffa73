"""Open, save, go through images, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.menus.conditions import has_image

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow


def file_actions() -> list[Action[MainWindow]]:
    """Return the actions, in the order in which menus show them."""
    return [
        Action("open", "&Open…", lambda w: w.asking.open_files(), "&File", "Ctrl+O", "image"),
        Action(
            "open_folder",
            "Open &Folder…",
            lambda w: w.asking.open_folder(),
            "&File",
            "Ctrl+Shift+O",
            "folder-open",
        ),
        Action(
            "paste",
            "&Paste Image",
            lambda w: w.bench.paste(),
            "&File",
            "Ctrl+V",
            "clipboard",
        ),
        *_projects(),
        Action(
            "previous",
            "Pre&vious Image",
            lambda w: w.bench.opening.step(-1),
            "&File",
            "PgUp",
            "caret-left",
            lambda w: w.bench.opening.can_step(-1),
            starts_group=True,
        ),
        Action(
            "next",
            "&Next Image",
            lambda w: w.bench.opening.step(1),
            "&File",
            "PgDown",
            "caret-right",
            lambda w: w.bench.opening.can_step(1),
        ),
        Action(
            "export",
            "&Export…",
            lambda w: w.asking.export(),
            "&File",
            "Ctrl+E",
            "export",
            has_image,
            starts_group=True,
        ),
        Action("quit", "&Quit", lambda w: w.close(), "&File", "Ctrl+Q", starts_group=True),
    ]


def _projects() -> list[Action[MainWindow]]:
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
