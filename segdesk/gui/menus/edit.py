"""Undo, redo, and what becomes of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.menus.conditions import has_image, has_selection

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow


def edit_actions() -> list[Action[MainWindow]]:
    """Return the actions, in the order in which menus show them."""
    return [
        Action(
            "undo",
            "&Undo",
            lambda w: w.bench.undo(),
            "&Edit",
            "Ctrl+Z",
            "arrow-u-up-left",
            lambda w: w.bench.can_undo,
        ),
        Action(
            "redo",
            "&Redo",
            lambda w: w.bench.redo(),
            "&Edit",
            "Ctrl+Shift+Z; Ctrl+Y",
            "arrow-u-up-right",
            lambda w: w.bench.can_redo,
        ),
        *_edit_segments(),
    ]


def _edit_segments() -> list[Action[MainWindow]]:
    return [
        Action(
            "delete",
            "&Delete Segments",
            lambda w: w.bench.delete_segments(),
            "&Edit",
            "Del",
            "trash",
            has_selection,
            starts_group=True,
        ),
        Action(
            "merge",
            "&Merge Segments",
            lambda w: w.bench.merge_segments(),
            "&Edit",
            "Ctrl+M",
            "intersect",
            lambda w: len(w.editor.selection) > 1,
        ),
        Action(
            "select_all",
            "Select &All Segments",
            lambda w: w.bench.select_all(),
            "&Edit",
            "Ctrl+A",
            "selection-all",
            has_image,
        ),
        Action(
            "clear_prompts",
            "&Clear Prompts",
            lambda w: w.bench.clear_prompts(),
            "&Edit",
            "Ctrl+Shift+P",
            "backspace",
            lambda w: bool(w.editor.document and w.editor.document.prompts),
            starts_group=True,
        ),
    ]
