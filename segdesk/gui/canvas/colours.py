"""The colour of every segment of a layer, as a table in which pixels are looked up."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.segmentation import Segment
from segdesk.engine.layer import Layer, LayerState

DENSE = 2**20  # ids below it are places in the table themselves
_WHITE, _BLACK = 0xFFFFFFFF, 0xFF101010

Colours = NDArray[np.uint32]  # premultiplied ARGB
Places = NDArray[np.int32]


class ColourTable:
    """How the segments of one layer are drawn.

    Attributes
    ----------
    colours
        ``size`` colours of insides, then as many of contours, then as many of the gaps between
        the dashes of contours. The last of each is for ids that are no segments: nothing.
    has_contours, has_dashes
        Whether any contour differs from the inside, and any gap from a contour.
    """

    def __init__(self) -> None:
        self._known: dict[int, Segment] = {}
        self._look: tuple[Any, ...] = ()
        self._rgb = np.zeros((1, 3), np.uint32)
        self._is_known = np.zeros(1, np.bool_)
        self._places = _Places()
        self.colours: Colours = np.zeros(3, np.uint32)
        self.has_contours = self.has_dashes = False

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self._rgb)

    def refresh(
        self, layer: Layer, selection: frozenset[int], touched: Collection[int] | None = None
    ) -> bool:
        """Follow the layer; say whether what was on show before now looks different.

        Parameters
        ----------
        touched
            The only segments whose entries may have changed since the last call; None: any.
        """
        state = layer.state
        colouring = (state.categories, state.task, state.colour)
        look = (*colouring, state.opacity, state.display, state.is_proposal, selection)
        is_other = look != self._look
        if colouring != self._look[:3]:
            self._known, touched = {}, None
        entries: Iterable[tuple[int, Segment]] = layer.segments.items()
        if touched is not None:
            entries = [(i, layer.segments[i]) for i in touched if i in layer.segments]
        changed = [s for i, s in entries if self._known.get(i) is not s]
        is_other |= any(segment.id in self._known for segment in changed)
        self._learn(layer, changed)
        if is_other or changed:
            self._look = look
            self._mix(state, selection)
        return is_other

    def places(self, ids: NDArray[np.int32]) -> Places:
        """Return the place of the inside of each id."""
        return self._places.of(ids, self.size - 1)

    def insides(self, ids: NDArray[np.int32]) -> Colours:
        """Return the colour of the inside of each id."""
        return self.colours[: self.size].take(self.places(ids), mode="wrap")

    def _learn(self, layer: Layer, segments: list[Segment]) -> None:
        self._known.update((segment.id, segment) for segment in segments)
        new = self._places.add([segment.id for segment in segments])
        missing = max(new, default=0) + 2 - self.size
        if missing > 0:
            self._rgb = np.pad(self._rgb, ((0, missing), (0, 0)))
            self._is_known = np.pad(self._is_known, (0, missing))
        if segments:
            self._rgb[new] = [layer.colour_of(segment) for segment in segments]
            self._is_known[new] = True

    def _mix(self, state: LayerState, selection: frozenset[int]) -> None:
        """Make the colours from those of the segments and the look of the layer."""
        is_hollow = state.display == "contour"
        is_outlined = is_hollow or state.is_proposal
        selected = np.zeros(self.size, np.bool_)
        selected[self.places(np.array(sorted(selection), np.int32))] = True
        selected &= self._is_known
        opacity = 0.0 if is_hollow else state.opacity * (0.6 if state.is_proposal else 1)
        alpha = np.where(selected, min(1.0, opacity + 0.15), opacity) * self._is_known
        fill = _premultiplied(self._rgb, alpha)
        contour = _premultiplied(self._rgb, self._is_known * min(1.0, 2 * state.opacity))
        dash = np.where(selected, _WHITE, contour if is_outlined else fill)
        gap = np.where(selected, _BLACK, fill if state.is_proposal or not is_hollow else contour)
        self.colours = np.concatenate((fill, dash, gap), dtype=np.uint32, casting="unsafe")
        self.has_dashes = state.is_proposal or bool(selected.any())
        self.has_contours = is_outlined or self.has_dashes


class _Places:
    """Where in a table each id is: at its own number, or in order of arrival once ids get high."""

    def __init__(self) -> None:
        self._of_id: dict[int, int] = {}
        self._free = 0  # the first place above all others
        self._is_dense = True
        self._ids = self._places_of_ids = np.zeros(0, np.int32)

    def add(self, ids: list[int]) -> list[int]:
        """Give places to ids, and return them; what has a place keeps it."""
        self._is_dense = self._is_dense and max(ids, default=0) < DENSE
        for segment_id in ids:
            place = segment_id if self._is_dense else self._free
            self._free = max(self._free, self._of_id.setdefault(segment_id, place) + 1)
        if not self._is_dense:
            self._ids = np.array(sorted(self._of_id), np.int32)
            self._places_of_ids = np.array([self._of_id[i] for i in self._ids.tolist()], np.int32)
        return [self._of_id[segment_id] for segment_id in ids]

    def of(self, ids: NDArray[np.int32], nowhere: int) -> Places:
        """Return the places of an array of ids; ``nowhere`` for those above all that have one."""
        if self._is_dense:
            return np.minimum(ids, np.int32(nowhere))
        values, lengths = _runs(ids.ravel())
        found = np.searchsorted(self._ids[:-1], values)
        places = np.where(self._ids[found] == values, self._places_of_ids[found], nowhere)
        return places.astype(np.int32).repeat(lengths).reshape(ids.shape)


def _runs(ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Return the value and the length of each run of equal ids."""
    starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))[: ids.size]
    return ids[starts], np.diff(starts, append=ids.size)


def _premultiplied(rgb: NDArray[np.uint32], alpha: NDArray[Any]) -> Colours:
    red, green, blue = np.rint(rgb * alpha[:, np.newaxis]).astype(np.uint32).T
    opaque = np.rint(alpha * 255).astype(np.uint32)
    return opaque << 24 | red << 16 | green << 8 | blue
