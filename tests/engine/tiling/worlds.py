"""Segmenters that know the truth: what they say of a tile is what lies in it."""

from dataclasses import dataclass, field

import numpy as np

from segdesk.api import SegmenterSpec
from segdesk.core.geometry import Window
from segdesk.core.segmentation import (
    Category,
    CategoryScores,
    RegionMask,
    Segment,
    SegmentIds,
    SegmentMasks,
)

CELL = Category(1, "cell", (255, 0, 0))
ROAD = Category(2, "road", (0, 255, 0), is_thing=False)


def inside(array, window):
    """Return a window of an array; zeros beyond its edges."""
    part = window.intersection(Window(0, 0, array.shape[1], array.shape[0]))
    found = np.zeros(window.shape, array.dtype)
    found[part.shifted(-window.x, -window.y).slices] = array[part.slices]
    return found


@dataclass
class World:
    """What is asked of it, and how it answers."""

    answer: object = None  # of a request
    asked: list = field(default_factory=list)
    together: list = field(default_factory=list)  # how many at once
    device: str = ""
    half: bool = False

    def open(self, checkpoint, device, report):
        self.device, self.half = device, False
        return self

    def segment(self, request, report):
        report(0.5, "Looking")
        self.asked.append(request)
        return self.answer(request)

    def close(self):
        pass


class Batched(World):
    """Answers several at once."""

    def segment_many(self, requests, report):
        self.together.append(len(requests))
        return [self.segment(request, report) for request in requests]

    def use_half(self):
        self.half = True
        return True


def spec(world, tile=64, task="semantic"):
    return SegmenterSpec("world", "World", task, world.open, tile=tile)


def masks_of(objects, task="instance", shape=None):
    """Return the answer for objects, (mask of the image, category) each, that may overlap."""

    def answer(request):
        regions = []
        for number, (mask, category) in enumerate(objects):
            seen = inside(mask, request.window)
            if seen.any():
                rows, columns = np.nonzero(seen)
                top, left = int(rows.min()), int(columns.min())
                window = Window(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)
                crop = seen[window.slices]
                score = 1 - number / 100
                regions.append(RegionMask(crop, window, category, score))
        return SegmentMasks(tuple(regions), (CELL, ROAD), task)

    return answer


def ids_of(ids, categories_by_id, task="panoptic", pieces=False):
    """Return the answer that numbers what it sees anew in every tile, as models do."""
    from scipy import ndimage

    def answer(request):
        seen = inside(ids, request.window)
        found, segments = np.zeros_like(seen), []
        for number in np.unique(seen[seen > 0])[::-1].tolist():
            mask = seen == number
            parts, count = ndimage.label(mask) if pieces else (mask.astype(int), 1)
            for piece in range(1, count + 1):
                segments.append(Segment(len(segments) + 1, categories_by_id[number], 0.9))
                found[parts == piece] = len(segments)
        return SegmentIds(found, tuple(segments), (CELL, ROAD), task)

    return answer


def scores_of(image, weights, step=4):
    """Return the answer of a small network: blur, means over `step` pixels, then a projection.

    It looks 4 + ``step`` pixels around each score, so that an edge of a tile disturbs only those.
    """
    categories = tuple(
        Category(n, f"category {n}", (n, n, n), False) for n in range(1, weights.shape[0] + 1)
    )

    def network(rgb):
        grey = np.pad(rgb.astype(np.float32), ((4, 4), (4, 4), (0, 0)))
        rows, columns = rgb.shape[:2]
        sums = sum(
            grey[dy : dy + rows, dx : dx + columns]
            for dy in range(0, 9, 2)
            for dx in range(0, 9, 2)
        )
        cells = sums.reshape(rows // step, step, columns // step, step, -1).mean((1, 3))
        return np.ascontiguousarray((cells / 25 / 255 @ weights.T).transpose(2, 0, 1))

    def answer(request):
        return CategoryScores(network(request.rgb).astype(np.float32), categories)

    return answer
