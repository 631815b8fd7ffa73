"""Says which masks of two tiles that overlap are the same object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window

_SAME = 0.5  # intersection over union, in the overlap, from which two masks are one object
_PIECE = 0.7  # intersection over the smaller, from which a mask without a partner is a piece


@dataclass
class Part:
    """What one tile shows of an object."""

    mask: NDArray[np.bool_]  # of `window`
    window: Window  # in pixels of the plan
    category: int
    score: float | None = None
    id: int = 0  # of its segment; 0: none yet

    def count_in(self, window: Window) -> int:
        """Return how many of its pixels lie in a window."""
        return int(np.count_nonzero(self.inside(window)))

    def inside(self, window: Window) -> NDArray[np.bool_]:
        """Return its mask in the intersection with a window."""
        part = self.window.intersection(window)
        return self.mask[part.shifted(-self.window.x, -self.window.y).slices]


def matches(
    ours: Sequence[Part], theirs: Sequence[Part], overlap: Window
) -> Iterator[tuple[Part, Part]]:
    """Yield the pairs that are one object.

    First each mask goes with the one that covers most of the same pixels of the overlap. One that
    is left without a partner goes with the one that it is a piece of, or has as a piece: the other
    tile sees how pieces hang together.
    """
    pairs = list(_pairs(ours, theirs, overlap))
    taken: set[int] = set()
    for a, b, union, _ in sorted(pairs, key=lambda p: (-p[2], _unlike(p[0], p[1]))):
        if union >= _SAME and taken.isdisjoint((id(a), id(b))):
            taken |= {id(a), id(b)}
            yield a, b
    left: set[int] = set()
    for a, b, _, smaller in sorted(pairs, key=lambda p: -p[3]):
        alone = {id(a), id(b)} - taken - left
        if smaller >= _PIECE and alone:
            left |= alone
            yield a, b


def _pairs(
    ours: Sequence[Part], theirs: Sequence[Part], overlap: Window
) -> Iterator[tuple[Part, Part, float, float]]:
    """Yield pairs that share pixels, with intersection over union and over the smaller."""
    counted = [(b, b.count_in(overlap)) for b in theirs]
    for a in ours:
        own = a.count_in(overlap)
        for b, other in counted if own else ():
            shared = _shared(a, b, overlap) if other and a.category == b.category else 0
            if shared:
                yield a, b, shared / (own + other - shared), shared / min(own, other)


def _shared(a: Part, b: Part, overlap: Window) -> int:
    window = a.window.intersection(b.window).intersection(overlap)
    return int(np.count_nonzero(a.inside(window) & b.inside(window))) if window else 0


def _unlike(a: Part, b: Part) -> float:
    """Return how much two scores differ: among equal masks the like go together."""
    return abs((a.score or 0.0) - (b.score or 0.0))


def parts_of_ids(ids: NDArray[Any]) -> Iterator[tuple[int, Window, NDArray[np.bool_]]]:
    """Yield (id, window, mask) of every id but 0 in a (rows, columns) array."""
    from scipy import ndimage

    present, places = np.unique(ids, return_inverse=True)
    places = places.reshape(ids.shape)
    first = 1 if present[0] else 0  # find_objects counts from 1 and leaves 0 out
    for number, slices in enumerate(ndimage.find_objects(places + first)):
        segment = int(present[number + 1 - first]) if number + 1 - first < len(present) else 0
        if slices is None or not segment:
            continue
        rows, columns = slices
        window = Window(
            columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start
        )
        yield segment, window, places[slices] == number + 1 - first
