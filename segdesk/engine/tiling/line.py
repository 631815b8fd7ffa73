"""Where tiles lie along one side of an image, and which of them decides about which pixel.

Neighbours overlap. The outer quarter of an overlap is not trusted: a model sees too little of what
lies around it there. In the middle half, the ramp, both tiles count: one less and less, the other
more and more. What lies between two ramps is a core, which one tile decides alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

_FINEST = 32  # tiles begin at multiples of it: most models have a score for 4, 8, 16 or 32 pixels


@dataclass(frozen=True)
class Line:
    """Tiles along one axis, in pixels at the resolution of the tiles."""

    size: int  # of a tile
    starts: tuple[int, ...]  # rising; neighbours overlap
    ramp: int  # width of all ramps
    step: int  # starts and ramps are multiples of it, counted from the first start

    @classmethod
    def over(cls, start: int, stop: int, extent: int, size: int, overlap: int) -> Line:
        """Return the tiles that cover ``start`` to ``stop`` of an axis of ``extent`` pixels.

        The last tile may reach beyond the extent, by less than ``step``; a single one also where
        the extent is smaller than a tile.
        """
        step = alignment(size)
        overlap = sound_overlap(size, overlap)
        if stop - start <= size:
            middle = (start + stop - size) // 2
            return cls(size, (max(0, min(middle, extent - size)),), 0, step)
        steps = -(-(stop - start - size) // step)
        count = -(-steps * step // (size - overlap)) + 1
        starts = tuple(start + steps * number // (count - 1) * step for number in range(count))
        ramp = overlap // 2
        if count > 2:
            ramp = min(ramp, min(b - a for a, b in pairwise(starts)) - step)
        return cls(size, starts, max(step, ramp // step * step), step)

    def __len__(self) -> int:
        return len(self.starts)

    def cut(self, number: int) -> int:
        """Return where the part of a tile ends and that of the next begins."""
        return (self.starts[number + 1] + self.starts[number] + self.size) // 2

    def owned(self, number: int) -> tuple[int, int]:
        """Return the part (start, stop) of the axis that a tile decides in the end."""
        start = self.cut(number - 1) if number else self.starts[0]
        last = number == len(self) - 1
        return start, self.starts[-1] + self.size if last else self.cut(number)

    def trusted(self, number: int) -> tuple[int, int]:
        """Return the part (start, stop) in which a tile counts: its own and its ramps."""
        start, stop = self.owned(number)
        half = self.ramp // 2
        return start - half * (number > 0), stop + half * (number < len(self) - 1)

    def near(self, number: int) -> range:
        """Return the tiles that overlap with one, itself too."""
        start, size = self.starts[number], self.size
        over = [n for n, other in enumerate(self.starts) if abs(other - start) < size]
        return range(over[0], over[-1] + 1)


def alignment(size: int) -> int:
    """Return the largest power of two, at most 32, that divides a tile into 8 parts or more."""
    step = _FINEST
    while step > 1 and (size % step or size < 8 * step):
        step //= 2
    return step


def sound_overlap(size: int, overlap: int) -> int:
    """Return the nearest overlap that works: two steps to half a tile, in whole steps."""
    step = alignment(size)
    return max(2 * step, min(-(-overlap // step) * step, size // 2 // step * step))
