"""How the pixels of one TIFF page lie in the file: all that reading them needs to know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.api import Window


@dataclass(frozen=True)
class Segment:
    """A strip or tile that a window touches."""

    index: int
    plane: int
    x: int
    y: int


@dataclass(frozen=True)
class Grid:
    """How a page is cut into segments: tiles, or strips as wide as the page."""

    width: int  # of the page
    height: int
    across: int  # pixels of a segment
    down: int
    separate: int  # planes of samples stored one after the other
    together: int  # samples stored pixel by pixel

    @classmethod
    def of(cls, page: Any) -> Grid:
        """Read it off a keyframe."""
        separate, _, height, width, together = page.shaped
        down = page.tilelength if page.is_tiled else min(page.rowsperstrip, height)
        across = page.tilewidth if page.is_tiled else width
        return cls(width, height, across, down, separate, together)

    @property
    def count(self) -> int:
        """Number of segments of the page."""
        return self.separate * -(-self.width // self.across) * -(-self.height // self.down)

    def samples(self, plane: int) -> slice:
        """Return which samples of a pixel a plane holds."""
        return slice(plane * self.together, (plane + 1) * self.together)

    def touched(self, window: Window) -> Iterator[Segment]:
        """Yield each segment that a window touches."""
        columns, rows = -(-self.width // self.across), -(-self.height // self.down)
        for plane in range(self.separate):
            for row in range(window.y // self.down, -(-window.bottom // self.down)):
                for column in range(window.x // self.across, -(-window.right // self.across)):
                    index = (plane * rows + row) * columns + column
                    yield Segment(index, plane, column * self.across, row * self.down)


@dataclass(frozen=True)
class StoredPage:
    """Everything that is in tifffile's page, which itself is not made for several threads."""

    grid: Grid
    offsets: NDArray[np.int64] = field(repr=False)
    counts: NDArray[np.int64] = field(repr=False)  # bytes
    dtype: np.dtype[Any]  # in the file's byte order
    is_plain: bool  # pixels lie row by row, not compressed, ready to be copied
    nbytes: int  # of all pixels, decoded
    decode: Callable[..., Any]
    tables: dict[str, bytes | None]

    @classmethod
    def of(cls, page: Any, shift: int = 0) -> StoredPage:
        """Read it off a page, or off the page so many bytes before. Reads from the file."""
        key = page.keyframe
        offsets = np.asarray(page.dataoffsets, np.int64)
        counts = np.asarray(page.databytecounts, np.int64)
        return cls(
            grid=Grid.of(key),
            offsets=offsets + shift,
            counts=counts,
            dtype=np.dtype(key.dtype).newbyteorder(key.parent.byteorder),
            is_plain=bool(key.is_final) and _is_one_piece(offsets, counts, key.nbytes),
            nbytes=key.nbytes,
            decode=key.decode,
            tables={"jpegtables": page.jpegtables, "jpegheader": key.jpegheader},
        )


def _is_one_piece(offsets: NDArray[np.int64], counts: NDArray[np.int64], nbytes: int) -> bool:
    """Tell whether segments follow each other; tifffile looks at the first page only."""
    if len(offsets) == 0 or len(counts) == 0 or counts[0] == 0:
        return False
    if len(offsets) == 1:
        return True
    ends = offsets + counts
    return int(counts.sum()) == nbytes and bool((ends[:-1] == offsets[1:]).all())
