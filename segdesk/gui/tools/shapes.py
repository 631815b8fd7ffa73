"""Paint a region of any size as one step: tile by tile, beside the window where it is large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from segdesk.core.geometry import Window
from segdesk.core.progress import Report, each, silent
from segdesk.core.raster import Mask
from segdesk.core.tile import TILE
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.gui.tools.base import Stage
from segdesk.gui.tools.drafting import edit_beside
from segdesk.gui.tools.painting import Brushload, continued, layer_for

_QUICK = 2**22  # pixels that may be looked at on the window's thread


@dataclass(frozen=True)
class Region:
    """Pixels, part by part.

    Attributes
    ----------
    window
        All of them lie in it.
    parts
        Yields windows, and the mask of each.
    """

    window: Window
    parts: Callable[[Report], Iterator[tuple[Window, Mask]]]


def region_of(window: Window, mask: Callable[[Window], Mask]) -> Region:
    """Return the region of a shape that can tell its mask on any window."""

    def parts(report: Report) -> Iterator[tuple[Window, Mask]]:
        for column, row in each(window.tiles(TILE), report, "Painting"):
            part = Window(column * TILE, row * TILE, TILE, TILE).intersection(window)
            yield part, mask(part)

    return Region(window, parts)


def paint_region(stage: Stage, name: str, region: Region, is_new: bool = False) -> None:
    """Paint the chosen category on the frame on show, as one step."""
    editor = stage.editor
    document, layer = editor.document, layer_for(editor)
    if not document or not layer or not region.window:
        return
    grows = None if is_new else continued(editor, layer, None)
    paint = _Painting(name, layer.id, grows.id if grows else 0, editor.category, editor.frame)
    if region.window.area <= _QUICK:
        editor.attempt(paint, document, region, silent)
    else:
        edit_beside(stage, name, partial(_beside, paint, region), str)


def _beside(paint: _Painting, region: Region, document: Document, report: Report) -> str:
    paint(document, region, report)
    return f"{paint.name}: done."


@dataclass(frozen=True)
class _Painting:
    """All that has been chosen for a region before it is painted."""

    name: str
    layer_id: int
    grows: int  # the segment that goes on to grow; 0: that of the category, or a new one
    category: int
    frame: int

    def __call__(self, document: Document, region: Region, report: Report) -> None:
        layer = document.layer(self.layer_id)
        with document.edit(self.name) as edit:
            segment_id = self.grows or edits.segment_to_paint(edit, layer, self.category)
            load = Brushload(edit, layer, segment_id, self.frame)
            for window, mask in region.parts(report):
                load.paint(window, mask)
