"""Opens images: from files, folders, drops and the clipboard. Reading happens on the disk lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QImage

from segdesk.core.display import Display, default_display
from segdesk.core.errors import ImageError
from segdesk.core.image import ArrayImage, ImageSource
from segdesk.engine.document import Document
from segdesk.engine.images import image_files, image_key, open_image, overview
from segdesk.engine.registry import registry
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Job, Lane, Work
from segdesk.gui.settings import remember_file
from segdesk.gui.shelf import Entry, Shelf, own_categories, put_first_layer

QUICK = 4 * 2**20  # bytes of a file that may be opened without a thread
SAMPLE = 1024  # pixels in a row and a column from which a display range is estimated


class Opening(QObject):
    """Puts images on show; one that cannot be opened leaves what is on show as it is.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    browsed_changed
        There are other images to go through.
    """

    job_started = Signal(object)
    browsed_changed = Signal()

    def __init__(self, editor: Editor, shelf: Shelf, lane: Lane) -> None:
        super().__init__(editor)
        self._editor, self._shelf, self._lane = editor, shelf, lane
        self._job: Job | None = None
        self._target: Path | None = None  # on show, or on its way
        self._browsed: tuple[Path, ...] = ()

    @property
    def place(self) -> str:
        """Where in the folder the image on show is: "3 of 40"; empty when it is alone."""
        path = self._shelf.current.path if self._shelf.current else None
        if path not in self._browsed or len(self._browsed) < 2:
            return ""
        return f"{self._browsed.index(path) + 1} of {len(self._browsed)}"

    def can_step(self, by: int) -> bool:
        """Say whether there is an image so far before or behind the one on show."""
        return self._neighbour(by) is not None

    def open(self, paths: Sequence[Path]) -> None:
        """Open a file or a folder, or several of them to go through."""
        wanted = tuple(path.absolute() for path in paths)
        title = f"Opening {wanted[0].name}" if len(wanted) == 1 else "Looking for images"
        self._start(lambda _: _images_in(wanted), title, self._on_found)

    def open_file(self, path: Path, browsed: tuple[Path, ...] | None = None) -> None:
        """Open one file.

        Parameters
        ----------
        path
            The file.
        browsed
            The images to go through from then on; None: those as before.
        """
        self._target = path
        entry = self._shelf.find(path)
        if entry and entry.is_open:
            self._browsed = self._browsed if browsed is None else browsed
            self._show(entry)
            return
        info = entry.document.image.info if entry else None
        size = (info.width, info.height) if info else None
        self._start(
            lambda _: load(path, size),
            f"Opening {path.name}",
            partial(self._on_loaded, entry, browsed),
        )

    def open_at_start(self, paths: Sequence[Path]) -> None:
        """Open what the command line names; a single quick file before the first frame."""
        if len(paths) == 1 and paths[0].is_file() and _is_quick(paths[0]):
            self.open_now(paths[0])
        elif paths:
            self.open(paths)

    def open_now(self, path: Path) -> None:
        """Open a file in this thread."""
        self._target = path.absolute()
        loaded = self._editor.attempt(load, self._target)
        if loaded:
            self._on_loaded(None, (), loaded)

    def find_siblings(self) -> None:
        """Look for the images beside the only one on show, to be able to go through them."""
        path = self._target
        if path and not self._browsed:
            job = self._lane.submit(lambda _: _images_in((path,)), "Looking for images")
            job.succeeded.connect(partial(self._on_siblings_found, path))

    def step(self, by: int) -> None:
        """Go to the next image (1), the one before (-1), ..."""
        path = self._neighbour(by)
        if path:
            self.open_file(path)

    def paste(self, data: QMimeData) -> None:
        """Open what the clipboard holds: files or a picture."""
        paths = local_files(data)
        if paths:
            self.open(paths)
        elif data.hasImage():
            from segdesk.gui.pixels import pixels_of

            image = ArrayImage(pixels_of(QImage(data.imageData())), "clipboard")
            self._target = None
            display = default_display(image.info)
            self._show(self._new_entry(Loaded(image, display, uuid4().hex)))
        else:
            self._editor.failed.emit("The clipboard holds neither an image nor a file.")

    def show_entry(self, entry: Entry) -> None:
        """Show an image that has been on show before."""
        if entry.path:
            self.open_file(entry.path)
        else:
            self._show(entry)

    def _start(self, work: Work, title: str, on_success: Callable[[Any], None]) -> None:
        """Start a job; one that is still under way is no longer wanted."""
        if self._job:
            self._job.cancel()
        job = self._job = self._lane.submit(work, title)
        job.succeeded.connect(on_success)
        job.failed.connect(self._editor.fail)
        job.failed.connect(self._on_failed)
        self.job_started.emit(job)

    def _on_failed(self) -> None:
        """Go on from the image on show, not from the one that failed."""
        self._target = self._shelf.current.path if self._shelf.current else None

    def _on_found(self, found: Found) -> None:
        self.open_file(found.first, found.paths)

    def _on_siblings_found(self, path: Path, found: Found) -> None:
        if path == self._target and not self._browsed:
            self._browsed = found.paths
            self.browsed_changed.emit()

    def _on_loaded(
        self, entry: Entry | None, browsed: tuple[Path, ...] | None, loaded: Loaded
    ) -> None:
        self._browsed = self._browsed if browsed is None else browsed
        if entry:
            entry.document.image, entry.is_open = loaded.image, True
        self._show(entry or self._new_entry(loaded))

    def _new_entry(self, loaded: Loaded) -> Entry:
        document = Document(loaded.image)
        put_first_layer(document, own_categories(self._editor.document))
        return Entry(document, loaded.display, loaded.key, loaded.path)

    def _show(self, entry: Entry) -> None:
        last = self._shelf.current
        if last and self._editor.display:
            last.display = self._editor.display
        self._shelf.put(entry)
        self._editor.show(entry.document, entry.display)
        if entry.path:
            remember_file(entry.path)

    def _neighbour(self, by: int) -> Path | None:
        if self._target not in self._browsed:
            return None
        place = self._browsed.index(self._target) + by
        return self._browsed[place] if 0 <= place < len(self._browsed) else None


@dataclass(frozen=True)
class Loaded:
    """An image that has just been opened."""

    image: ImageSource
    display: Display
    key: str  # names its pixels
    path: Path | None = None


@dataclass(frozen=True)
class Found:
    """Images to go through, and the one to begin with."""

    paths: tuple[Path, ...]
    first: Path


def load(path: Path, size: tuple[int, int] | None = None) -> Loaded:
    """Open an image and find out how to show it. Raises ``ImageError``.

    An image that has been open before must have kept its size: what was painted belongs to it.
    """
    image = open_image(path)
    info = image.info
    if size and size != (info.width, info.height):
        image.close()
        raise ImageError(
            f"{path}: it was {size[0]} x {size[1]} pixels and is {info.width} x {info.height} now;"
            " what was painted on it does not fit any more."
        )
    try:
        sample = None if info.dtype == "uint8" else overview(image, SAMPLE)
    except ImageError:
        image.close()
        raise
    return Loaded(image, default_display(info, sample), image_key(path), path)


def _is_quick(path: Path) -> bool:
    """Say whether a file is small and its decoder hardened."""
    reader = next(
        (r for r in registry().readers.values() if path.suffix.lower() in r.suffixes), None
    )
    return reader is not None and not reader.probe and path.stat().st_size < QUICK


def local_files(data: QMimeData) -> list[Path]:
    """Return the files and folders that were dropped or pasted."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _images_in(paths: tuple[Path, ...]) -> Found:
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
