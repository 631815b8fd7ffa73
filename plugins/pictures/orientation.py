"""Pictures that are stored lying on their side or mirrored.

Source: TIFF 6.0, tag 274 (Orientation), which EXIF took over.
"""

from __future__ import annotations

import numpy as np

from segdesk.api import Pixels, Window

# orientation: is it stored transposed, and then with its rows, its columns in reverse
_STEPS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def known(orientation: object) -> int:
    """Return an orientation if it is a valid one, else 1: upright."""
    return orientation if isinstance(orientation, int) and orientation in _STEPS else 1


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return (width, height) as seen, from those as stored."""
    return (height, width) if _STEPS[orientation][0] else (width, height)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn stored pixels the way they are to be seen; contiguous."""
    transposed, rows_reversed, columns_reversed = _STEPS[orientation]
    if transposed:
        pixels = pixels.swapaxes(0, 1)
    if rows_reversed:
        pixels = pixels[::-1]
    if columns_reversed:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def stored_window(window: Window, size: tuple[int, int], orientation: int) -> Window:
    """Return where the pixels of a window are stored; ``size`` is (width, height) as seen."""
    transposed, rows_reversed, columns_reversed = _STEPS[orientation]
    x, y, width, height = window.x, window.y, window.width, window.height
    if columns_reversed:
        x = size[0] - window.right
    if rows_reversed:
        y = size[1] - window.bottom
    return Window(y, x, height, width) if transposed else Window(x, y, width, height)
