"""How large a pixel is, where the image knows it in a unit of length."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose, sqrt

from segdesk.core.image import ImageInfo

LENGTHS = ("nm", "um", "mm", "cm", "m")
HECTARE = 10_000.0  # m2


@dataclass(frozen=True, slots=True)
class PixelSize:
    """Width and height of a pixel in a unit of length."""

    x: float
    y: float
    unit: str  # one of LENGTHS

    @property
    def area(self) -> float:
        """Area of a pixel in the square of the unit."""
        return self.x * self.y

    @property
    def side(self) -> float | None:
        """Side of a pixel; None where it is not square within a hundredth."""
        return sqrt(self.area) if isclose(self.x, self.y, rel_tol=0.01) else None


def pixel_size(info: ImageInfo) -> PixelSize | None:
    """Return the size of a pixel; None where it is not known, or is an angle such as a degree."""
    if info.spacing is None or info.unit not in LENGTHS or not min(info.spacing) > 0:
        return None
    return PixelSize(*info.spacing, info.unit)
