"""What there is to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdesk.gui.actions import Action

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow


def help_actions() -> list[Action[MainWindow]]:
    """Return the actions, in the order in which menus show them."""
    return [
        Action(
            "shortcuts",
            "&Keyboard Shortcuts",
            lambda w: w.asking.show_shortcuts(),
            "&Help",
            "F1",
            "keyboard",
        ),
        Action(
            "plugins", "&Plugins…", lambda w: w.asking.show_plugins(), "&Help", "", "puzzle-piece"
        ),
        Action("about", "&About and Devices", lambda w: w.asking.show_about(), "&Help", "", "info"),
    ]
