"""Operations on the selected segments, or on all of the active layer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from segdesk.engine.operations import OPERATIONS, Operation
from segdesk.gui.actions import Action

if TYPE_CHECKING:
    from segdesk.gui.main_window import MainWindow

_GROUPS = ("fill_holes", "split_parts", "convert", "copy_to_next_frame")
_KEYS = {"copy_to_next_frame": "Ctrl+.", "fill_between_frames": "Ctrl+Shift+B"}


def operation_actions() -> list[Action[MainWindow]]:
    """Return the actions, in the order in which menus show them."""
    return [
        *(_action(operation) for operation in OPERATIONS.values()),
        Action(
            "threshold",
            "&Threshold…",
            lambda w: w.asking.threshold(),
            "&Operations",
            "Ctrl+T",
            "circle-half",
            lambda w: w.editor.document is not None,
            starts_group=True,
            help="Paint the chosen category where pixels lie in a range.",
        ),
    ]


def _action(operation: Operation) -> Action[MainWindow]:
    return Action(
        operation.id,
        operation.title + ("…" if operation.options else ""),
        partial(_run, operation),
        "&Operations",
        _KEYS.get(operation.id, ""),
        operation.icon,
        lambda w: w.bench.operating.can_run(operation),
        starts_group=operation.id in _GROUPS,
        help=operation.help,
    )


def _run(operation: Operation, window: MainWindow) -> None:
    window.asking.operate(operation)
