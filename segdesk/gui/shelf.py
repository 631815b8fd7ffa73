"""The documents that have been on show: going to another image never loses what was done here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from segdesk.core.display import Display
from segdesk.core.segmentation import Category
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.gui.editor import default_categories
from segdesk.gui.lanes import Job

FIRST_LAYER = "Layer 1"


@dataclass(eq=False)
class Entry:
    """A document with what the window knows about it.

    Attributes
    ----------
    key
        Names its pixels: equal keys, equal pixels.
    path
        The file of the image; None for one from the clipboard.
    exported
        Number of the last step of the history at the last export.
    users
        How many need the image's pixels: the canvas, and jobs. Without any it is closed.
    is_open
        Whether the image can be read.
    """

    document: Document
    display: Display
    key: str
    path: Path | None = None
    exported: int = 0
    users: int = 0
    is_open: bool = True

    @property
    def name(self) -> str:
        """What to call the image."""
        return self.path.name if self.path else self.document.image.info.name

    @property
    def last_step(self) -> int:
        """Number of the last step of its history; 0 where there is none."""
        last = self.document.history.last
        return last.number if last else 0

    @property
    def has_work(self) -> bool:
        """Whether anything has been painted or prompted."""
        painted = any(layer.areas and not layer.state.is_proposal for layer in self.document.layers)
        return painted or bool(self.document.prompts)

    @property
    def is_unsaved(self) -> bool:
        """Whether it holds work that no export has."""
        return self.has_work and self.last_step != self.exported


class Shelf:
    """Keeps every document with a history; one without goes when another comes on show."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self.current: Entry | None = None

    def find(self, path: Path) -> Entry | None:
        """Return the entry of a file."""
        return next((entry for entry in self._entries if entry.path == path), None)

    def holds(self, document: Document) -> bool:
        """Say whether a document is still kept."""
        return any(entry.document is document for entry in self._entries)

    def put(self, entry: Entry) -> None:
        """Put an entry on show."""
        last, self.current = self.current, entry
        if last is entry:
            return
        if entry not in self._entries:
            self._entries.append(entry)
        entry.users += 1
        if last:
            self.let_go(last)

    def hold_during(self, entry: Entry, job: Job) -> None:
        """Keep an image open until a job has ended."""
        entry.users += 1
        job.finished.connect(partial(self.let_go, entry))

    def let_go(self, entry: Entry) -> None:
        """Close an image that nobody needs any more, and forget a document without a history."""
        entry.users -= 1
        if entry.users:
            return
        entry.is_open = False
        entry.document.image.close()
        if entry.document.history.last is None and entry in self._entries:
            self._entries.remove(entry)

    def unsaved(self) -> list[Entry]:
        """Return all entries with work that no export has."""
        return [entry for entry in self._entries if entry.is_unsaved]

    def close(self) -> None:
        """Let go of all files."""
        for entry in self._entries:
            entry.document.image.close()
        self._entries.clear()
        self.current = None


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
