"""Rectangles of pixels. (x, y) count from the top left corner of the top left pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of whole pixels; an empty one has no width or no height."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of the window."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below the window."""
        return self.y + self.height

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of an array that fills the window."""
        return self.height, self.width

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the window in an array that starts at (0, 0)."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def __bool__(self) -> bool:
        return self.width > 0 and self.height > 0

    def intersection(self, other: Window) -> Window:
        """Return the pixels that lie in both; empty when they do not touch."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Window(x, y, max(0, right - x), max(0, bottom - y))

    def union(self, other: Window) -> Window:
        """Return the smallest window around both; an empty one adds nothing."""
        if not self or not other:
            return self or other
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Window(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def shifted(self, dx: int, dy: int) -> Window:
        """Return the window moved by (dx, dy)."""
        return Window(self.x + dx, self.y + dy, self.width, self.height)

    def padded(self, margin: int) -> Window:
        """Return the window grown by ``margin`` pixels on every side."""
        return Window(
            self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin
        )

    def at_level(self, level: int) -> Window:
        """Return the window that covers this one at a level of half, quarter, ... size."""
        step = 1 << level
        x, y = self.x // step, self.y // step
        return Window(x, y, -(-self.right // step) - x, -(-self.bottom // step) - y)

    def tiles(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield (column, row) of every ``size`` x ``size`` tile that the window touches."""
        if not self:
            return
        for row in range(self.y // size, -(-self.bottom // size)):
            for column in range(self.x // size, -(-self.right // size)):
                yield column, row
