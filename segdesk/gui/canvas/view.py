"""Which part of the image is on show, and how large: exact arithmetic between the two grids."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, log2

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect

from segdesk.core.geometry import Window

MAX_SCALE = 128.0
FAR = 2**28  # device pixels
STEPS_OUT = 8  # times smaller than it fits an image can be shown


@dataclass(frozen=True, slots=True)
class View:
    """A viewport of whole device pixels over the plane of the image.

    The viewport starts on a whole device pixel, counted from the image's corner: so panning moves
    pixels and never makes them anew, and a device pixel shows the image at its own centre.
    """

    scale: float = 1.0  # device pixels per level-0 pixel
    left: int = 0  # device pixels from the image's left edge to the viewport's
    top: int = 0
    width: int = 1  # of the viewport, device pixels
    height: int = 1
    frame: int = 0  # which plane of a stack

    @property
    def rect(self) -> QRect:
        """The viewport in its own device pixels."""
        return QRect(0, 0, self.width, self.height)

    @property
    def level(self) -> int:
        """The coarsest level that still has a pixel for every device pixel."""
        return max(0, floor(-log2(self.scale) + 1e-9))

    @property
    def label_level(self) -> int:
        """The level whose pixels are nearest to device pixels in size."""
        return max(0, round(-log2(self.scale)))

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        """Return where in the image a point of the viewport lies."""
        return (self.left + x) / self.scale, (self.top + y) / self.scale

    def to_device(self, x: float, y: float) -> tuple[float, float]:
        """Return where in the viewport a point of the image lies."""
        return x * self.scale - self.left, y * self.scale - self.top

    def columns(self, first: int, count: int) -> NDArray[np.intp]:
        """Return the image column that each of some device columns shows."""
        return _pixels(self.left + first, count, self.scale)

    def rows(self, first: int, count: int) -> NDArray[np.intp]:
        """Return the image row that each of some device rows shows."""
        return _pixels(self.top + first, count, self.scale)

    def first_column(self, x: float) -> int:
        """Return the first device column whose centre is not left of an image coordinate."""
        return _first(x, self.left, self.scale)

    def first_row(self, y: float) -> int:
        """Return the first device row whose centre is not above an image coordinate."""
        return _first(y, self.top, self.scale)

    def device_rect(self, window: Window) -> QRect:
        """Return the device pixels that show a window of level-0 pixels.

        What is far outside of the viewport is left out: Qt counts with 32 bits.
        """
        x, right = _held(self.first_column(window.x)), _held(self.first_column(window.right))
        y, bottom = _held(self.first_row(window.y)), _held(self.first_row(window.bottom))
        return QRect(x, y, right - x, bottom - y)

    def window(self, rect: QRect | None = None) -> Window:
        """Return the level-0 pixels under some device pixels, by default the whole viewport."""
        rect = self.rect if rect is None else rect
        x, y = self.to_image(rect.left(), rect.top())
        right, bottom = self.to_image(rect.left() + rect.width(), rect.top() + rect.height())
        column, row = floor(x), floor(y)
        return Window(column, row, ceil(right) - column, ceil(bottom) - row)

    def resized(self, width: int, height: int) -> View:
        """Return the view of a viewport of another size, about the same middle."""
        dx, dy = (self.width - width) // 2, (self.height - height) // 2
        return replace(self, left=self.left + dx, top=self.top + dy, width=width, height=height)

    def moved(self, dx: int, dy: int) -> View:
        """Return the view after the image was pushed by device pixels."""
        return replace(self, left=self.left - dx, top=self.top - dy)

    def zoomed(self, scale: float, x: float, y: float) -> View:
        """Return the view at another scale; a point of the viewport keeps its place."""
        image_x, image_y = self.to_image(x, y)
        left, top = round(image_x * scale - x), round(image_y * scale - y)
        return replace(self, scale=scale, left=left, top=top)

    def centred(self, x: float, y: float) -> View:
        """Return the view with a point of the image in the middle."""
        left, top = x * self.scale - self.width / 2, y * self.scale - self.height / 2
        return replace(self, left=round(left), top=round(top))

    def scale_to_fit(self, window: Window, margin: float = 0.0) -> float:
        """Return the scale at which a window fills the viewport, less a share of it as margin."""
        if not window:
            return self.scale
        fit = min(self.width / window.width, self.height / window.height)
        return max(fit * (1 - margin), 1e-9)

    def allowed_scale(self, scale: float, image: Window) -> float:
        """Return the scale nearest to the wanted one at which an image is still of use."""
        smallest = min(1.0, self.scale_to_fit(image)) / STEPS_OUT
        return min(max(scale, smallest), MAX_SCALE)

    def within(self, image: Window) -> View:
        """Return the view pushed so far that the image cannot get lost from sight."""
        left = _clamped(self.left, self.width, image.width * self.scale)
        top = _clamped(self.top, self.height, image.height * self.scale)
        return replace(self, left=left, top=top)

    def offset_from(self, other: View) -> QPoint:
        """Return by how many device pixels the other view's pixels moved to become this one's."""
        return QPoint(_held(other.left - self.left), _held(other.top - self.top))


def _pixels(first: int, count: int, scale: float) -> NDArray[np.intp]:
    return np.floor((np.arange(first, first + count) + 0.5) / scale).astype(np.intp)


def _held(place: int) -> int:
    return max(-FAR, min(place, FAR))


def _first(place: float, start: int, scale: float) -> int:
    """Return the first device pixel for which ``_pixels`` says ``place`` or more, ties included."""
    first = ceil(place * scale - start - 0.5)
    if (start + first - 0.5) / scale >= place:
        return first - 1
    return first if (start + first + 0.5) / scale >= place else first + 1


def _clamped(start: int, size: int, image_size: float) -> int:
    """Keep a fifth of the viewport, or all of a smaller image, in sight."""
    kept = min(size / 5, image_size)
    return round(min(max(start, kept - size), image_size - kept))
