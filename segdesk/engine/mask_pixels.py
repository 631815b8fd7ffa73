"""The bare values in a mask file, where an image reader would give their colours."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import ImageError


def mask_values(path: Path) -> NDArray[Any]:
    """Return (rows, columns[, bands]) of the first image in a file that has been probed."""
    from PIL import Image

    with path.open("rb") as file:
        is_tiff = file.read(2) in (b"II", b"MM")
    try:
        return _tiff(path) if is_tiff else _picture(path)
    except (OSError, RuntimeError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: it cannot be read as a mask ({error}).") from error


def _picture(path: Path) -> NDArray[Any]:
    from PIL import Image

    # The probe has decoded it within its limit of memory.
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    with Image.open(path, formats=("PNG", "BMP", "GIF", "WEBP")) as image:
        return np.asarray(image)


def _tiff(path: Path) -> NDArray[Any]:
    import tifffile

    with tifffile.TiffFile(path, _multifile=False) as tiff:
        values: NDArray[Any] = tiff.pages[0].asarray()
    return values
