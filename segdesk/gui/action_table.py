"""Everything that the user can do in the main window, as one table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.theme import THEMES, Theme, choose_theme, chosen_theme
from segdesk.gui.tools import TOOLS

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow

TOOL_BAR = ("open", "previous", "next", "", "undo", "redo", "", "fit", "actual_size", "", "run")
TOOL_BAR += ("stop", "accept", "reject", "", "export")


def action_table() -> list[Action[MainWindow]]:
    """Return all actions, in the order in which menus show them."""
    return [
        *_file(),
        *_edit(),
        *_view(),
        *_tools(),
        *_segment(),
        *_categories(),
        *_help(),
    ]


def _has_image(window: MainWindow) -> bool:
    return window.editor.document is not None


def _has_selection(window: MainWindow) -> bool:
    return bool(window.editor.selection)


def _has_proposal(window: MainWindow) -> bool:
    return window.bench.proposal is not None


def _file() -> list[Action[MainWindow]]:
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
            _has_image,
            starts_group=True,
        ),
        Action("quit", "&Quit", lambda w: w.close(), "&File", "Ctrl+Q", starts_group=True),
    ]


def _edit() -> list[Action[MainWindow]]:
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
            _has_selection,
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
            _has_image,
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


def _view() -> list[Action[MainWindow]]:
    return [
        *_zoom(),
        Action(
            "toggle_layer",
            "Show or &Hide Layer",
            lambda w: w.bench.toggle_layer(),
            "&View",
            "Ctrl+H",
            "eye",
            _has_image,
            starts_group=True,
        ),
        *(_theme(theme) for theme in THEMES),
        Action(
            "full_screen",
            "F&ull Screen",
            lambda w: w.toggle_full_screen(),
            "&View",
            "F11",
            "arrows-out",
            checked=lambda w: w.isFullScreen(),
            starts_group=True,
        ),
    ]


def _zoom() -> list[Action[MainWindow]]:
    return [
        Action(
            "fit",
            "&Fit to Window",
            lambda w: w.canvas.fit(),
            "&View",
            "Ctrl+0",
            "corners-out",
            _has_image,
        ),
        Action(
            "actual_size",
            "&Actual Size",
            lambda w: w.canvas.actual_size(),
            "&View",
            "Ctrl+1",
            "frame-corners",
            _has_image,
        ),
        Action(
            "zoom_in",
            "Zoom &In",
            lambda w: w.canvas.zoom_by(1.25),
            "&View",
            "Ctrl++; Ctrl+=",
            "magnifying-glass-plus",
            _has_image,
        ),
        Action(
            "zoom_out",
            "Zoom &Out",
            lambda w: w.canvas.zoom_by(0.8),
            "&View",
            "Ctrl+-",
            "magnifying-glass-minus",
            _has_image,
        ),
    ]


def _theme(theme: Theme) -> Action[MainWindow]:
    return Action(
        f"theme_{theme}",
        theme.capitalize(),
        lambda _: choose_theme(theme),
        "&View/&Theme",
        checked=lambda _: chosen_theme() == theme,
    )


def _tools() -> list[Action[MainWindow]]:
    return [
        Action(
            f"tool_{tool.id}",
            tool.title,
            partial(_choose_tool, tool.id),
            "&Tools",
            tool.key,
            tool.icon,
            _has_image,
            checked=partial(_is_tool, tool.id),
            help=tool.tooltip,
        )
        for tool in TOOLS
    ]


def _choose_tool(tool_id: str, window: MainWindow) -> None:
    window.editor.set_tool(tool_id)


def _is_tool(tool_id: str, window: MainWindow) -> bool:
    return window.editor.tool == tool_id


def _segment() -> list[Action[MainWindow]]:
    return [
        Action(
            "run",
            "&Run Segmenter",
            lambda w: w.bench.segmenting.run(),
            "&Segment",
            "Ctrl+R; F5",
            "play",
            lambda w: not w.bench.segmenting.is_running and not w.bench.segmenting.refusal(),
        ),
        Action(
            "stop",
            "&Stop",
            lambda w: w.bench.segmenting.stop(),
            "&Segment",
            "Shift+F5",
            "stop",
            lambda w: w.bench.segmenting.is_running,
        ),
        Action(
            "accept",
            "&Accept Proposal",
            lambda w: w.bench.accept(),
            "&Segment",
            "Ctrl+Return",
            "check",
            _has_proposal,
            starts_group=True,
        ),
        Action(
            "reject",
            "Re&ject Proposal",
            lambda w: w.bench.reject(),
            "&Segment",
            "Ctrl+Backspace",
            "x",
            _has_proposal,
        ),
        Action(
            "add_example",
            "Use as &Example",
            lambda w: w.bench.teaching.add(),
            "&Segment",
            "Ctrl+Shift+E",
            "graduation-cap",
            _has_image,
            starts_group=True,
        ),
        Action(
            "checkpoints",
            "Chec&kpoints…",
            lambda w: w.asking.show_checkpoints(),
            "&Segment",
            icon="package",
            starts_group=True,
        ),
    ]


def _categories() -> list[Action[MainWindow]]:
    named = [("Background", 0), *((f"Category {key}", key) for key in range(1, 10))]
    return [
        Action(
            f"category_{key}",
            title,
            partial(_choose_category, key),
            "&Segment/&Category",
            str(key),
            enabled=_has_image,
        )
        for title, key in named
    ]


def _choose_category(key: int, window: MainWindow) -> None:
    window.bench.choose_category(key)


def _help() -> list[Action[MainWindow]]:
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
