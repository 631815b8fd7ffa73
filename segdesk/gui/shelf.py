"""The documents of the window: those of its project, and the one that is only looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from segdesk.core.display import Display
from segdesk.core.segmentation import Category
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.gui.editor import default_categories
from segdesk.gui.keeping import FirstEdit, Keeping
from segdesk.gui.lanes import Job
from segdesk.gui.loading import Kept

if TYPE_CHECKING:
    from segdesk.engine.project.project import Project
    from segdesk.engine.project.reading import ProjectImage

FIRST_LAYER = "Layer 1"


@dataclass(eq=False)
class Entry:
    """A document with what the window knows about it.

    Attributes
    ----------
    key
        Names its pixels: equal keys, equal pixels.
    file
        The file of the image; None for one from the clipboard.
    image
        What the project knows of it; None as long as nothing was edited.
    users
        How many need the image's pixels: the canvas, and jobs. Without any it is closed.
    is_open
        Whether the image can be read.
    """

    document: Document
    display: Display
    key: str
    file: Path | None = None
    image: ProjectImage | None = None
    users: int = 0
    is_open: bool = True

    @property
    def path(self) -> Path | None:
        """Where the file of the image is; None for one that is in no file."""
        return path_of(self.image) if self.image else self.file

    @property
    def name(self) -> str:
        """What to call the image."""
        if self.image:
            return self.image.name
        return self.file.name if self.file else self.document.image.info.name

    @property
    def problem(self) -> str:
        """Why the image is blank; empty when it is not."""
        return self.image.problem if self.image else ""

    @property
    def has_work(self) -> bool:
        """Whether anything has been painted or prompted."""
        painted = any(layer.areas and not layer.state.is_proposal for layer in self.document.layers)
        return painted or bool(self.document.prompts)


class Shelf:
    """Knows the entries of the project's images, and the one on show.

    A document without an edit belongs to no project, and goes when another comes on show.
    """

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._kept: dict[int, Entry] = {}  # by the number of the project's image
        self._used: set[Entry] = set()  # on show, or needed by jobs
        self.current: Entry | None = None

    def find(self, path: Path) -> ProjectImage | None:
        """Return the image of the project that is in a file."""
        project = self._keeping.project
        images = project.images if project else ()
        return next((image for image in images if path_of(image) == path), None)

    def looked_at(self, path: Path) -> Entry | None:
        """Return the entry of a file that is open and belongs to no project."""
        return next((e for e in self._used if e.image is None and e.path == path), None)

    def entry(self, image: int) -> Entry | None:
        """Return the entry of an image of the project, if it has been on show."""
        return self._kept.get(image)

    def holds(self, document: Document) -> bool:
        """Say whether a document is still needed."""
        entries = {*self._kept.values(), *self._used}
        return any(entry.document is document for entry in entries)

    def put(self, entry: Entry | None) -> None:
        """Put an entry on show, or nothing."""
        last, self.current = self.current, entry
        if last is entry:
            return
        if entry:
            self._use(entry)
            if entry.image:
                self._kept[entry.image.id] = entry
            else:
                entry.document.history.recorder = FirstEdit(partial(self.keep, entry))
        if last:
            self.let_go(last)

    def keep(self, entry: Entry) -> None:
        """Add an entry to the project, which is made if need be."""
        entry.image = self._keeping.attach(entry.document)
        self._kept[entry.image.id] = entry
        self._keeping.images_changed.emit()

    def receive(self, project: Project, kept: Kept) -> Entry:
        """Return the entry of an image of the project that was just opened."""
        entry = self._kept.get(kept.image)
        if kept.read:
            document = project.take(kept.read)
            document.image = kept.found.source
            if not document.layers and not document.history.names:
                put_first_layer(document, default_categories())
            entry = Entry(document, kept.display, kept.key, None, project.image(kept.image))
        else:
            assert entry is not None, "a document that is known has an entry"
            project.show(kept.image, kept.found)
            entry.key, entry.is_open = kept.key, True
        return entry

    def drop(self, image: int) -> None:
        """Forget the entry of an image that has left the project."""
        entry = self._kept.pop(image, None)
        if entry and entry is self.current:
            self.put(None)

    def hold_during(self, entry: Entry, job: Job) -> None:
        """Keep an image open until a job has ended."""
        self._use(entry)
        job.finished.connect(partial(self.let_go, entry))

    def let_go(self, entry: Entry) -> None:
        """Close an image that nobody needs any more."""
        entry.users -= 1
        if not entry.users:
            entry.is_open = False
            entry.document.image.close()
            self._used.discard(entry)

    def unnamed(self) -> list[str]:
        """Return the names of images with work that no project with a name keeps."""
        project = self._keeping.project
        if not project or not project.is_unsaved or not project.has_work:
            return []
        return [image.name for image in project.images if self._has_work(image)]

    def clear(self) -> None:
        """Forget all entries: the project is left."""
        if self.current and self.current.image:
            self.put(None)
        self._kept.clear()

    def close(self) -> None:
        """Let go of all files."""
        for entry in {*self._kept.values(), *self._used}:
            entry.document.image.close()
        self._kept.clear()
        self._used.clear()
        self.current = None

    def _use(self, entry: Entry) -> None:
        entry.users += 1
        self._used.add(entry)

    def _has_work(self, image: ProjectImage) -> bool:
        """Say whether there is work on an image; what was not looked at may be any."""
        entry = self._kept.get(image.id)
        return entry is None or entry.has_work


def path_of(image: ProjectImage) -> Path | None:
    """Return where the file of a project's image is; None when its pixels are in the project."""
    return Path(image.link.path) if image.link else None


def categories_of(document: Document | None) -> tuple[Category, ...]:
    """Return the categories of the active layer, else those of a first layer."""
    layer = document.active if document else None
    return layer.state.categories if layer else default_categories()


def own_categories(document: Document | None) -> tuple[Category, ...]:
    """Return the categories of the topmost layer that is no proposal: the next image's too."""
    layers = reversed(document.layers) if document else ()
    own = next((layer for layer in layers if not layer.state.is_proposal), None)
    return own.state.categories if own else default_categories()


def put_first_layer(document: Document, categories: tuple[Category, ...]) -> None:
    """Give a new document an empty layer to paint on, which is no step to undo."""
    document.put_layers((document.new_layer(LayerState(FIRST_LAYER, categories=categories)),))
