"""From a box, points or a rough mask to the outline of one segment."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from segdesk_plugins.prompts.drawing import Guess, Region, drawn, tidied
from segdesk_plugins.prompts.patch import Patch, cut
from segdesk_plugins.prompts.posterior import posterior

from segdesk.api import Box, Mask, Points, Report, Window

Array = NDArray[Any]

_SIDE = 160  # resolution at which a segment is found
_TRIAL_SIDE = 80  # and sizes are tried out
_BOX_MARGIN = 0.35  # surroundings that are looked at, of the longer side of a box
_DISC_MARGIN = 2.2  # radii around a point
_STEEP = 4.0  # log odds that a place loses from the middle of a segment to its expected edge
_RADII = 6.0 * 1.5 ** np.arange(16)  # sizes that a segment around a point may have
_SEED = 0.15  # of the radius: surely on the segment


def outline_box(rgb: Array, box: Box, report: Report) -> Region:
    """Return the segment in a box; nothing of it lies outside."""
    inner = _covered(box)
    patch = cut(rgb, inner.padded(6 + int(_BOX_MARGIN * max(inner.shape))), _SIDE)
    x, y = patch.centres()
    half_width, half_height = max(0.5, (box.x1 - box.x0) / 2), max(0.5, (box.y1 - box.y0) / 2)
    middle_x, middle_y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    radius = np.hypot((x - middle_x) / half_width, (y - middle_y) / half_height)
    inside = (x > inner.x) & (x < inner.right) & (y > inner.y) & (y < inner.bottom)
    known = np.where(inside, -1, 0).astype(np.int8)
    guess = Guess(patch, 0.3 + _STEEP * (1 - radius), known)
    report(0.2, "Finding the segment in the box")
    return drawn(guess, posterior(patch.colours, guess.prior, known), report, inner)


def outline_mask(rgb: Array, rough: Mask, report: Report) -> Region:
    """Return the segment that a rough mask is meant for."""
    filled = rough.mask.astype(np.uint8)
    around = Window(*cv2.boundingRect(filled)).shifted(rough.window.x, rough.window.y)
    reach = max(3.0, float(np.sqrt(np.count_nonzero(filled) / np.pi)) / 2)
    patch = cut(rgb, around.padded(int(2 * reach)), _SIDE)
    depth = _depth(filled, rough.window, patch) / np.float32(reach)
    known = np.where(depth < -1.5, 0, np.where(depth > 1, 1, -1)).astype(np.int8)
    guess = Guess(patch, _STEEP * depth, known)
    report(0.2, "Fitting the mask")
    return drawn(guess, posterior(patch.colours, guess.prior, known), report)


def outline_points(rgb: Array, points: Points, report: Report) -> Region:
    """Return the segment with all positive points on it and all negative ones off it.

    The size of a segment around a point is anybody's guess: all are tried that reach no negative
    point, and the one whose colours differ most from those just around it is taken.
    """
    largest = min(0.6 * max(rgb.shape[:2]), _gap(points))
    radii = [radius for radius in _RADII if radius < largest] or [_RADII[0]]
    best, best_contrast = radii[0], -np.inf
    for step, radius in enumerate(radii):
        report(0.6 * step / len(radii), "Trying sizes")
        contrast = _contrast(_around(rgb, points, radius, _TRIAL_SIDE))
        if contrast > best_contrast:
            best, best_contrast = radius, contrast
    guess = _around(rgb, points, best, _SIDE)
    report(0.7, "Finding the segment")
    return drawn(guess, posterior(guess.patch.colours, guess.prior, guess.known), report)


def _covered(box: Box) -> Window:
    """Return the whole pixels that a box touches."""
    x, y = int(np.floor(box.x0)), int(np.floor(box.y0))
    return Window(x, y, int(np.ceil(box.x1)) - x, int(np.ceil(box.y1)) - y)


def _depth(filled: Array, window: Window, patch: Patch) -> Array:
    """Return how deep in a mask each pixel is, in pixels of the image; negative outside."""
    x, y = patch.centres()
    columns, rows = (np.floor(x) - window.x).astype(int), (np.floor(y) - window.y).astype(int)
    is_there = (columns >= 0) & (columns < window.width) & (rows >= 0) & (rows < window.height)
    inside = filled[rows.clip(0, window.height - 1), columns.clip(0, window.width - 1)] * is_there
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    depth -= cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    scaled: Array = depth / np.float32(patch.scale.min())
    return scaled


def _around(rgb: Array, points: Points, radius: float, side: int) -> Guess:
    """Expect a segment that reaches about this far beyond the hull of its positive points."""
    on, off = points.xy[points.positive], points.xy[~points.positive]
    low, high = on.min(axis=0) - _DISC_MARGIN * radius, on.max(axis=0) + _DISC_MARGIN * radius
    patch = cut(rgb, _covered(Box(*low.tolist(), *high.tolist())), side)
    to_on, to_off, to_hull = _distance(patch, on), _distance(patch, off), _hull_distance(patch, on)
    prior = _STEEP / radius * np.minimum(radius - to_hull, 2 * (to_off - to_hull))
    pixel = 1 / float(patch.scale.min())
    seed = min(max(pixel, _SEED * radius), max(0.3 * _gap(points), 0.75 * pixel))
    known = np.where(to_on <= seed, 1, np.where(to_off <= seed, 0, -1)).astype(np.int8)
    return Guess(patch, np.clip(prior, -8, 8), known)


def _gap(points: Points) -> float:
    """Return the distance between the nearest positive and negative points."""
    on, off = points.xy[points.positive], points.xy[~points.positive]
    return float(np.min(np.linalg.norm(on[:, None] - off, axis=2), initial=np.inf))


def _distance(patch: Patch, xy: Array) -> Array:
    """Return how far each pixel is from the nearest point, in pixels of the image."""
    x, y = patch.centres()
    nearest = np.full(patch.shape, 1e9, np.float32)
    for px, py in xy:
        nearest = np.minimum(nearest, np.hypot(x - px, y - py))
    return nearest


def _hull_distance(patch: Patch, xy: Array) -> Array:
    """Return how far each pixel is from the convex hull of points, in pixels of the image."""
    if len(xy) == 1:
        return _distance(patch, xy)
    outside = np.ones(patch.shape, np.uint8)
    hull = cv2.convexHull(np.floor(patch.place(xy)).astype(np.int32).reshape(-1, 1, 2))
    cv2.fillConvexPoly(outside, hull, 0)  # its edge, too
    distances: Array = cv2.distanceTransform(outside, cv2.DIST_L2, 5)
    return distances / np.float32(patch.scale.min())


def _contrast(guess: Guess) -> float:
    """Return by how much the colours on a segment and just around it differ, in log odds."""
    found = posterior(guess.patch.colours, guess.prior, guess.known)
    mask = tidied(found.probability > 0.5, guess.known)
    ring = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool) & ~mask
    if not ring.any() or _cut_off(mask, guess.patch):
        return -np.inf
    return float(found.evidence[mask].mean() - found.evidence[ring].mean())


def _cut_off(mask: Array, patch: Patch) -> bool:
    """Whether a segment goes on beyond the patch: a tenth of its outline is at the border."""
    sides = (mask[:, 0], mask[0], mask[:, -1], mask[-1])
    at_border = sum(
        int(s.sum()) for s, is_open in zip(sides, patch.is_open, strict=True) if is_open
    )
    outline = mask.sum() - cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).sum()
    return bool(at_border > 0.1 * outline)
