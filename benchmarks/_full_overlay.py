"""Images of any size whose every pixel belongs to a segment: for benchmarks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo, Pixels
from segdesk.core.labelmap import LabelMap
from segdesk.core.palette import distinct_colour
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.core.tile import TILE
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState

BLOCK = 8 * TILE  # pixels after which the pattern of segments begins anew
CELLS = 1600  # in a block
CATEGORIES = (Category(0, "background", (0, 0, 0)), Category(1, "cell", distinct_colour(0)))


class ComputedImage:
    """An image whose pixels are computed when they are read; it has all levels."""

    def __init__(self, width: int, height: int) -> None:
        levels = [(width, height)]
        while max(levels[-1]) > TILE:
            levels.append((-(-levels[-1][0] // 2), -(-levels[-1][1] // 2)))
        self.info = ImageInfo("computed", width, height, 3, "uint8", levels=tuple(levels))

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return slanted stripes."""
        x = np.arange(window.x, window.right, dtype=np.int64) << level
        y = np.arange(window.y, window.bottom, dtype=np.int64) << level
        grey = ((x + 3 * y[:, np.newaxis]) >> 4).astype(np.uint8)
        return np.stack([grey, grey // 2, 255 - grey], axis=2)

    def close(self) -> None:
        """Nothing to let go of."""


def full_document(width: int, height: int) -> Document:
    """Return a document of that size with a layer that covers all of it."""
    document = Document(ComputedImage(width, height))
    labels = full_labels(width, height)
    segments = {i: Segment(i, 1) for i in range(1, CELLS + 1)}
    state = LayerState("Cells", "instance", CATEGORIES)
    segmentation = Segmentation("instance", (labels,), segments, CATEGORIES)
    edits.add_layer(document, state, segmentation)
    return document


def full_labels(width: int, height: int) -> LabelMap:
    """Return a label map of Voronoi cells, the same ones again in every block."""
    block = LabelMap.of_array(_cells(np.random.default_rng(0)))
    labels = LabelMap(width, height)
    side = BLOCK // TILE
    for column, row in labels.window.tiles(TILE):
        labels.put_packed((column, row, 0), block.packed((column % side, row % side, 0)))
    return labels


def _cells(rng: np.random.Generator) -> NDArray[np.int32]:
    no_seed = np.ones((BLOCK, BLOCK), np.uint8)
    no_seed.ravel()[rng.choice(BLOCK * BLOCK, CELLS, replace=False)] = 0
    _, ids = cv2.distanceTransformWithLabels(no_seed, cv2.DIST_L2, 5)
    return ids
