"""``segdesk segment``: the main job without a window."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from contextlib import closing, nullcontext, redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import segdesk
from segdesk.cli.ending import FAILED, complain, say
from segdesk.cli.parser import Parser, options_in
from segdesk.cli.progress import progress_bar
from segdesk.cli.tiling import add_tiling, tiling_in
from segdesk.core.errors import Cancelled, ExportError, SegdeskError, UsageError
from segdesk.core.image import ImageSource
from segdesk.core.progress import Report, part
from segdesk.core.prompts import put_on_frame
from segdesk.core.segmentation import Segmentation
from segdesk.engine.export import export, unique_stems
from segdesk.engine.images import image_key, open_image
from segdesk.engine.job import SegmentJob
from segdesk.engine.job_files import read_job
from segdesk.engine.options import fields_of
from segdesk.engine.registry import registry
from segdesk.engine.segment import is_whole, needed_tiling, segment
from segdesk.engine.sessions import Sessions
from segdesk.engine.tiling.plan import Tiling
from segdesk.engine.tiling.run import TiledRun
from segdesk.engine.tiling.saved import go_on, resume_run


@dataclass(frozen=True)
class Task:
    """What to do with every image."""

    job: SegmentJob
    tiling: Tiling | None
    formats: list[str]
    resume: bool
    frame: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of one image."""

    image: str
    segments: int
    seconds: float
    files: dict[str, list[str]]
    details: list[dict[str, Any]]


def run(arguments: list[str]) -> int:
    """Segment images and export the results; one that fails does not stop the others."""
    parsed = _parser(arguments).read(arguments)
    formats = _formats(parsed.format)
    tiling = tiling_in(parsed)
    job = read_job(
        parsed.segmenter,
        parsed.prompt,
        parsed.example,
        options_in(parsed),
        parsed.checkpoint,
        parsed.device,
    )
    _make_folder(parsed.out)
    with redirect_stdout(sys.stderr) if parsed.json else nullcontext():  # plugins may print
        job = replace(job, half=parsed.half, prompts=put_on_frame(job.prompts, parsed.frame - 1))
        task = Task(job, tiling, formats, parsed.resume, parsed.frame - 1)
        outcomes, errors = _segment_all(parsed, task)
    if parsed.json:
        about = {"segmenter": job.segmenter, "checkpoint": job.checkpoint, "device": job.device}
        images = [asdict(outcome) for outcome in outcomes]
        content = {"images": images, "errors": errors, **about, "version": segdesk.__version__}
        say(json.dumps(content))
    return FAILED if errors else 0


def _parser(arguments: list[str]) -> Parser:
    segmenters, writers = registry().segmenters, registry().writers
    parser = Parser(prog="segdesk segment", description="Segment images and export the masks.")
    add = parser.add_argument
    add("images", metavar="IMAGE", nargs="+", type=Path)
    add("--segmenter", metavar="ID", required=True, help=f"one of {', '.join(segmenters)}")
    add("--checkpoint", metavar="REF", default="", help="Hub id or folder of the weights")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default auto)")
    add("--half", action="store_true", help="half precision, where segmenter and device can")
    add(
        "--example",
        metavar=("IMAGE", "MASK"),
        nargs=2,
        type=Path,
        action="append",
        default=[],
        help="an image and its index PNG (0 background, 255 ignore; 16 bits: instances)",
    )
    add("--prompt", metavar="FILE", type=Path, help="points, boxes, scribbles, ... as JSON")
    add("--frame", metavar="N", type=int, default=1, help="frame of a stack, from 1 on (default 1)")
    add("--out", metavar="DIR", type=Path, required=True, help="folder of the results")
    add("--format", metavar="F,...", default="png", help=f"some of {', '.join(writers)}")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    add_tiling(parser)
    named = _value_of("--segmenter", arguments)
    if named is not None:
        spec = registry().segmenter(named)
        parser.add_options(f"options of the segmenter {named}", fields_of(spec.options))
    return parser


def _value_of(flag: str, arguments: list[str]) -> str | None:
    """Return what follows a flag, before the flags that depend on it are known."""
    for number, argument in enumerate(arguments):
        if argument.startswith(f"{flag}="):
            return argument.removeprefix(f"{flag}=")
        if argument == flag and number + 1 < len(arguments):
            return arguments[number + 1]
    return None


def _formats(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        registry().writer(name)
    if not names:
        raise UsageError(f"--format needs some of {', '.join(registry().writers)}.")
    return names


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"The folder {folder} cannot be made: {error.strerror}.") from error


def _segment_all(parsed: Namespace, task: Task) -> tuple[list[Outcome], list[dict[str, str]]]:
    outcomes: list[Outcome] = []
    errors: list[dict[str, str]] = []
    targets = [parsed.out / stem for stem in unique_stems(parsed.images, parsed.out)]
    with Sessions() as sessions, progress_bar(len(targets), parsed.json) as report_of:
        for number, (image, target) in enumerate(zip(parsed.images, targets, strict=True)):
            report = report_of(number, image.name)
            try:
                outcome = _segment_one(image, target, task, sessions, report)
            except (UsageError, Cancelled):
                raise
            except SegdeskError as error:
                message = _naming(image, error)
                complain(message)
                errors.append({"image": str(image), "message": message})
                continue
            outcomes.append(outcome)
            if not parsed.json:
                say(_line(outcome))
    return outcomes, errors


def _segment_one(
    image: Path,
    target: Path,
    task: Task,
    sessions: Sessions,
    report: Report,
) -> Outcome:
    start = time.perf_counter()
    with closing(open_image(image)) as source:
        result = _segmented(source, target, task, sessions, part(report, 0, 0.8))
        rest = part(report, 0.8, 1)
        files = export(result, source, task.formats, target.parent, target.name, rest)
    return Outcome(
        image=str(image),
        segments=len(result.segments),
        seconds=round(time.perf_counter() - start, 3),
        files={name: [str(file.absolute()) for file in paths] for name, paths in files.items()},
        details=_details(result),
    )


def _segmented(
    source: ImageSource, target: Path, task: Task, sessions: Sessions, report: Report
) -> Segmentation:
    """Segment an image; what is cut into tiles keeps its state beside the results meanwhile."""
    tiling = task.tiling or needed_tiling(source, task.job)
    if tiling is None or is_whole(task.job, tiling):
        return segment(source, task.job, report, sessions, task.frame, tiling)
    run = TiledRun(source, task.job, tiling, frame=task.frame)
    state = target.with_name(f"{target.name}.tiles")
    key = f"{image_key(source.info.name)}|{task.frame}"
    if task.resume and state.exists():
        resume_run(run, state, key)
    return go_on(run, sessions, report, state, key)


def _naming(image: Path, error: SegdeskError) -> str:
    """Return a message that says which image it is about."""
    message = " ".join(str(error).split())
    return message if str(image) in message else f"{image}: {message}"


def _details(result: Segmentation) -> list[dict[str, Any]]:
    names = {category.id: category.name for category in result.categories}
    areas: dict[int, int] = {}
    for plane in result.planes:
        for segment_id, area in plane.areas().items():
            areas[segment_id] = areas.get(segment_id, 0) + area
    return [
        {"id": s.id, "category": s.category, "name": names.get(s.category, ""), "score": s.score}
        | {"area": areas.get(s.id, 0)}
        for s in result.segments.values()
    ]


def _line(outcome: Outcome) -> str:
    files = [file for paths in outcome.files.values() for file in paths]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    first = f" -> {files[0]}{more}" if files else ""
    count = outcome.segments
    return f"{outcome.image}: {count} segment{'s' * (count != 1)} in {outcome.seconds:.1f} s{first}"
