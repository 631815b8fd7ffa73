"""The tools of the canvas."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.menus.conditions import has_image
from segdesk.gui.tools import TOOLS

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow


def tool_actions() -> list[Action[MainWindow]]:
    """Return the actions, in the order in which menus show them."""
    return [
        Action(
            f"tool_{tool.id}",
            tool.title,
            partial(_choose_tool, tool.id),
            "&Tools",
            tool.key,
            tool.icon,
            has_image,
            checked=partial(_is_tool, tool.id),
            help=tool.tooltip,
        )
        for tool in TOOLS
    ]


def _choose_tool(tool_id: str, window: MainWindow) -> None:
    window.editor.set_tool(tool_id)


def _is_tool(tool_id: str, window: MainWindow) -> bool:
    return window.editor.tool == tool_id
