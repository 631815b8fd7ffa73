"""What a threshold would paint, on the canvas, before it is painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRectF, Signal

from segdesk.core.chosen import Chosen
from segdesk.core.display import Display
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo
from segdesk.core.progress import Report
from segdesk.engine.layer import Layer
from segdesk.engine.threshold import Place, Range, values_of
from segdesk.gui.canvas import Canvas
from segdesk.gui.editor import Editor
from segdesk.gui.operating import Operating
from segdesk.gui.tools.painting import categories_of, continued, image_window, layer_for
from segdesk.gui.tools.sketch import colour_of


@dataclass(frozen=True)
class Seen:
    """Values of the pixels on show, and which of them they are."""

    values: NDArray[Any]  # (rows, columns)
    level: int
    window: Window  # in pixels of the level


class Thresholding(QObject):
    """A threshold in the making.

    Signals
    -------
    seen
        The values of what is on show are there, as ``Seen``.
    """

    seen = Signal(object)

    def __init__(self, editor: Editor, operating: Operating, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._editor, self._operating, self._canvas = editor, operating, canvas
        self._seen: Seen | None = None
        self.layer = layer_for(editor)

    @property
    def info(self) -> ImageInfo:
        """Facts of the image."""
        assert self._editor.document is not None
        return self._editor.document.image.info

    @property
    def display(self) -> Display | None:
        """How the image is displayed."""
        return self._editor.display

    @property
    def category(self) -> str:
        """Name of what is painted."""
        named = {c.id: c.name for c in categories_of(self._editor)}
        return named.get(self._editor.category, "background")

    @property
    def has_selection(self) -> bool:
        """Whether segments are selected."""
        return bool(self._editor.selection)

    def look(self, within: Range) -> None:
        """Read the values of what is on show, in the background."""
        document, frame = self._editor.document, self._editor.frame
        picture = self._canvas.picture()
        level, window = picture.level, picture.window
        assert document is not None
        source = document.image

        def work(report: Report) -> Seen:
            return Seen(values_of(source.read(window, level, frame), within), level, window)

        job = self._canvas.lane.submit(work, "Reading values")
        job.succeeded.connect(self._on_read)
        job.failed.connect(self._editor.fail)

    def place(self, where: str, over: bool) -> Place | None:
        """Return where to paint: in the "selection", the "view" or the "image"."""
        if not self.layer:
            return None
        window = self._canvas.visible_window() if where == "view" else image_window(self._editor)
        inside = self._editor.selection if where == "selection" else None
        segment = continued(self._editor, self.layer, None) if inside is None else None
        grows = segment.id if segment else 0
        return Place(self.layer.id, window, self._editor.frame, inside, over, segment_id=grows)

    def preview(self, place: Place, within: Range) -> float:
        """Show what would be painted, and return its share of what is on show."""
        if not self._seen or not self.layer:
            return 0.0
        values, level, window = self._seen.values, self._seen.level, self._seen.window
        mask = (values >= within.low) & (values <= within.high)
        mask &= _allowed(self.layer, place, window, level, self._editor.category)
        step = 1 << level
        rect = QRectF(window.x, window.y, window.width, window.height)
        at = QRectF(rect.x() * step, rect.y() * step, rect.width() * step, rect.height() * step)
        colour = colour_of(self._editor.category, categories_of(self._editor))
        self._canvas.show_shade((mask, at, colour))
        return float(mask.mean()) if mask.size else 0.0

    def stop(self) -> None:
        """Show nothing any more."""
        self._canvas.show_shade(None)

    def paint(self, place: Place, within: Range) -> None:
        """Paint it, in the background; the threshold brush goes on with the range."""
        self._editor.range = within
        self._operating.paint_range(place, within)

    def _on_read(self, seen: Seen) -> None:
        self._seen = seen
        self.seen.emit(seen)


def _allowed(
    layer: Layer, place: Place, window: Window, level: int, category: int
) -> NDArray[np.bool_]:
    """Return which pixels of a level may be painted, whatever their value."""
    planes = [plane.read(window, level, place.frame) for plane in layer.planes]
    if place.inside is not None:
        inside: NDArray[np.bool_] = Chosen(place.inside).mask(np.stack(planes)).any(0)
        return inside
    if category == 0:
        painted: NDArray[np.bool_] = (np.stack(planes) > 0).any(0)
        return painted
    return (planes[0] == 0) | place.over
