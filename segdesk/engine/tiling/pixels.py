"""Reads the pixels of tiles, at the resolution of the tiles.

A pixel of a tile has the same value whatever tile it is read for: sampling does not depend on
where the tile begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo, ImageSource, Pixels
from segdesk.engine.tiling.plan import Scale

Item = TypeVar("Item")
Result = TypeVar("Result")


class TileReader:
    """Reads windows of an image as it looks at another scale.

    Parameters
    ----------
    source
        An open image.
    scale
        Pixels read for each pixel of the image, along x and y.
    frame
        Which plane of a stack.
    """

    def __init__(self, source: ImageSource, scale: Scale, frame: int = 0) -> None:
        self._source, self._frame = source, frame
        self._level, level_scale = _level_for(source.info, scale)
        info = source.info
        self._steps = level_scale[0] / scale[0], level_scale[1] / scale[1]
        self.size = _up(info.width * scale[0]), _up(info.height * scale[1])
        self._takes_nearest = info.palette is not None or info.nodata is not None

    def read(self, window: Window) -> Pixels:
        """Return the (rows, columns, bands) pixels of a window; beyond the edges it is mirrored.

        Raises ``ImageError``.
        """
        columns = _mirrored(window.x, window.right, self.size[0])
        rows = _mirrored(window.y, window.bottom, self.size[1])
        width, height = self._source.info.level_sizes[self._level]
        across = _Samples(columns, self._steps[0], width, self._takes_nearest)
        down = _Samples(rows, self._steps[1], height, self._takes_nearest)
        x, right = across.span
        y, bottom = down.span
        part = Window(x, y, right - x, bottom - y)
        pixels = self._source.read(part, self._level, self._frame)
        return across.of(down.of(pixels, 0), 1)

    def is_empty(self, pixels: Pixels) -> bool:
        """Say whether pixels show nothing: nodata, or NaN, everywhere."""
        nodata = self._source.info.nodata
        if pixels.dtype.kind == "f" and bool(np.isnan(pixels).all()):
            return True
        return nodata is not None and bool((pixels == nodata).all())


class _Samples:
    """How the pixels of one axis come from those of a level.

    Parameters
    ----------
    wanted
        Pixels at the resolution of the tiles.
    step
        Pixels of the level for each of them.
    extent
        Pixels of the level.
    nearest
        Take single pixels instead of means.
    """

    def __init__(self, wanted: NDArray[np.intp], step: float, extent: int, nearest: bool) -> None:
        self._block = 1 if nearest else max(1, int(step + 1e-9))
        blocks = -(-extent // self._block)
        centres = (wanted + 0.5) * (step / self._block) - 0.5
        if nearest:
            centres = np.rint(centres - 1e-9)
        centres = np.clip(centres, 0, blocks - 1)
        first = centres.astype(np.intp)
        second = np.minimum(first + 1, blocks - 1)
        self._share = (centres - first).astype(np.float32)
        start, stop = int(first.min()), int(second.max()) + 1
        self.span = start * self._block, min(stop * self._block, extent)
        self._first, self._second = first - start, second - start

    def of(self, pixels: Pixels, axis: int) -> Pixels:
        """Return the wanted pixels, of those that lie in the span, along an axis."""
        values: NDArray[Any] = (
            pixels if self._block == 1 else _block_means(pixels, self._block, axis)
        )
        if not self._share.any():
            taken: Pixels = values.take(self._first, axis)
            return taken
        share = self._share[:, np.newaxis] if axis else self._share[:, np.newaxis, np.newaxis]
        wide = np.float64 if values.dtype.itemsize > 2 else np.float32
        mixed = values.take(self._first, axis).astype(wide) * (1 - share)
        mixed += values.take(self._second, axis) * share
        return _as_stored(mixed, pixels.dtype)


def prefetched(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Yield the result for each item, in order, while the next ones are worked on elsewhere."""
    waiting: list[Future[Result]] = []
    try:
        for item in items:
            waiting.append(executor.submit(work, item))
            if len(waiting) > ahead:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        for future in waiting:
            future.cancel()


def _level_for(info: ImageInfo, scale: Scale) -> tuple[int, Scale]:
    """Return the smallest level that has all the detail wanted, and its scale."""
    scales = [(w / info.width, h / info.height) for w, h in info.level_sizes]
    enough = [n for n, (x, y) in enumerate(scales) if x >= scale[0] * 0.99 and y >= scale[1] * 0.99]
    level = enough[-1] if enough else 0
    return level, scales[level]


def _mirrored(start: int, stop: int, extent: int) -> NDArray[np.intp]:
    """Return which pixel of the image stands at each place, where it goes on as in a mirror."""
    places = np.arange(start, stop) % (2 * extent)
    return np.minimum(places, 2 * extent - 1 - places)


def _block_means(pixels: Pixels, block: int, axis: int) -> Pixels:
    """Return the means of runs of pixels along an axis; the last run may be shorter."""
    starts = np.arange(0, pixels.shape[axis], block)
    counts = np.diff(starts, append=pixels.shape[axis])
    wide = np.float64 if pixels.dtype.kind == "f" or pixels.dtype.itemsize > 2 else np.int64
    sums = np.add.reduceat(pixels, starts, axis, dtype=wide)
    shape = (-1, 1) if axis else (-1, 1, 1)
    return _as_stored(sums / counts.reshape(shape), pixels.dtype)


def _as_stored(values: NDArray[Any], dtype: Any) -> Pixels:
    return np.rint(values).astype(dtype) if np.dtype(dtype).kind in "iub" else values.astype(dtype)


def _up(value: float) -> int:
    return -int(-value // 1)
