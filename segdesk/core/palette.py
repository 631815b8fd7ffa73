"""Colours that stay apart, also for colour-blind eyes."""

from __future__ import annotations

from functools import cache

import numpy as np

from segdesk.core.segmentation import Colour

# Okabe and Ito, "Color Universal Design" (2008), without black; the most visible first.
OKABE_ITO: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
_GOLDEN_TURN = 0.61803398875


def distinct_colours(count: int) -> tuple[Colour, ...]:
    """Return ``count`` colours: Okabe-Ito's first, then hues a golden angle apart."""
    return tuple(distinct_colour(index) for index in range(count))


@cache
def distinct_colour(index: int) -> Colour:
    """Return the colour of one position in ``distinct_colours``."""
    if index < len(OKABE_ITO):
        return OKABE_ITO[index]
    hue = 2 * np.pi * (index * _GOLDEN_TURN % 1)
    lightness = (0.62, 0.78, 0.50)[index % 3]
    return _oklch_to_rgb(lightness, 0.13, hue)


def segment_colour(segment_id: int) -> Colour:
    """Return the colour of a segment drawn by its id; ids that follow each other differ much."""
    return distinct_colour(segment_id * 37 % 64)


def _oklch_to_rgb(lightness: float, chroma: float, hue: float) -> Colour:
    """Convert OKLCH to sRGB. Source: Ottosson, "A perceptual color space" (2020)."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    cubed = (
        np.array(
            [
                lightness + 0.3963377774 * a + 0.2158037573 * b,
                lightness - 0.1055613458 * a - 0.0638541728 * b,
                lightness - 0.0894841775 * a - 1.2914855480 * b,
            ]
        )
        ** 3
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip(to_linear @ cubed, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (round(255 * value) for value in srgb)
    return red, green, blue
