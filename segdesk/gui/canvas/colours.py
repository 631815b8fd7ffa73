"""The colour of every segment of a layer, as tables that pixels are looked up in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.segmentation import Segment
from segdesk.engine.layer import Layer, LayerState

LIMIT = 2**22  # ids from here on share the colours of lower ones
_WHITE, _BLACK = 0xFFFFFFFF, 0xFF101010

Colours = NDArray[np.uint32]  # premultiplied ARGB


class ColourTable:
    """How the segments of one layer are drawn, by id.

    Attributes
    ----------
    colours
        Premultiplied ARGB: ``size`` colours inside of segments, then as many on their contours,
        then as many in the gaps between the dashes of contours.
    has_contours, has_dashes
        Whether any contour differs from the inside, and any gap from a contour.
    """

    def __init__(self) -> None:
        self._known: dict[int, Segment] = {}
        self._look: tuple[Any, ...] = ()
        self._rgb = np.zeros((1, 3), np.uint32)
        self._is_known = np.zeros(1, np.bool_)
        self.colours = np.zeros(3, np.uint32)
        self.has_contours = self.has_dashes = False

    @property
    def size(self) -> int:
        """How many ids have colours."""
        return len(self._rgb)

    def refresh(self, layer: Layer, selection: frozenset[int]) -> bool:
        """Follow the layer; say whether what was on show before now looks different."""
        look = (layer.state.categories, layer.state.task, layer.state.colour)
        is_other = look != self._look[:3]
        if is_other:
            self._known = {}
        changed = [s for i, s in layer.segments.items() if self._known.get(i) is not s]
        recoloured = is_other or any(segment.id in self._known for segment in changed)
        self._learn(layer, changed)
        rest = (layer.state.opacity, layer.state.display, layer.state.is_proposal, selection)
        recoloured = recoloured or rest != self._look[3:]
        if recoloured or changed:
            self._look = (*look, *rest)
            self._fill_tables(layer.state, selection)
        return recoloured

    def places(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return where in the first part of ``colours`` to look for some ids."""
        return np.minimum(ids, self.size - 1) if self.size < LIMIT else ids % LIMIT

    def _learn(self, layer: Layer, segments: list[Segment]) -> None:
        highest = max((segment.id for segment in segments), default=0)
        self._grow(min(highest + 2, LIMIT))
        for segment in segments:
            self._known[segment.id] = segment
            place = segment.id % LIMIT
            self._rgb[place] = layer.colour_of(segment)
            self._is_known[place] = True

    def _grow(self, size: int) -> None:
        """Make room; the last place stays free: all ids beyond the tables end there."""
        missing = size - len(self._rgb)
        if missing > 0:
            self._rgb = np.pad(self._rgb, ((0, missing), (0, 0)))
            self._is_known = np.pad(self._is_known, (0, missing))

    def _fill_tables(self, state: LayerState, selection: frozenset[int]) -> None:
        selected = np.zeros(len(self._rgb), np.bool_)
        selected[[i % LIMIT for i in selection if i % LIMIT < len(selected)]] = True
        selected &= self._is_known
        is_outlined = state.display == "contour" or state.is_proposal
        opacity = 0.0 if state.display == "contour" else state.opacity
        opacity = opacity * 0.6 if state.is_proposal else opacity
        alpha = np.where(selected, min(1.0, opacity + 0.15), opacity) * self._is_known
        fill = _premultiplied(self._rgb, alpha)
        contour = _premultiplied(self._rgb, self._is_known * min(1.0, 2 * state.opacity))
        dash = contour if is_outlined else fill
        gap = contour if state.display == "contour" and not state.is_proposal else fill
        dash, gap = np.where(selected, _WHITE, dash), np.where(selected, _BLACK, gap)
        self.colours = np.concatenate((fill, dash, gap), dtype=np.uint32, casting="unsafe")
        self.has_dashes = state.is_proposal or bool(selected.any())
        self.has_contours = is_outlined or self.has_dashes


def _premultiplied(rgb: NDArray[np.uint32], alpha: NDArray[Any]) -> Colours:
    red, green, blue = np.rint(rgb * alpha[:, np.newaxis]).astype(np.uint32).T
    opaque = np.rint(alpha * 255).astype(np.uint32)
    return opaque << 24 | red << 16 | green << 8 | blue
