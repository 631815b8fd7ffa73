"""Everything that the user can do in the main window, as one table; one module a menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.menus.edit import edit_actions
from segdesk.gui.menus.file import file_actions
from segdesk.gui.menus.help import help_actions
from segdesk.gui.menus.operations import operation_actions
from segdesk.gui.menus.segment import segment_actions
from segdesk.gui.menus.tools import tool_actions
from segdesk.gui.menus.view import view_actions

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow

TOOL_BAR = ("open", "previous", "next", "", "undo", "redo", "", "fit", "actual_size", "", "run")
TOOL_BAR += ("stop", "accept", "reject", "", "export")


def action_table() -> list[Action[MainWindow]]:
    """Return all actions, in the order in which menus show them."""
    return [
        *file_actions(),
        *edit_actions(),
        *view_actions(),
        *tool_actions(),
        *segment_actions(),
        *operation_actions(),
        *help_actions(),
    ]
