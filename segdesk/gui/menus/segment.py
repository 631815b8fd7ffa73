"""Run segmenters, judge proposals, choose categories."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from segdesk.gui.actions import Action
from segdesk.gui.menus.conditions import has_image, has_proposal

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow


def segment_actions() -> list[Action[MainWindow]]:
    """Return the actions, in the order in which menus show them."""
    return [
        Action(
            "run",
            "&Run Segmenter",
            lambda w: w.bench.segmenting.run(),
            "&Segment",
            "Ctrl+R; F5",
            "play",
            _can_run,
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
        *_judging(),
        Action(
            "add_example",
            "Use as &Example",
            lambda w: w.bench.teaching.add(),
            "&Segment",
            "Ctrl+Shift+E",
            "graduation-cap",
            has_image,
            starts_group=True,
        ),
        *_categories(),
        Action(
            "checkpoints",
            "Chec&kpoints…",
            lambda w: w.asking.show_checkpoints(),
            "&Segment",
            icon="package",
            starts_group=True,
        ),
    ]


def _judging() -> list[Action[MainWindow]]:
    return [
        Action(
            "accept",
            "&Accept Proposal",
            lambda w: w.bench.accept(),
            "&Segment",
            "Ctrl+Return",
            "check",
            has_proposal,
            starts_group=True,
        ),
        Action(
            "reject",
            "Re&ject Proposal",
            lambda w: w.bench.reject(),
            "&Segment",
            "Ctrl+Backspace",
            "x",
            has_proposal,
        ),
    ]


def _can_run(window: MainWindow) -> bool:
    segmenting = window.bench.segmenting
    return not segmenting.is_running and not segmenting.refusal()


def _categories() -> list[Action[MainWindow]]:
    named = [("Background", 0), *((f"Category {key}", key) for key in range(1, 10))]
    return [
        Action(
            f"category_{key}",
            title,
            partial(_choose_category, key),
            "&Segment/&Category",
            str(key),
            enabled=has_image,
        )
        for title, key in named
    ]


def _choose_category(key: int, window: MainWindow) -> None:
    window.bench.choose_category(key)
