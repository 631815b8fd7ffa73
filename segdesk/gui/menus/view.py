"""Zoom, frames, themes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.menus.conditions import has_frames, has_image
from segdesk.gui.theme import THEMES, Theme, choose_theme, chosen_theme

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow


def view_actions() -> list[Action[MainWindow]]:
    """Return the actions, in the order in which menus show them."""
    return [
        *_zoom(),
        *_frames(),
        Action(
            "toggle_layer",
            "Show or &Hide Layer",
            lambda w: w.bench.toggle_layer(),
            "&View",
            "Ctrl+H",
            "eye",
            has_image,
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
            has_image,
        ),
        Action(
            "actual_size",
            "&Actual Size",
            lambda w: w.canvas.actual_size(),
            "&View",
            "Ctrl+1",
            "frame-corners",
            has_image,
        ),
        Action(
            "zoom_in",
            "Zoom &In",
            lambda w: w.canvas.zoom_by(1.25),
            "&View",
            "Ctrl++; Ctrl+=",
            "magnifying-glass-plus",
            has_image,
        ),
        Action(
            "zoom_out",
            "Zoom &Out",
            lambda w: w.canvas.zoom_by(0.8),
            "&View",
            "Ctrl+-",
            "magnifying-glass-minus",
            has_image,
        ),
    ]


def _frames() -> list[Action[MainWindow]]:
    return [
        Action(
            "previous_frame",
            "&Previous Frame",
            lambda w: w.editor.step_frame(-1),
            "&View/F&rames",
            ",",
            "caret-left",
            has_frames,
        ),
        Action(
            "next_frame",
            "&Next Frame",
            lambda w: w.editor.step_frame(1),
            "&View/F&rames",
            ".",
            "caret-right",
            has_frames,
        ),
        Action(
            "play",
            "P&lay",
            lambda w: w.frame_bar.toggle(),
            "&View/F&rames",
            "F8",
            "play",
            has_frames,
            checked=lambda w: w.frame_bar.is_playing,
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
