"""Jobs from files: prompts in JSON, examples as pairs of pictures, options as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from segdesk.core.prompts import Prompt
from segdesk.engine.categories import merged
from segdesk.engine.example_files import read_example
from segdesk.engine.job import SegmentJob
from segdesk.engine.options import parse_options
from segdesk.engine.prompt_files import read_prompts
from segdesk.engine.registry import registry


def read_job(
    segmenter: str,
    prompts: Path | None = None,
    examples: Sequence[tuple[Path, Path]] = (),
    options: Mapping[str, str] | None = None,
    checkpoint: str = "",
    device: str = "auto",
) -> SegmentJob:
    """Return a job that is given by files and texts, as on the command line.

    Parameters
    ----------
    segmenter
        Its id.
    prompts
        A JSON file, see ``prompt_files``.
    examples
        Pairs of an image and its index PNG, see ``example_files``.
    options
        Options of the segmenter by name; what is left out keeps its default.
    checkpoint, device
        As in ``SegmentJob``.

    Raises
    ------
    UsageError
        The segmenter or an option is unknown, or a value is wrong.
    PromptError, ImageError
        A file cannot be read, or does not fit.
    """
    parsed = parse_options(registry().segmenter(segmenter).options, options or {})
    placed, categories = read_prompts(prompts) if prompts else ((), ())
    shown = [read_example(image, mask) for image, mask in examples]
    every: tuple[Prompt, ...] = (*placed, *shown)
    names = merged([categories, *(example.categories for example in shown)])
    return SegmentJob(segmenter, checkpoint, device, every, names, parsed)
