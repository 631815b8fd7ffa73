"""Answers prompts one by one, and remembers its answers."""

from __future__ import annotations

from segdesk.api import PromptError, Report, SegmentMasks, SegmentRequest


class PromptSession:
    """Answers every prompt with one mask."""

    def segment(self, request: SegmentRequest, report: Report) -> SegmentMasks:
        """Return one region a prompt."""
        report(0.0, "Looking at the prompts")
        raise PromptError("Draw a box, click on a segment or paint a rough mask first.")

    def close(self) -> None:
        """Nothing to let go of."""
