"""Waits for a job that nothing else may happen during."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEventLoop, Qt
from PySide6.QtWidgets import QProgressDialog, QWidget

from segdesk.gui.lanes import Lane, Work

SHOW_AFTER_MS = 300
STEPS = 1000


def wait_for(lane: Lane, work: Work, title: str, parent: QWidget) -> Any:
    """Do some work on a lane, and return what it returns; raises what it raises.

    What the user does meanwhile comes after it; the window says so once it takes a while.
    """
    dialog = QProgressDialog(f"{title}…", "", 0, 0, parent)
    dialog.setCancelButton(None)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setMinimumDuration(SHOW_AFTER_MS)
    outcome: list[Any] = []
    loop = QEventLoop()
    job = lane.submit(work, title)
    job.succeeded.connect(lambda result: outcome.extend((result, None)))
    job.failed.connect(lambda error: outcome.extend((None, error)))
    job.progressed.connect(lambda fraction, _: _show(dialog, fraction))
    job.finished.connect(loop.quit)
    loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    dialog.close()
    dialog.deleteLater()
    result, error = outcome or (None, None)
    if error:
        raise error
    return result


def _show(dialog: QProgressDialog, fraction: float) -> None:
    if fraction > 0:
        dialog.setMaximum(STEPS)
        dialog.setValue(round(STEPS * fraction))
