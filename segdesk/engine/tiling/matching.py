"""Says which masks of two tiles that overlap are the same object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window

_SAME = 0.5  # intersection over union, in the overlap, from which two masks are one object
_DENSE = 2**20  # ids up to which a list of all is no waste
_PIECE = 0.7  # intersection over the smaller, from which a mask without a partner is a piece


@dataclass(eq=False)
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
    near = [
        [(part, count) for part in side if (count := part.count_in(overlap))]
        for side in (ours, theirs)
    ]
    for i, j in np.argwhere(_touch(*([part for part, _ in side] for side in near))).tolist():
        (a, own), (b, other) = near[0][i], near[1][j]
        shared = _shared(a, b, overlap) if a.category == b.category else 0
        if shared:
            yield a, b, shared / (own + other - shared), shared / min(own, other)


def _touch(ours: Sequence[Part], theirs: Sequence[Part]) -> NDArray[np.bool_]:
    """Return the (ours, theirs) matrix of whose windows intersect."""
    a, b = (
        np.array([(w.x, w.y, w.right, w.bottom) for w in windows], np.int64).reshape(-1, 4).T
        for windows in ([part.window for part in side] for side in (ours, theirs))
    )
    left, top, right, bottom = a[..., np.newaxis]
    touching: NDArray[np.bool_] = (left < b[2]) & (b[0] < right) & (top < b[3]) & (b[1] < bottom)
    return touching


def _shared(a: Part, b: Part, overlap: Window) -> int:
    window = a.window.intersection(b.window).intersection(overlap)
    return int(np.count_nonzero(a.inside(window) & b.inside(window))) if window else 0


def _unlike(a: Part, b: Part) -> float:
    """Return how much two scores differ: among equal masks the like go together."""
    return abs((a.score or 0.0) - (b.score or 0.0))


def parts_of_ids(ids: NDArray[Any]) -> Iterator[tuple[int, Window, NDArray[np.bool_]]]:
    """Yield (id, window, mask) of every id but 0 in a (rows, columns) array."""
    from scipy import ndimage

    numbers, names = ids, None
    if int(ids.max(initial=0)) > _DENSE:  # find_objects makes a list as long as the highest
        names, found = np.unique(np.append(0, ids), return_inverse=True)
        numbers = found[1:].reshape(ids.shape)
    for number, slices in enumerate(ndimage.find_objects(numbers.astype(np.intp)), 1):
        if slices is not None:
            rows, columns = slices
            size = columns.stop - columns.start, rows.stop - rows.start
            window = Window(columns.start, rows.start, *size)
            name = number if names is None else int(names[number])
            yield name, window, numbers[slices] == number
