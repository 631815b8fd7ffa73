"""Real sample images, segmented in every way that needs no weights.

The images come with scikit-image; the prompts are files of the same kind that a user gives to
``segdesk segment --prompt``.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from segdesk.core.errors import ExportError, ImageError
from segdesk.core.geometry import Window
from segdesk.core.progress import Report, part
from segdesk.engine.export import export
from segdesk.engine.images import open_image
from segdesk.engine.job import SegmentJob
from segdesk.engine.job_files import read_job
from segdesk.engine.segment import segment

FORMATS = ("png", "coco", "overlay")
LEFT, RIGHT = Window(0, 0, 256, 512), Window(256, 0, 256, 512)


@dataclass(frozen=True)
class Scene:
    """One image, and how it is segmented."""

    name: str
    sample: str  # file among the images of scikit-image
    how: str
    segmenter: str
    prompts: str = ""  # file among the resources
    example: str = ""  # the scene whose result teaches this one
    options: Mapping[str, str] = field(default_factory=dict)
    window: Window | None = None  # None: the whole image


@dataclass(frozen=True)
class Shown:
    """What came of a scene."""

    image: Path
    how: str
    segments: int
    seconds: float
    files: dict[str, list[Path]]


SCENES = (
    Scene("tissue", "ihc.png", "semantic, from strokes", "scribble", "tissue.json", window=LEFT),
    Scene(
        "tissue-2",
        "ihc.png",
        "semantic, from the example of tissue",
        "scribble",
        example="tissue",
        window=RIGHT,
    ),
    Scene(
        "coins",
        "coins.png",
        "instances, from strokes",
        "scribble",
        "coins.json",
        options={"output": "instance"},
    ),
    Scene(
        "nuclei",
        "ihc.png",
        "panoptic, from strokes",
        "scribble",
        "nuclei.json",
        options={"output": "panoptic"},
        window=Window(160, 210, 256, 192),
    ),
    Scene("astronaut", "astronaut.png", "instances, from 2 boxes", "prompts", "astronaut.json"),
)


def play(folder: Path, report_of: Callable[[int, str], Report]) -> Iterator[Shown]:
    """Segment every scene in turn, and export it to a folder.

    The images go to ``folder/images``; masks, overlays and COCO files lie beside that.

    Raises
    ------
    ExportError
        The folder cannot be written to.
    ImageError
        The sample images are not installed.
    """
    for number, scene in enumerate(SCENES):
        yield _play(scene, folder, report_of(number, scene.name))


def _play(scene: Scene, folder: Path, report: Report) -> Shown:
    image = _image_of(scene.name, folder)
    _save(_sample(scene), image)
    job = _job(scene, folder)
    start = time.perf_counter()
    with closing(open_image(image)) as source:
        result = segment(source, job, part(report, 0, 0.7))
        seconds = time.perf_counter() - start
        written = export(result, source, FORMATS, folder, scene.name, part(report, 0.7, 1))
    return Shown(image, scene.how, len(result.segments), seconds, written)


def _job(scene: Scene, folder: Path) -> SegmentJob:
    example = _image_of(scene.example, folder), folder / f"{scene.example}.png"
    prompts = Path(str(files("segdesk_resources"))) / "samples" / scene.prompts
    return read_job(
        scene.segmenter,
        prompts if scene.prompts else None,
        [example] if scene.example else [],
        scene.options,
    )


def _image_of(name: str, folder: Path) -> Path:
    return folder / "images" / f"{name}.png"


def _sample(scene: Scene) -> bytes:
    """Return the image of a scene as PNG."""
    from PIL import Image

    home = find_spec("skimage")
    if home is None or home.origin is None:
        raise ImageError("The sample images are absent; type `pip install scikit-image`.")
    with Image.open(Path(home.origin).parent / "data" / scene.sample) as image:
        w = scene.window or Window(0, 0, *image.size)
        buffer = io.BytesIO()
        image.crop((w.x, w.y, w.right, w.bottom)).save(buffer, "PNG")
    return buffer.getvalue()


def _save(content: bytes, path: Path) -> None:
    """Write a file, unless there is another one in its place that may be the user's."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() != content:
            raise ExportError(f"{path} is another image; choose another folder.")
        path.write_bytes(content)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror}.") from error
