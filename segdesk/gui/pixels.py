"""Turns Qt's pictures into arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

_FORMATS = {
    1: (QImage.Format.Format_Grayscale8, np.uint8),
    2: (QImage.Format.Format_Grayscale16, np.uint16),
    3: (QImage.Format.Format_RGB888, np.uint8),
    4: (QImage.Format.Format_RGBA8888, np.uint8),
}
_GREY16 = 2


def pixels_of(image: QImage) -> NDArray[Any]:
    """Return (rows, columns, bands): one band of 8 or 16 bits, or 3 or 4 bands of 8."""
    kind = _kind(image)
    target, dtype = _FORMATS[kind]
    image = image.convertToFormat(target)
    bands = 1 if kind == _GREY16 else kind
    line = np.frombuffer(image.constBits(), dtype).reshape(image.height(), -1)
    used = line[:, : image.width() * bands]  # Qt fills lines up to four bytes
    return used.reshape(image.height(), image.width(), bands).copy()


def _kind(image: QImage) -> int:
    if image.format() == QImage.Format.Format_Grayscale16:
        return _GREY16
    if image.isGrayscale() and not image.hasAlphaChannel():
        return 1
    return 4 if image.hasAlphaChannel() else 3
