"""The document: an image, its layers and prompts, and one history for all of it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from segdesk.core.errors import SegdeskError
from segdesk.core.events import Event
from segdesk.core.geometry import Window
from segdesk.core.history import BUDGET, History, Step
from segdesk.core.image import ImageSource
from segdesk.core.labelmap import LabelMap
from segdesk.core.prompts import Prompt
from segdesk.core.segmentation import Segmentation
from segdesk.engine.edit import Edit
from segdesk.engine.layer import Layer, LayerState

What = Literal["layers", "layer", "tiles", "segments", "prompts", "active", "history"]


@dataclass(frozen=True, slots=True)
class Update:
    """What has just changed: for whoever shows it."""

    what: What
    layer_id: int = 0
    window: Window | None = None  # "tiles": where; None = anywhere
    frame: int | None = None  # "tiles": on which frame; None = on any
    segments: Collection[int] = ()  # "segments": those whose entries changed


class Document:
    """An image with its layers (bottom to top) and prompts.

    Attributes
    ----------
    changed
        Emits an ``Update`` after every change, in the thread that made it.
    history
        Every change but the choice of the active layer.
    version
        Grows with every change: an answer to an older version is late.
    """

    def __init__(self, image: ImageSource, budget: int = BUDGET) -> None:
        self.image = image
        self.layers: tuple[Layer, ...] = ()
        self.prompts: tuple[Prompt, ...] = ()
        self.changed: Event[Update] = Event()
        self.history: History[Document] = History(self, budget)
        self.version = 0
        self._active = 0
        self._last_layer_id = 0
        self._open: Edit | None = None
        self._revision = 0  # grows with every step, undo and redo
        self._origin: tuple[Document, int] | None = None  # of a draft

    @property
    def active(self) -> Layer | None:
        """The layer that tools work on."""
        return next((layer for layer in self.layers if layer.id == self._active), None)

    def activate(self, layer_id: int) -> None:
        """Choose the layer that tools work on; 0 for none."""
        if layer_id != self._active:
            self._active = layer_id
            self.notify("active", layer_id)

    def layer(self, layer_id: int) -> Layer:
        """Return a layer by id; KeyError when there is none."""
        for layer in self.layers:
            if layer.id == layer_id:
                return layer
        raise KeyError(layer_id)

    def new_layer(self, state: LayerState, content: Segmentation | None = None) -> Layer:
        """Return a layer of the image's size, by default an empty one; not yet in the document."""
        self._last_layer_id += 1
        info = self.image.info
        if content:
            return Layer.of(self._last_layer_id, state, content)
        return Layer(self._last_layer_id, state, LabelMap(info.width, info.height, info.frames))

    def begin(self, name: str, key: str = "") -> Edit:
        """Start an edit that goes on for a while, such as a brush stroke: then commit it.

        One that is still open is committed first, so that steps never interleave; what is added
        to it later becomes a step of its own.
        """
        edit = Edit(self, name, key)
        self.resume(edit)
        return edit

    @contextmanager
    def edit(self, name: str, key: str = "") -> Iterator[Edit]:
        """Make all changes inside one step that can be undone; none of them after an error."""
        edit = self.begin(name, key)
        try:
            yield edit
        except BaseException:
            edit.roll_back()
            raise
        edit.commit()

    def undo(self) -> str:
        """Take back the last step; return its name, empty when there was none."""
        self._finish()
        step = self.history.undo()
        if step is None:
            return ""
        self._revision += 1
        self.notify("history")
        return step.name

    def redo(self) -> str:
        """Make the next step again; return its name, empty when there was none."""
        self._finish()
        step = self.history.redo()
        if step is None:
            return ""
        self._revision += 1
        self.notify("history")
        return step.name

    def go_to(self, done: int) -> None:
        """Undo or redo until so many steps are done. Raises ``ProjectError`` as ``undo`` does."""
        while self.history.done > done and self.undo():
            pass
        while self.history.done < done and self.redo():
            pass

    def clear_history(self) -> None:
        """Forget all steps: what they have made stays, and cannot be undone any more."""
        self._finish()
        self._revision += 1
        self.history.clear()
        self.notify("history")

    def draft(self) -> Document:
        """Return a copy without a history, for another thread: edit it there, then ``adopt`` it.

        It forgets no step, whatever the budget: ``adopt`` needs all of them.

        Tiles are shared until one of the two is written to.
        """
        self._finish()
        draft = Document(self.image, sys.maxsize)
        draft.layers = tuple(layer.copy() for layer in self.layers)
        draft.prompts, draft.version = self.prompts, self.version
        draft._active, draft._last_layer_id = self._active, self._last_layer_id
        draft._origin = self, self._revision
        return draft

    def adopt(self, draft: Document) -> None:
        """Take over all steps of a draft, as if they had been made here.

        Raises ``SegdeskError``, and changes nothing, when this document is not as it was when
        the draft was made.
        """
        self._finish()
        if draft._origin != (self, self._revision):
            raise SegdeskError("Nothing was changed: the layers have been edited meanwhile.")
        self._last_layer_id, active = draft._last_layer_id, draft._active
        steps = draft.history.steps[: draft.history.done]
        while draft.history.undo():  # so that the layers it added are as they were then
            pass
        for step in steps:
            for change in step.changes or ():
                change.redo(self)
            self.push(step)
        self.activate(active)

    # For Edit, the changes of the history and the project file only.

    @property
    def last_layer_id(self) -> int:
        """The highest layer id that was ever given."""
        return self._last_layer_id

    def restore(
        self, layers: tuple[Layer, ...], prompts: tuple[Prompt, ...], last_layer_id: int
    ) -> None:
        """Take over what a project file has kept; for a document that nobody shows yet."""
        self.layers, self.prompts, self._last_layer_id = layers, prompts, last_layer_id
        self._active = layers[-1].id if layers else 0

    def push(self, step: Step[Document]) -> None:
        """Add a step that has just been done to the history."""
        self._revision += 1
        self.history.push(step)
        self.notify("history")

    def resume(self, edit: Edit) -> None:
        """Make an edit the open one, as it is about to change something."""
        if edit is not self._open:
            self._finish()
            self._open = edit

    def notify(
        self,
        what: What,
        layer_id: int = 0,
        window: Window | None = None,
        frame: int | None = None,
        segments: Collection[int] = (),
    ) -> None:
        """Tell the listeners."""
        self.version += 1
        self.changed.emit(Update(what, layer_id, window, frame, segments))

    def put_layers(self, layers: tuple[Layer, ...]) -> None:
        """Replace the list of layers; the active one stays when it is still there."""
        self.layers = layers
        self.notify("layers")
        if self.active is None:
            self.activate(layers[-1].id if layers else 0)

    def put_prompts(self, prompts: tuple[Prompt, ...]) -> None:
        """Replace the prompts."""
        self.prompts = prompts
        self.notify("prompts")

    def _finish(self) -> None:
        """Commit the edit that is open, if any."""
        if self._open:
            self._open.commit()
            self._open = None
