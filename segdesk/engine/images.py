"""Opens images and masks, safely, and shows them small."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.display import default_display
from segdesk.core.errors import ImageError, PromptError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo, ImageSource, Pixels
from segdesk.engine.overviews import with_overviews
from segdesk.engine.pyramid import Pyramid
from segdesk.engine.readers import find_reader, open_directly
from segdesk.engine.registry import registry

_AT_ONCE = 2**24  # bytes read at once for a small copy
_WHOLE = 2**28  # bytes up to which an image is read completely for a small copy
_PATCHES = 16  # otherwise so many patches in a row and in a column
_ALWAYS_FITS = 2**30  # bytes
_WORKING_BYTES = 12  # a pixel: RGB, the copy for the worker, the label map while it is resolved


def open_image(path: Path | str) -> ImageSource:
    """Open an image by what is in the file, not by its name.

    Only the header is read. A file whose decoder is not hardened is first tried in a process of
    its own, with limits of memory and time. Overviews that were made of it before are used.

    Raises
    ------
    ImageError
        One line that names the file, what is wrong with it, and what to do.
    """
    path = Path(path)
    if find_reader(path).probe:
        from segdesk.engine.probe import probe

        probe(path)
    return with_overviews(path, open_directly(path))


def image_files(folder: Path | str) -> list[Path]:
    """Return the images in a folder, by their suffixes, sorted as people count (2 before 10).

    Raises
    ------
    ImageError
        When the folder cannot be listed.
    """
    folder = Path(folder)
    suffixes = {suffix for reader in registry().readers.values() for suffix in reader.suffixes}
    try:
        files = [path for path in folder.iterdir() if not path.name.startswith(".")]
        found = [path for path in files if path.suffix.lower() in suffixes and path.is_file()]
    except OSError as error:
        raise ImageError(f"{folder}: the folder cannot be read ({error.strerror}).") from error
    return sorted(found, key=lambda path: _counting(path.name))


def image_key(path: Path | str) -> str:
    """Return a name for the pixels in a file: another one once the file has changed.

    Raises
    ------
    ImageError
        When the file is gone.
    """
    path = Path(path).absolute()
    try:
        state = path.stat()
    except OSError as error:
        raise ImageError(f"{path}: the file cannot be read ({error.strerror}).") from error
    return f"{path}|{state.st_mtime_ns}|{state.st_size}"


def check_memory(info: ImageInfo, window: Window) -> None:
    """Raise ``ImageError`` when memory cannot hold a window and what is made of it."""
    needed = window.area * (info.bands * np.dtype(info.dtype).itemsize + _WORKING_BYTES)
    if needed <= _ALWAYS_FITS:
        return
    import psutil

    free = psutil.virtual_memory().available
    if needed > free:
        raise ImageError(
            f"{info.name}: to work on {window.width} x {window.height} pixels at once takes"
            f" {needed / 2**30:.0f} GiB, and {free / 2**30:.0f} GiB are free: take a smaller part."
        )


def thumbnail(source: ImageSource, size: int, frame: int = 0) -> NDArray[np.uint8]:
    """Return a small copy of an image as it is shown at first.

    Parameters
    ----------
    source
        An open image.
    size
        At most so many pixels in a row and in a column.
    frame
        Which plane of a stack.

    Returns
    -------
    (rows, columns, 3) uint8
    """
    small = overview(source, size, frame)
    return default_display(source.info, small).apply(small)


def overview(source: ImageSource, size: int, frame: int = 0) -> Pixels:
    """Return a small copy of an image in its own dtype: every n-th pixel of a level.

    What would take too long to read whole is sampled: each part of the copy then shows the middle
    of its region at full resolution. Value ranges are well estimated from it.

    Parameters
    ----------
    source
        An open image.
    size
        At most so many pixels in a row and in a column.
    frame
        Which plane of a stack.

    Returns
    -------
    (rows, columns, bands)
    """
    if isinstance(source, Pyramid) and not source.is_complete:
        source = source.base  # its levels are yet to be made
    level = _level_of(source.info, size)
    width, height = source.info.level_sizes[level]
    step = -(-max(width, height) // size)
    row_bytes = width * source.info.bands * np.dtype(source.info.dtype).itemsize
    if row_bytes * height > _WHOLE:
        return _sampled(source, level, frame, step)
    rows = max(1, _AT_ONCE // (row_bytes * step)) * step
    parts = [
        source.read(Window(0, y, width, min(rows, height - y)), level, frame)[::step, ::step]
        for y in range(0, height, rows)
    ]
    return np.concatenate(parts)


def read_mask(path: Path | str) -> NDArray[Any]:
    """Read an index mask: the values as stored, a palette's indices and not its colours.

    Returns
    -------
    (rows, columns) uint8 of category ids, 0 = background and 255 = ignore, if the file holds
    8 bits or fewer; else int32 of instance ids, 0 = background.

    Raises
    ------
    ImageError
        When the file cannot be read, or memory cannot hold it.
    PromptError
        When it holds colours, fractions or negative ids.
    """
    from segdesk.engine.mask_pixels import mask_values
    from segdesk.engine.probe import probe

    path = Path(path)
    info = probe(path)
    if info.format == "JPEG":
        raise PromptError(f"{path}: JPEG changes the ids in a mask; save it as PNG.")
    check_memory(info, info.window)
    values = mask_values(path)
    if values.ndim != 2:
        raise PromptError(
            f"{path}: a mask has one number for each pixel, this has {info.bands} bands"
            " of colour; save it as a grey or palette PNG."
        )
    if values.dtype == np.bool_:
        return values.astype(np.uint8)
    if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > np.iinfo(np.int32).max:
        raise PromptError(f"{path}: the ids in a mask are whole numbers from 0 up.")
    return values if values.dtype == np.uint8 else values.astype(np.int32)


def _level_of(info: ImageInfo, size: int) -> int:
    """Return the smallest level that is at least as large as asked for."""
    enough = [i for i, level in enumerate(info.level_sizes) if max(level) >= size]
    return enough[-1] if enough else 0


def _sampled(source: ImageSource, level: int, frame: int, step: int) -> Pixels:
    """Fill a small copy with patches of the image, each from the middle of its region."""
    width, height = source.info.level_sizes[level]
    whole = Window(0, 0, -(-width // step), -(-height // step))
    side = max(1, max(whole.width, whole.height) // _PATCHES)
    small = np.zeros((*whole.shape, source.info.bands), source.info.dtype)
    for column, row in whole.tiles(side):
        target = Window(column * side, row * side, side, side).intersection(whole)
        x = min(target.x * step + target.width * (step - 1) // 2, width - target.width)
        y = min(target.y * step + target.height * (step - 1) // 2, height - target.height)
        patch = Window(x, y, target.width, target.height)
        small[target.slices] = source.read(patch, level, frame)
    return small


def _counting(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", name.casefold())  # text, number, text, number, ...
    return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)]
