"""Edits of tools that take too long for the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from segdesk.core.progress import Report
from segdesk.engine.document import Document
from segdesk.gui.tools.base import Stage

T = TypeVar("T")


def edit_beside(
    stage: Stage, title: str, change: Callable[[Document, Report], T], tell: Callable[[T], str]
) -> None:
    """Make a change on a draft beside the window, take it over, and say what came of it."""
    editor, document = stage.editor, stage.editor.document
    if not document:
        return
    draft = document.draft()

    def adopt(result: T) -> None:
        version = document.version
        editor.attempt(document.adopt, draft)
        if document.version != version or not draft.history.steps:
            editor.message.emit(tell(result))

    job = stage.lane.submit(lambda report: change(draft, report), title)
    job.succeeded.connect(adopt)
    job.failed.connect(editor.fail)
    stage.job_started.emit(job)
