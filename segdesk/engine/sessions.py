"""Segmenters kept open, so that only the first answer is slow."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from segdesk.api import SegmentRequest, Session
from segdesk.core.errors import (
    OutOfMemory,
    PluginError,
    SegdeskError,
    WouldNotFit,
    in_words,
    is_lack_of_memory,
)
from segdesk.core.progress import Report, part, silent
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Answer, Provenance, Segmentation
from segdesk.engine.answer_check import check_answer
from segdesk.engine.checkpoints.finding import find_checkpoint
from segdesk.engine.estimate import check_answers, check_weights, measuring, weight_bytes
from segdesk.engine.registry import registry
from segdesk.engine.resolve import resolve

if TYPE_CHECKING:
    from segdesk.engine.job import Key, SegmentJob

_log = logging.getLogger(__name__)


class Sessions:
    """Open sessions; the least recently used one is closed when there are too many.

    For one thread. Close it, or use it in a ``with``.

    Parameters
    ----------
    limit
        How many to keep open.
    """

    def __init__(self, limit: int = 2) -> None:
        self._open: OrderedDict[Key, Session] = OrderedDict()
        self._limit = limit
        self._weights: dict[Key, int] = {}  # bytes
        self._fits: set[tuple[Key, int, int]] = set()  # number and pixels of windows, while open

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def segment(
        self, job: SegmentJob, request: SegmentRequest, report: Report = silent
    ) -> Segmentation:
        """Answer a request of ``make_request``, on the scale of the image; see ``answers``."""
        (answer,) = self.answers(job, [request], part(report, 0.0, 0.95))
        return resolve(answer, request, provenance_of(job), part(report, 0.95, 1.0))

    def answers(
        self, job: SegmentJob, requests: Sequence[SegmentRequest], report: Report = silent
    ) -> list[Answer]:
        """Return what the segmenter says of some windows; opens it when it is not open yet.

        Raises ``SegdeskError``: what the segmenter said, ``OutOfMemory``, or ``PluginError`` when
        it failed in any other way or answered nonsense. A session that failed so is not used again.
        """
        key = job.key
        try:
            session, rest = self._session(job, report)
            answers = self._asked(session, job, requests, rest)
            for answer, request in zip(answers, requests, strict=True):
                check_answer(answer, request, job.segmenter)
        except WouldNotFit:
            if len(requests) == 1:  # what comes next is another session
                self._close(key)
            raise
        except SegdeskError:
            raise
        except (Exception, SystemExit) as error:
            self._close(key)
            if is_lack_of_memory(error):
                raise OutOfMemory(
                    f"The segmenter {job.segmenter!r} needs more memory than there is: segment in"
                    " smaller tiles, or on another device."
                ) from error
            raise PluginError(
                f"The segmenter {job.segmenter!r} failed: {in_words(error)}"
            ) from error
        return answers

    def close(self) -> None:
        """Close all sessions."""
        for key in tuple(self._open):
            self._close(key)

    def _session(self, job: SegmentJob, report: Report) -> tuple[Session, Report]:
        """Return the open session, and the report for what is left to do."""
        key = job.key
        if key in self._open:
            self._open.move_to_end(key)
            return self._open[key], report
        while len(self._open) >= self._limit:
            self._close(next(iter(self._open)))
        report(0.0, "Opening the segmenter")
        spec, checkpoint = registry().segmenter(job.segmenter), job.checkpoint
        if spec.needs_checkpoint:
            checkpoint = str(find_checkpoint(checkpoint, part(report, 0.0, 0.3)))
            self._weights[key] = weight_bytes(checkpoint)
            check_weights(job, self._weights[key])
        session = spec.open(checkpoint, job.device, part(report, 0.3, 0.5))
        self._open[key] = session
        if job.half and hasattr(session, "use_half"):
            session.use_half()
        return session, part(report, 0.5, 1.0)

    def _asked(
        self,
        session: Session,
        job: SegmentJob,
        requests: Sequence[SegmentRequest],
        report: Report,
    ) -> list[Answer]:
        """Ask a session; the first time for so much, look at the memory before and after."""
        case = job.key, len(requests), sum(request.window.area for request in requests)
        if case in self._fits or not registry().segmenter(job.segmenter).needs_checkpoint:
            return _asked(session, requests, report)
        check_answers(job, requests, self._weights[job.key])
        with measuring(job, requests):
            answers = _asked(session, requests, report)
        self._fits.add(case)
        return answers

    def _close(self, key: Key) -> None:
        session = self._open.pop(key, None)
        self._fits = {case for case in self._fits if case[0] != key}
        if session is None:
            return
        try:
            session.close()
        except (Exception, SystemExit):  # noqa: BLE001 - it is closed for us either way
            _log.warning("Closing the segmenter %r failed", key[0], exc_info=True)


def _asked(session: Session, requests: Sequence[SegmentRequest], report: Report) -> list[Answer]:
    """Ask a session for all windows at once, where it can, or one after the other."""
    together: Any = getattr(session, "segment_many", None)
    if together is not None and len(requests) > 1:
        answers = list(together(requests, report))
        if len(answers) != len(requests):
            raise ValueError(f"{len(answers)} answers to {len(requests)} requests")
        return answers
    count = len(requests)
    return [
        session.segment(request, part(report, number / count, (number + 1) / count))
        for number, request in enumerate(requests)
    ]


def provenance_of(job: SegmentJob) -> Provenance:
    """Return who makes the segments of a job, now."""
    return Provenance(
        segmenter=job.segmenter,
        checkpoint=job.checkpoint,
        version=_version(job.segmenter),
        prompt=_summary(job.prompts),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _version(segmenter: str) -> str:
    """Return the distribution and version (or the file) of the plugin that offers a segmenter."""
    offer = f"segmenter {segmenter}"
    return next((Path(p.source).name for p in registry().plugins if offer in p.offers), "")


def _summary(prompts: tuple[Prompt, ...]) -> str:
    """Return "2 box, 1 points" for two boxes and a set of points."""
    kinds = [type(prompt).__name__.lower() for prompt in prompts]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
