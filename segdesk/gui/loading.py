"""What opening an image takes, apart from the window: meant for the disk lane."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from PySide6.QtCore import QMimeData

from segdesk.core.display import Display, default_display
from segdesk.core.errors import ImageError, ProjectError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageSource
from segdesk.engine.images import image_files, image_key, open_image, overview
from segdesk.engine.overviews import ready_for_overviews
from segdesk.engine.registry import registry

if TYPE_CHECKING:
    from segdesk.engine.project.finding import Found as FoundImage
    from segdesk.engine.project.project import Project, Read

QUICK = 4 * 2**20  # bytes of a file that may be opened without a thread
SAMPLE = 1024  # pixels in a row and a column from which a display range is estimated


@dataclass(frozen=True)
class Loaded:
    """An image that has just been opened."""

    image: ImageSource
    display: Display
    key: str  # names its pixels
    path: Path | None = None
    trouble: ImageError | None = None  # why it has no overviews

    def close(self) -> None:
        """Let go of it: nobody wants it any more."""
        self.image.close()


@dataclass(frozen=True)
class Kept:
    """An image of a project that has just been opened; ``read`` when it was not known before."""

    image: int
    found: FoundImage
    read: Read | None
    display: Display
    key: str
    trouble: ImageError | None = None  # why it has no overviews

    def close(self) -> None:
        """Let go of it: nobody wants it any more."""
        self.found.source.close()


@dataclass(frozen=True)
class Found:
    """Images to go through, and the one to begin with."""

    paths: tuple[Path, ...]
    first: Path


def load(path: Path) -> Loaded:
    """Open an image and find out how to show it. Raises ``ImageError``."""
    image = open_image(path)
    with ExitStack() as on_failure:
        on_failure.callback(image.close)
        shown = _ready(image, path)
        loaded = Loaded(shown.image, shown.display, image_key(path), path, shown.trouble)
        on_failure.pop_all()
    return loaded


def load_kept(project: Project, image: int, is_known: bool) -> Kept:
    """Open an image of a project, and its document unless that is known.

    A missing image is blank. Raises ``ProjectError``, or ``ImageError`` when it is damaged.
    """
    read = None if is_known else project.read(image)
    found = read.found if read else project.find(image)
    with ExitStack() as on_failure:
        on_failure.callback(found.source.close)
        path = Path(found.link.path) if found.link and not found.problem else None
        shown = _ready(found.source, path, stored_display(project.image(image).view))
        key = image_key(path) if path else uuid4().hex
        found = replace(found, source=shown.image)
        kept = Kept(image, found, read, shown.display, key, shown.trouble)
        on_failure.pop_all()
    return kept


def stored_display(view: dict[str, Any]) -> Display | None:
    """Return the display that a project has kept, if it can be read."""
    from segdesk.engine.project.codec import typed

    try:
        display: Display = typed(Display, view["display"])
    except (KeyError, ProjectError, TypeError):
        return None
    return display


@dataclass(frozen=True)
class _Shown:
    """An image that can be shown; see ``Loaded``."""

    image: ImageSource
    display: Display
    trouble: ImageError | None


def _ready(image: ImageSource, path: Path | None, display: Display | None = None) -> _Shown:
    """Find out how to show an image, and get overviews ready. Raises ``ImageError``."""
    info = image.info
    small = len(info.level_sizes) - 1 if info.block is None else 0  # of a JPEG, to begin with
    image.read(Window(0, 0, 1, 1), small)  # a header alone says little: damage must show now
    if display is None:
        sample = None if info.dtype == "uint8" else overview(image, SAMPLE)
        display = default_display(info, sample)
    try:
        return _Shown(ready_for_overviews(path, image) if path else image, display, None)
    except ImageError as error:
        return _Shown(image, display, error)


def is_quick(path: Path) -> bool:
    """Say whether a file is small and its decoder hardened."""
    reader = next(
        (r for r in registry().readers.values() if path.suffix.lower() in r.suffixes), None
    )
    return reader is not None and not reader.probe and path.stat().st_size < QUICK


def local_files(data: QMimeData) -> list[Path]:
    """Return the files and folders that were dropped or pasted."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def images_in(paths: tuple[Path, ...]) -> Found:
    """Return the images to go through: those given, and those in the folders given.

    With a single file come its neighbours.
    """
    if len(paths) == 1 and not paths[0].is_dir():
        beside = image_files(paths[0].parent) if paths[0].parent.is_dir() else []
        return Found(tuple(beside) if paths[0] in beside else paths, paths[0])
    found: list[Path] = []
    for path in paths:
        found += image_files(path) if path.is_dir() else [path]
    if not found:
        raise ImageError(f"{paths[0]}: there is no image in this folder.")
    return Found(tuple(dict.fromkeys(found)), found[0])
