"""Reads back the PNG files that this plugin has just written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from segdesk.api import ExportError


def read_png(file: Path, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return the pixels as stored: palette indices stay indices.

    Raises ``ExportError`` when they are not of the shape and type that were written. The class is
    used by itself because ``Image.open`` refuses large images, which a file of our own may be.
    """
    try:
        with PngImageFile(file) as picture:
            if picture.size != (shape[1], shape[0]):
                raise ExportError(f"{file.name} did not read back in its own size.")
            pixels = np.asarray(picture)
    except (OSError, SyntaxError, UnidentifiedImageError) as error:
        raise ExportError(f"{file.name} did not read back: {error}.") from error
    if pixels.shape != shape or pixels.dtype != dtype:
        raise ExportError(f"{file.name} did not read back as it was written.")
    return pixels
