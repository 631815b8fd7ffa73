"""Tells whether there is a screen to open a window on."""

from __future__ import annotations

import os
import sys


def has_screen() -> bool:
    """Whether somebody can see a window that is opened here."""
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if platform or sys.platform in {"win32", "darwin"}:
        return platform not in {"offscreen", "minimal"}
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def can_open_window() -> bool:
    """Whether Qt finds something to draw on; tests draw where nobody looks."""
    return has_screen() or bool(os.environ.get("QT_QPA_PLATFORM"))
