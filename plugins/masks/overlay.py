"""Overlay: the image as displayed, with its segments in colour, to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from segdesk_plugins.masks.pictures import read_png
from segdesk_plugins.masks.planes import bands, colour_of

from segdesk.api import ExportError, ExportRequest, LabelMap, Report, Segmentation, Window

OPACITY = 0.45
PIXELS_A_LINE = 250  # an image of 500 pixels gets contours of 2
WIDEST = 3  # pixels; wider ones would hide small segments


@dataclass(frozen=True)
class Look:
    """How segments are drawn, by segment id."""

    colours: NDArray[np.uint8]  # (ids, 3)
    is_drawn: NDArray[np.bool_]  # (ids,)


def write(request: ExportRequest, report: Report) -> list[Path]:
    """Write ``STEM_overlay.png``, 8-bit RGB."""
    labels = request.segmentation.planes[0]
    file = request.folder / f"{request.stem}_overlay.png"
    pixels = np.empty((*labels.window.shape, 3), np.uint8)  # the encoder wants it whole
    look = look_of(request.segmentation)
    for band in bands(labels):
        report(band.y / labels.height, f"Drawing {file.name}")
        pixels[band.slices] = draw(request, band, look)
    Image.fromarray(pixels).save(file, compress_level=3)
    return [file]


def check(request: ExportRequest, files: list[Path]) -> None:
    """Read the picture back and compare it with what was drawn."""
    (file,) = files
    labels = request.segmentation.planes[0]
    pixels = read_png(file, (*labels.window.shape, 3), np.uint8)
    look = look_of(request.segmentation)
    for band in bands(labels):
        if not np.array_equal(pixels[band.slices], draw(request, band, look)):
            raise ExportError(f"{file.name} did not read back as it was written.")


def losses(segmentation: Segmentation) -> list[str]:
    """Say that a picture is no data."""
    return ["everything but the looks: it is a picture, not data"]


def draw(request: ExportRequest, band: Window, look: Look) -> NDArray[np.uint8]:
    """Return the (rows, columns, 3) uint8 picture of a window, later planes above earlier ones."""
    picture: NDArray[np.uint8] = request.rgb(band).copy()
    shorter = min(request.info.width, request.info.height)
    width = min(max(1, shorter // PIXELS_A_LINE), WIDEST)
    for labels in request.segmentation.planes:
        ids = labels.read(band)
        colour, drawn = look.colours[ids], look.is_drawn[ids]
        blend = cv2.addWeighted(picture, 1 - OPACITY, colour, OPACITY, 0)
        picture[drawn] = blend[drawn]
        line = drawn & contours(labels, band, width)
        picture[line] = colour[line]
    return picture


def contours(labels: LabelMap, band: Window, width: int) -> NDArray[np.bool_]:
    """Return where a segment lies within ``width`` pixels of something else, (rows, columns).

    The border of the image is no contour.
    """
    wide = band.padded(width).intersection(labels.window)
    ids = labels.read(wide)
    edges = np.zeros(ids.shape, np.uint8)
    edges[1:][ids[1:] != ids[:-1]] = 1
    edges[:-1][ids[1:] != ids[:-1]] = 1
    edges[:, 1:][ids[:, 1:] != ids[:, :-1]] = 1
    edges[:, :-1][ids[:, 1:] != ids[:, :-1]] = 1
    if width > 1:
        edges = cv2.dilate(edges, np.ones((2 * width - 1, 2 * width - 1), np.uint8))
    return edges[band.shifted(-wide.x, -wide.y).slices].astype(bool)


def look_of(segmentation: Segmentation) -> Look:
    """Return how each segment is drawn."""
    highest = max(segmentation.segments, default=0)
    look = Look(np.zeros((highest + 1, 3), np.uint8), np.zeros(highest + 1, bool))
    for segment in segmentation.segments.values():
        look.colours[segment.id] = colour_of(segmentation, segment)
        look.is_drawn[segment.id] = True
    return look
