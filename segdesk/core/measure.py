"""Measures segments tile by tile: memory follows their number, not the size of the image.

Definitions are those of ``skimage.measure.regionprops``, but for centroids and boxes, which count
from the top left corner of the image as everything here does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

import numpy as np
from numpy.typing import NDArray

from segdesk.core.brightness import Brightness
from segdesk.core.geometry import Window
from segdesk.core.image import ImageSource, Pixels
from segdesk.core.labelmap import LabelMap
from segdesk.core.measurements import Measurements, Sums, table_of
from segdesk.core.progress import Report, silent
from segdesk.core.runs import Runs
from segdesk.core.segmentation import Segmentation
from segdesk.core.shapes import MARGIN, Shapes
from segdesk.core.tile import TileIndex

AT_ONCE = 2**24  # bytes of pixels
GAP = 8  # tiles between segments that are rather read than left out


def measure(
    segmentation: Segmentation, image: ImageSource, report: Report = silent
) -> Measurements:
    """Measure all segments of a segmentation.

    Parameters
    ----------
    segmentation
        Planes of the width, height and frames of the image. A segment may lie on several planes;
        a pixel counts once for it. Ids without an entry in the table are left out.
    image
        Where the pixels are read from.
    report
        Progress and stop.

    Returns
    -------
    One row a segment, sorted by id, those without a pixel too.

    Raises
    ------
    ImageError
        When the image cannot be read.
    """
    ids = np.array(sorted(segmentation.segments), np.int64)
    bands = [Brightness(len(ids), image.info.nodata) for _ in range(image.info.bands)]
    sums = Sums(ids, Shapes(ids), bands)
    if len(ids):
        _gather(segmentation.planes, image, sums, report)
    return table_of(segmentation, image.info, sums)


def _gather(planes: Sequence[LabelMap], image: ImageSource, sums: Sums, report: Report) -> None:
    held = [set(labels.indices()) for labels in planes]
    shared = _shared_ids(planes)
    every = sorted(set().union(*held), key=lambda index: (index[2], index[1], index[0]))
    done = 0
    for frame, of_frame in groupby(every, lambda index: index[2]):
        for strip in _strips(of_frame, planes[0], image):
            report(done / len(every), "Measuring")
            windows = [planes[0].tile_window(index) for index in strip]
            around = _around(windows)
            pixels = image.read(around, 0, frame)
            for index, window in zip(strip, windows, strict=True):
                here = [p for p, of in zip(planes, held, strict=True) if shared or index in of]
                part = pixels[window.shifted(-around.x, -around.y).slices]
                for wide in _sheets(here, window.padded(MARGIN), frame, shared):
                    _add(sums, wide, window, part)
            done += len(strip)
        sums.shapes.end_frame(frame)


def _add(sums: Sums, wide: NDArray[np.int32], window: Window, pixels: Pixels) -> None:
    runs = Runs.of(wide[MARGIN:-MARGIN, MARGIN:-MARGIN], sums.ids)
    if len(runs.known):
        sums.shapes.add(runs, wide, window)
        for number, band in enumerate(sums.bands):
            band.add(runs, pixels[..., number])


def _sheets(
    planes: Iterable[LabelMap], window: Window, frame: int, shared: list[int]
) -> Iterator[NDArray[np.int32]]:
    """Yield arrays of ids, the whole of each segment on one of them."""
    sheets = [labels.read(window, 0, frame) for labels in planes]
    present = [i for i in shared if any((ids == i).any() for ids in sheets)]
    for segment_id in present:
        whole = np.zeros(window.shape, np.int32)
        for ids in sheets:
            whole[ids == segment_id] = segment_id
            ids[ids == segment_id] = 0
        yield whole
    yield from sheets


def _shared_ids(planes: Sequence[LabelMap]) -> list[int]:
    """Return the ids that lie on more than one plane."""
    if len(planes) == 1:
        return []
    counts = Counter(chain.from_iterable(labels.areas() for labels in planes))
    return [segment_id for segment_id, count in counts.items() if count > 1]


def _strips(
    indices: Iterable[TileIndex], labels: LabelMap, image: ImageSource
) -> Iterator[list[TileIndex]]:
    """Yield tiles of one row whose pixels can be read at once: wide reads suit striped files."""
    info = image.info
    pixel_bytes = max(1, info.bands * np.dtype(info.dtype).itemsize)
    for _, of_row in groupby(indices, lambda index: index[1]):
        strip: list[TileIndex] = []
        for index in of_row:
            window = _around(labels.tile_window(i) for i in (*strip[:1], index))
            is_far = bool(strip) and index[0] - strip[-1][0] > GAP
            if is_far or (strip and window.area * pixel_bytes > AT_ONCE):
                yield strip
                strip = []
            strip.append(index)
        yield strip


def _around(windows: Iterable[Window]) -> Window:
    first, *others = windows
    for window in others:
        first = first.union(window)
    return first
