"""What is asked of a segmenter: checked against it and the image, with the pixels read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from numpy.typing import NDArray

from segdesk.api import SegmenterSpec, SegmentRequest
from segdesk.core.display import Display, default_display
from segdesk.core.errors import ImageError, UsageError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageSource
from segdesk.core.prompts import Prompt, is_on_frame
from segdesk.core.segmentation import Category
from segdesk.engine.images import check_memory
from segdesk.engine.prompt_check import check_prompts
from segdesk.engine.registry import registry

Key = tuple[str, str, str, bool]  # segmenter, checkpoint, device, half precision


@dataclass(frozen=True)
class SegmentJob:
    """Which segmenter to run, and what to tell it: all but the pixels."""

    segmenter: str
    checkpoint: str = ""  # Hub id or folder, for segmenters that need one
    device: str = "auto"  # "auto", "cpu", "cuda", "cuda:1", "mps", ...
    prompts: tuple[Prompt, ...] = ()
    categories: tuple[Category, ...] = ()
    options: Any = None  # an instance of the spec's `options`; None: its defaults
    half: bool = False  # compute in half precision, where the segmenter and the device can

    @property
    def key(self) -> Key:
        """What two jobs must have in common to share a session."""
        return self.segmenter, self.checkpoint, self.device, self.half


def make_request(
    source: ImageSource,
    job: SegmentJob,
    display: Display | None = None,
    window: Window | None = None,
    frame: int = 0,
    image_key: str = "",
) -> SegmentRequest:
    """Check a job against its segmenter and image, and read the pixels.

    Parameters
    ----------
    source
        An open image.
    job
        The segmenter and what to tell it.
    display
        How the image is shown, for segmenters that take RGB; None: as the window opens it.
    window
        The part to segment; None: all of it.
    frame
        Which plane of a stack; prompts that are on other ones do not count.
    image_key
        Names the image: requests with the same key, frame, window and display have equal pixels,
        so that they are sent and embedded once. Empty: never to be taken for another one.

    Raises
    ------
    UsageError, PromptError, ImageError
        When something does not fit.
    """
    job, info = check_job(source, job, frame), source.info
    window = (window or info.window).intersection(info.window)
    if not window:
        raise ImageError(f"{info.name}: the window to segment lies outside the image.")
    check_memory(info, window)
    pixels = read_only(source.read(window, 0, frame))
    display = display or default_display(info, pixels)
    return SegmentRequest(
        pixels=pixels,
        rgb=read_only(display.apply(pixels)),
        window=window,
        image_key=f"{image_key} {frame} {window} {display}" if image_key else uuid4().hex,
        prompts=job.prompts,
        categories=job.categories,
        options=job.options,
        image_size=(info.width, info.height),
        frame=frame,
        frames=info.frames,
    )


def check_job(source: ImageSource, job: SegmentJob, frame: int = 0) -> SegmentJob:
    """Return a job with its options, and without prompts on other frames.

    Raises ``UsageError``, ``PromptError`` or ``ImageError`` when it does not fit its segmenter or
    the image.
    """
    spec, info = registry().segmenter(job.segmenter), source.info
    options = _checked_options(job, spec)
    if not 0 <= frame < info.frames:
        raise ImageError(f"{info.name}: there is no frame {frame + 1}, it has {info.frames}.")
    prompts = tuple(p for p in job.prompts if is_on_frame(p, frame))
    job = replace(job, prompts=prompts, options=options)
    check_prompts(job, spec, info)
    return job


def _checked_options(job: SegmentJob, spec: SegmenterSpec) -> Any:
    """Check checkpoint and options; return the options, or their defaults."""
    if spec.needs_checkpoint and not job.checkpoint:
        hint = f", such as {spec.checkpoints[0].ref}" if spec.checkpoints else ""
        raise UsageError(f"The segmenter {spec.id!r} needs a checkpoint: a folder or Hub id{hint}.")
    if job.options is None:
        return spec.options() if spec.options else None
    if spec.options is None or not isinstance(job.options, spec.options):
        wanted = spec.options.__name__ if spec.options else "no options"
        given = type(job.options).__name__
        raise UsageError(f"The segmenter {spec.id!r} takes {wanted}, not {given}.")
    return job.options


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that a segmenter cannot write through."""
    view = array.view()
    view.flags.writeable = False
    return view
