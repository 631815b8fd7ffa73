"""What opening an image takes, apart from the window: meant for the disk lane."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData

from segdesk.core.display import Display, default_display
from segdesk.core.errors import ImageError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo, ImageSource
from segdesk.engine.images import image_files, image_key, open_image, overview
from segdesk.engine.overviews import ready_for_overviews
from segdesk.engine.registry import registry

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


@dataclass(frozen=True)
class Found:
    """Images to go through, and the one to begin with."""

    paths: tuple[Path, ...]
    first: Path


def load(path: Path, known: ImageInfo | None = None) -> Loaded:
    """Open an image and find out how to show it. Raises ``ImageError``.

    An image that is ``known`` must have kept its size: what was painted belongs to it.
    """
    image = open_image(path)
    with ExitStack() as on_failure:
        on_failure.callback(image.close)
        info = image.info
        _check_size(info, known)
        small = len(info.level_sizes) - 1 if info.block is None else 0  # of a JPEG, to begin with
        image.read(Window(0, 0, 1, 1), small)  # a header alone says little: damage must show now
        sample = None if info.dtype == "uint8" else overview(image, SAMPLE)
        display, key = default_display(info, sample), image_key(path)
        try:
            image, trouble = ready_for_overviews(path, image), None
        except ImageError as error:
            trouble = error
        loaded = Loaded(image, display, key, path, trouble)
        on_failure.pop_all()
    return loaded


def _check_size(info: ImageInfo, known: ImageInfo | None) -> None:
    if known and _size_of(known) != _size_of(info):
        raise ImageError(
            f"{info.name}: it was {_size_of(known)} pixels and is {_size_of(info)} now; what was"
            " painted on it does not fit any more."
        )


def _size_of(info: ImageInfo) -> str:
    frames = "" if info.frames == 1 else f" x {info.frames}"
    return f"{info.width} x {info.height}{frames}"


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
