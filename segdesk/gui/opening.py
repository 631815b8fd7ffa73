"""Opens images: from files, folders, drops and the clipboard. Reading happens on the disk lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QImage

from segdesk.core.display import default_display
from segdesk.core.errors import Cancelled
from segdesk.core.image import ArrayImage
from segdesk.core.progress import Report
from segdesk.engine.document import Document
from segdesk.engine.overviews import make_overviews
from segdesk.engine.pyramid import Pyramid
from segdesk.engine.samples import sample_images
from segdesk.gui.editor import Editor
from segdesk.gui.lanes import Lane, Work
from segdesk.gui.loading import Found, Loaded, images_in, is_quick, load, local_files
from segdesk.gui.settings import remember_file
from segdesk.gui.shelf import Entry, Shelf, own_categories, put_first_layer


class Opening(QObject):
    """Puts images on show; one that cannot be opened leaves what is on show as it is.

    Signals
    -------
    job_started
        A ``Job`` waits or runs: for the job bar.
    browsed_changed
        There are other images to go through.
    pixels_made
        More of an image whose overviews are being made can be shown.
    """

    job_started = Signal(object)
    browsed_changed = Signal()
    pixels_made = Signal()

    def __init__(self, editor: Editor, shelf: Shelf, lane: Lane, slow_lane: Lane) -> None:
        super().__init__(editor)
        self._slow_lane = slow_lane
        self._editor, self._shelf, self._lane = editor, shelf, lane
        self._wanted = object()  # the latest request
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
        self._start(lambda _: images_in(wanted), title, self._on_found)

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
        known = entry.document.image.info if entry else None
        self._start(
            lambda _: load(path, known),
            f"Opening {path.name}",
            partial(self._on_loaded, entry, browsed),
        )

    def open_sample(self, path: Path) -> None:
        """Open one of the sample images, with the others to go through."""
        self.open_file(path, tuple(sample_images().values()))

    def open_at_start(self, paths: Sequence[Path]) -> None:
        """Open what the command line names; a single quick file before the first frame."""
        if len(paths) == 1 and paths[0].is_file() and is_quick(paths[0]):
            self.open_now(paths[0])
        elif paths:
            self.open(paths)

    def open_now(self, path: Path) -> None:
        """Open a file in this thread."""
        self._target = path.absolute()
        loaded = self._editor.attempt(load, self._target)
        if loaded:
            self._on_loaded(None, (), loaded)

    def get_ready(self) -> None:
        """Be ready for the next image, and look for those beside the only one on show."""
        path = self._target
        self._lane.submit(_prepare, "Preparing")
        if path and not self._browsed:
            job = self._lane.submit(lambda _: images_in((path,)), "Looking for images")
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
        token = self._wanted = object()

        def wanted_work(report: Report) -> Any:
            if token is not self._wanted:
                raise Cancelled("Another image was asked for.")
            try:
                return work(report)
            finally:
                _prepare(report)

        job = self._lane.submit(wanted_work, title)
        job.succeeded.connect(partial(self._on_succeeded, token, on_success))
        job.failed.connect(partial(self._on_failed, token))
        self.job_started.emit(job)

    def _on_succeeded(self, token: object, on_success: Callable[[Any], None], found: Any) -> None:
        if token is self._wanted:
            on_success(found)
        elif isinstance(found, Loaded):
            found.image.close()

    def _on_failed(self, token: object, error: Exception) -> None:
        """Go on from the image on show, not from the one that failed."""
        if token is self._wanted:
            self._target = self._shelf.current.path if self._shelf.current else None
            self._editor.fail(error)

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
        entry = entry or self._new_entry(loaded)
        self._show(entry)
        if loaded.trouble:
            self._editor.fail(loaded.trouble)
        if isinstance(loaded.image, Pyramid) and not loaded.image.is_complete:
            self._make_overviews(entry, loaded.image)

    def _make_overviews(self, entry: Entry, image: Pyramid) -> None:
        """Make them on a lane of their own: it may take minutes."""
        path = entry.path or Path()
        work = partial(make_overviews, path, image)
        job = self._slow_lane.submit(work, f"Overviews of {path.name}")
        job.progressed.connect(self.pixels_made)
        job.finished.connect(image.give_up)  # unless they are complete
        job.finished.connect(self.pixels_made)
        job.failed.connect(self._editor.fail)
        self._shelf.hold_during(entry, job)
        self.job_started.emit(job)

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


def _prepare(report: Report) -> None:
    """Be ready to open the next file."""
    from segdesk.engine.probe import prepare

    prepare()
