"""Open, save, go through images, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.menus.conditions import has_image
from segdesk.gui.menus.project import project_actions

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
        *project_actions(),
        *_images(),
        Action(
            "import",
            "&Import Mask…",
            lambda w: w.asking.import_mask(),
            "&File",
            "Ctrl+I",
            "download-simple",
            has_image,
            starts_group=True,
        ),
        Action(
            "export",
            "&Export…",
            lambda w: w.asking.export(),
            "&File",
            "Ctrl+E",
            "export",
            has_image,
        ),
        Action("quit", "&Quit", lambda w: w.close(), "&File", "Ctrl+Q", starts_group=True),
    ]


def _images() -> list[Action[MainWindow]]:
    return [
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
    ]
