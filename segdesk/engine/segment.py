"""The one call behind every segmentation: from the command line, Python and the window."""

from __future__ import annotations

from segdesk.core.errors import ImageError
from segdesk.core.image import ImageSource
from segdesk.core.progress import Report, silent
from segdesk.core.segmentation import Segmentation
from segdesk.engine.images import check_memory
from segdesk.engine.job import SegmentJob, make_request
from segdesk.engine.registry import registry
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun


def segment(
    source: ImageSource,
    job: SegmentJob,
    report: Report = silent,
    sessions: Sessions | None = None,
    frame: int = 0,
    tiling: Tiling | None = None,
) -> Segmentation:
    """Segment an image in this process.

    Parameters
    ----------
    source
        An open image.
    job
        The segmenter and what to tell it.
    report
        Progress and stop.
    sessions
        Keeps models loaded between calls; without it the model is closed after the call.
    frame
        Which plane of a stack.
    tiling
        How to cut the image into tiles; None: only an image that memory cannot hold is cut.

    Raises
    ------
    UsageError, PromptError, ImageError
        When the job does not fit the segmenter or the image.
    CheckpointError
        When the weights cannot be loaded.
    PluginError
        When the segmenter fails or answers nonsense.
    Cancelled
        When ``report`` says so.
    """
    if sessions is None:
        with Sessions() as own:
            return segment(source, job, report, own, frame, tiling)
    tiling = tiling or needed_tiling(source, job)
    if tiling is None or is_whole(job, tiling):
        window = tiling.window if tiling else None
        return sessions.segment(job, make_request(source, job, None, window, frame), report)
    return TiledRun(source, job, tiling, frame=frame).go(sessions, report)


def is_whole(job: SegmentJob, tiling: Tiling) -> bool:
    """Say whether a part of an image is all that is asked for, of what never works in tiles."""
    whole = not registry().segmenter(job.segmenter).tile_size
    return whole and tiling == Tiling(window=tiling.window)


def needed_tiling(source: ImageSource, job: SegmentJob) -> Tiling | None:
    """Return how to cut an image that memory cannot hold whole; None where it can, or must."""
    if not registry().segmenter(job.segmenter).tile_size:
        return None
    try:
        check_memory(source.info, source.info.window)
    except ImageError:
        return Tiling()
    return None
