"""When actions are enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow


def has_image(window: MainWindow) -> bool:
    """Say whether an image is on show."""
    return window.editor.document is not None


def has_selection(window: MainWindow) -> bool:
    """Say whether any segment is selected."""
    return bool(window.editor.selection)


def has_proposal(window: MainWindow) -> bool:
    """Say whether a proposal waits."""
    return window.bench.proposal is not None


def has_frames(window: MainWindow) -> bool:
    """Say whether the image is a stack."""
    return window.editor.frames > 1
