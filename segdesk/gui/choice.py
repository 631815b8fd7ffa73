"""What the user has chosen to segment with."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from segdesk.api import SegmenterSpec
from segdesk.core.prompts import Box, Example, Mask, Points, Prompt, Scribble, Text
from segdesk.core.segmentation import Category
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.gui.tiled import TileOptions

FIRST_SEGMENTER = "scribble"
_HOW: dict[type[Any], str] = {
    Scribble: "scribble a few strokes for each category",
    Points: "click points on what to segment",
    Box: "draw a box around what to segment",
    Mask: "paint a rough mask",
    Text: "name what to look for",
    Example: "use a finished image as an example",
}


_TOOLS: dict[type[Any], str] = {Scribble: "scribble", Box: "box", Points: "points"}


class Choice(QObject):
    """The segmenter with its checkpoint, options and examples.

    Signals
    -------
    changed
        Something else has been chosen.
    tuned
        An option, or whether to answer live, has changed.
    """

    changed = Signal()
    tuned = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._options: dict[str, Any] = {}
        self._segmenter_id = FIRST_SEGMENTER
        self._checkpoints: dict[str, str] = {}
        self.live = True
        self.examples: tuple[Example, ...] = ()
        self.tiles = TileOptions()

    @property
    def spec(self) -> SegmenterSpec | None:
        """The chosen segmenter; None while no plugin offers one."""
        table = registry().segmenters
        return table.get(self._segmenter_id) or next(iter(table.values()), None)

    @property
    def options(self) -> Any:
        """The chosen segmenter's options; None where it has none."""
        spec = self.spec
        if not spec or not spec.options:
            return None
        return self._options.get(spec.id) or spec.options()

    @property
    def checkpoint(self) -> str:
        """Hub id or folder of the weights, at first the one suggested first; empty for none."""
        spec = self.spec
        suggested = spec.checkpoints[0].ref if spec and spec.checkpoints else ""
        return self._checkpoints.get(spec.id, suggested) if spec else ""

    @property
    def is_live(self) -> bool:
        """Whether every prompt is to be answered at once."""
        return self.live and self.spec is not None and self.spec.live

    def choose(self, segmenter_id: str) -> None:
        """Choose a segmenter; its checkpoint and options are those that it had before."""
        self._segmenter_id = segmenter_id
        self.changed.emit()

    def set_checkpoint(self, ref: str) -> None:
        """Choose weights by Hub id or folder."""
        if self.spec and ref != self.checkpoint:
            self._checkpoints[self.spec.id] = ref
            self.changed.emit()

    def set_options(self, options: Any) -> None:
        """Set the options of the chosen segmenter."""
        if self.spec and options is not None:
            self._options[self.spec.id] = options
            self.tuned.emit()

    def set_tiles(self, tiles: TileOptions) -> None:
        """Set how images are cut into tiles."""
        self.tiles = tiles

    def set_live(self, live: bool) -> None:
        """Answer after every prompt, or only when asked to."""
        self.live = live
        self.tuned.emit()

    def set_examples(self, examples: tuple[Example, ...]) -> None:
        """Set the images with masks to learn from."""
        self.examples = examples
        self.changed.emit()

    def prompts(self, own: tuple[Prompt, ...]) -> tuple[Prompt, ...]:
        """Return those of a document's prompts, and examples, that the segmenter takes."""
        kinds = tuple(self.spec.prompts) if self.spec else ()
        return tuple(p for p in (*self.examples, *own) if isinstance(p, kinds))

    def refusal(self, own: tuple[Prompt, ...]) -> str:
        """Return what is missing to segment an image with these prompts; empty for nothing."""
        spec = self.spec
        if not spec:
            return "No plugin offers a segmenter: see Help > Plugins."
        if spec.needs_checkpoint and not self.checkpoint:
            return "Choose a checkpoint first: a folder, or an id on the Hugging Face Hub."
        if spec.prompts and not self.prompts(own):
            return f"Nothing to go by yet: {self.hint()}."
        return ""

    def take(self, prompt: Prompt) -> bool:
        """Choose a segmenter that takes a prompt, unless the chosen one does; say whether one does.

        Those that answer live come first.
        """
        if self.spec and type(prompt) in self.spec.prompts:
            return True
        fits = [o for o in registry().segmenters.values() if type(prompt) in o.prompts]
        fits.sort(key=lambda spec: not spec.live)
        if fits:
            self.choose(fits[0].id)
        return bool(fits)

    def tool(self) -> str:
        """Return the id of the tool that makes the prompts it takes; empty when there is none."""
        kinds = self.spec.prompts if self.spec else frozenset()
        return next((tool for kind, tool in _TOOLS.items() if kind in kinds), "")

    def hint(self) -> str:
        """Return in words which prompts the segmenter takes; empty when it needs none."""
        kinds = self.spec.prompts if self.spec else frozenset()
        return " or ".join(words for kind, words in _HOW.items() if kind in kinds)

    def job(self, own: tuple[Prompt, ...], categories: tuple[Category, ...]) -> SegmentJob:
        """Return the job for an image with prompts and categories of its own."""
        spec = self.spec
        return SegmentJob(
            spec.id if spec else self._segmenter_id,
            self.checkpoint,
            prompts=self.prompts(own),
            categories=categories,
            options=self.options,
        )
