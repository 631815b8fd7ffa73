"""What canvas, tools and panels share: the document, and what the user has chosen."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from PySide6.QtCore import QObject, Signal

from segdesk.core.display import Display
from segdesk.core.errors import SegdeskError
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Category
from segdesk.engine import edits
from segdesk.engine.document import Document, Update
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.threshold import Range

MAX_RADIUS = 2000.0
P = ParamSpec("P")
T = TypeVar("T")


class Editor(QObject):
    """The document on show with the choices that tools need; none of them is undoable.

    Signals
    -------
    document_changed
        Another document, or none, is on show.
    updated
        An ``Update`` of the document on show.
    prompt_added
        The user, not undo or redo, added a prompt.
    frame_changed
        Another frame of the stack is on show.
    tool_changed, category_changed, radius_changed, selection_changed, display_changed
        A choice changed.
    message
        One line for the status bar: what happened, or why it did not.
    failed
        One line that the user must not miss: what could not be done, and why.
    """

    document_changed = Signal()
    updated = Signal(object)
    prompt_added = Signal(object)
    frame_changed = Signal(int)
    tool_changed = Signal(str)
    category_changed = Signal(int)
    radius_changed = Signal(float)
    selection_changed = Signal()
    display_changed = Signal()
    message = Signal(str)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document: Document | None = None
        self.display: Display | None = None
        self.frame = 0
        self.tool = "pan"
        self.category = 1
        self.radius = 10.0  # of the brush, level-0 pixels
        self.range: Range | None = None  # of the last threshold
        self.selection: frozenset[int] = frozenset()  # segment ids of the active layer

    def show(self, document: Document | None, display: Display | None) -> None:
        """Put another document on show."""
        if self.document:
            self.document.changed.disconnect(self._on_document_changed)
        self.document, self.display, self.frame = document, display, 0
        self.selection = frozenset()
        if document:
            document.changed.connect(self._on_document_changed)
        self.document_changed.emit()

    @property
    def frames(self) -> int:
        """How many frames the image on show has."""
        return self.document.image.info.frames if self.document else 1

    def set_frame(self, frame: int) -> None:
        """Show another frame, counted from 0; the first or the last one beyond those."""
        frame = min(max(frame, 0), self.frames - 1)
        if frame != self.frame:
            self.frame = frame
            self.frame_changed.emit(frame)

    def step_frame(self, by: int) -> None:
        """Go so many frames forth, or back."""
        self.set_frame(self.frame + by)

    def set_display(self, display: Display) -> None:
        """Change how pixels become colours; the pixels stay as they are."""
        self.display = display
        self.display_changed.emit()

    def set_tool(self, tool_id: str) -> None:
        """Choose a tool."""
        if tool_id != self.tool:
            self.tool = tool_id
            self.tool_changed.emit(tool_id)

    def set_category(self, category_id: int) -> None:
        """Choose the category that tools paint; 0 is the background."""
        if category_id != self.category:
            self.category = category_id
            self.category_changed.emit(category_id)

    def set_radius(self, radius: float) -> None:
        """Choose the brush's radius in level-0 pixels, at least half a pixel."""
        radius = min(max(radius, 0.5), MAX_RADIUS)
        if radius != self.radius:
            self.radius = radius
            self.radius_changed.emit(radius)

    def select(self, segment_ids: frozenset[int]) -> None:
        """Select segments of the active layer."""
        if segment_ids != self.selection:
            self.selection = segment_ids
            self.selection_changed.emit()

    def add_prompt(self, prompt: Prompt) -> None:
        """Add a prompt to the document and tell who answers prompts."""
        if self.document:
            # The key lets a live answer join the step of its prompt.
            edits.add_prompt(self.document, prompt, f"prompt {self.document.version}")
            self.prompt_added.emit(prompt)

    def attempt(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Do what may be refused; then say why and return None."""
        try:
            return act(*args, **kwargs)
        except SegdeskError as error:
            self.failed.emit(str(error))
            return None

    def fail(self, error: Exception) -> None:
        """Say why a job has failed; what nobody foresaw goes to the log as well."""
        if isinstance(error, SegdeskError):
            self.failed.emit(str(error))
        else:
            logging.getLogger(__name__).error("A job failed", exc_info=error)
            first = next(iter(str(error).strip().splitlines()), "no reason given")
            self.failed.emit(f"Something unforeseen failed ({type(error).__name__}: {first}).")

    def layer_to_paint(self) -> Layer | None:
        """Return the active layer if it may be painted on; else say why not, and return None.

        A document without layers gets its first one.
        """
        if not self.document:
            return None
        layer = self.document.active
        if layer is None:
            state = LayerState("Layer 1", categories=default_categories())
            return edits.add_layer(self.document, state)
        if layer.state.locked or not layer.state.visible:
            why = "locked" if layer.state.locked else "hidden"
            self.message.emit(f"Layer {layer.state.name!r} is {why}.")
            return None
        return layer

    def _on_document_changed(self, update: Update) -> None:
        if update.what == "active":
            self.select(frozenset())
        self.updated.emit(update)


def default_categories() -> tuple[Category, ...]:
    """Return the categories of a first layer."""
    from segdesk.core.palette import distinct_colour

    return (
        Category(0, "background", (128, 128, 128), is_thing=False),
        Category(1, "object", distinct_colour(0)),
    )
