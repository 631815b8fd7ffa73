"""Which pages of a TIFF make up the image: its frames, its channels, its levels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from segdesk_plugins.pictures.damage import Unsupported
from segdesk_plugins.pictures.stored_page import StoredPage

# Kinds of TIFF whose levels tifffile knows from their metadata; elsewhere it goes by size alone.
_SLIDES = {"svs", "ndpi", "scn", "bif", "philips", "qpi", "avs"}  # with a label and a macro image
_KNOWN_PYRAMIDS = _SLIDES | {"ome"}


@dataclass(frozen=True)
class Level:
    """One resolution of the image."""

    series: Any  # tifffile's
    pages: NDArray[np.intp] = field(repr=False)  # (frames, channels): index of the page

    @classmethod
    def of(cls, series: Any) -> Level:
        """Lay out a series: axis C becomes channels, all but X, Y and samples become frames."""
        if series.keyframe.imagedepth > 1:
            raise Unsupported("pages that hold a volume each; save it with one page a slice")
        return cls(series, _page_table(series))

    @property
    def keyframe(self) -> Any:
        """The page that all others are like."""
        return self.series.keyframe

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as stored."""
        return self.keyframe.imagewidth, self.keyframe.imagelength

    def page(self, frame: int, channel: int) -> StoredPage | None:
        """Return a page; None if the file lacks it. Reads from the file."""
        index = int(self.pages[frame, channel])
        if self.series.is_truncated:  # ImageJ describes the first page only
            return StoredPage.of(self.keyframe, index * self.keyframe.nbytes)
        page = self.series[index]
        return None if page is None else StoredPage.of(page)


def levels_of(tiff: Any) -> list[Level]:
    """Return the levels of the first image in a file, level 0 first."""
    if not tiff.series:
        raise ValueError("it holds no image")
    first = tiff.series[0]
    if first.kind in _SLIDES:
        first = max(tiff.series, key=lambda series: prod(series.get_shape()))
    base = Level.of(first)
    if first.kind in _KNOWN_PYRAMIDS:
        others = first.levels[1:]
    else:
        others = [s for series in tiff.series for s in series.levels if s is not first]
        others = [s for s in others if s.keyframe.is_reduced or s.keyframe.is_subifd]
    return [base, *smaller_copies(base, others)]


def smaller_copies(base: Level, others: Iterable[Any]) -> list[Level]:
    """Return the series that show the same picture more coarsely, the finest first."""
    levels = [Level.of(series) for series in others if series.keyframe.imagedepth == 1]
    fitting = [level for level in levels if _is_smaller_copy(base, level)]
    return sorted(fitting, key=lambda level: level.size, reverse=True)


def _page_table(series: Any) -> NDArray[np.intp]:
    axes, shape = series.get_axes(False), series.get_shape(False)
    outer = [(axis, n) for axis, n in zip(axes, shape, strict=True) if axis not in "YXS"]
    count = prod(n for _, n in outer)
    stored = count if series.is_truncated else len(series)
    table = np.arange(stored)
    if count != stored:
        return table.reshape(-1, 1)
    table = table.reshape([n for _, n in outer])
    channel = [axis for axis, _ in outer].index("C") if ("C" in axes) and outer else None
    if channel is None:
        return table.reshape(-1, 1)
    return np.moveaxis(table, channel, -1).reshape(-1, table.shape[channel])


def _is_smaller_copy(base: Level, other: Level) -> bool:
    """Tell whether a level shows the same picture: as many bands and frames, the same shape."""
    ours, theirs = base.keyframe, other.keyframe
    if (ours.samplesperpixel, ours.dtype, base.pages.shape) != (
        theirs.samplesperpixel,
        theirs.dtype,
        other.pages.shape,
    ):
        return False
    (width, height), (smaller, lower) = base.size, other.size
    if not 0 < smaller < width or not 0 < lower < height:
        return False
    factor = max(width / smaller, height / lower)
    return abs(width - smaller * factor) <= factor and abs(height - lower * factor) <= factor
