"""Pictures that can only be decoded as a whole: header first, pixels when first asked for."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
from PIL import Image, ImageFile
from segdesk_plugins.pictures import picture_format
from segdesk_plugins.pictures.damage import DAMAGE, check_window, named_damage
from segdesk_plugins.pictures.orientation import known, stored_window, upright, upright_size
from segdesk_plugins.pictures.webp import webp_size

from segdesk.api import ArrayImage, ImageError, ImageInfo, Pixels, Window

BUDGET = 900 * 2**20  # bytes that decoding may take: what is larger belongs into a tiled TIFF
_KEPT = 256 * 2**20  # bytes of decoded frames of an animation
_SCALABLE = 4096  # pixels in a row and a column, from which on a JPEG has a level of an eighth
_ORIENTATION = 0x0112

# Opened by their own classes: Image.open would try every other format on a damaged file.
_CLASSES = {
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
}
_CANVASES = {"WEBP": 4, "GIF": 3}  # that a decoder holds at the same time
_STORED_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2}  # a pixel in Pillow's memory; all others: 4
_BANDS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 1, "I": 1}
_DEEP_BANDS = {2: 3, 4: 2, 6: 4}  # by a PNG's colour type
_DTYPES = {"I;16": "uint16", "I": "int32"}
_NAMES = {
    2: ("grey", "alpha"),
    3: ("red", "green", "blue"),
    4: ("red", "green", "blue", "alpha"),
}


class _Decoded(Protocol):
    def read(self, window: Window) -> Pixels: ...


class Picture:
    """A PNG, JPEG, BMP, WebP or GIF file.

    A palette is shown as its colours, CMYK as RGB; transparency stays as the last band.

    Raises
    ------
    ImageError
        When the file is damaged, or would take more than ``BUDGET`` bytes to decode.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock, self._small_lock = Lock(), Lock()
        self._small: _Decoded | None = None  # of a JPEG, at an eighth of its size
        self._decoded: OrderedDict[int, _Decoded] = OrderedDict()
        with path.open("rb") as file:
            head = file.read(64)
        self._format = picture_format(head)
        # Of a PNG with several bands of 16 bits; Pillow gives another number for grey and alpha.
        is_deep = self._format == "PNG" and head[24:25] == b"\x10"
        self._deep_bands = _DEEP_BANDS.get(head[25], 0) if is_deep else 0
        # Pillow warns of odd metadata, which harms no pixel, and of sizes, which are checked here.
        warnings.filterwarnings("ignore", module="PIL")
        if self._format == "WEBP":
            _check_size(path, webp_size(head), _CANVASES["WEBP"] * 4)
        with self._damage_named():
            image = _open(path, self._format)
        self._image: ImageFile.ImageFile | None = image
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            with self._damage_named():
                self.info = self._read_header(image)
            on_failure.pop_all()

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return the pixels of a window; the first call for a frame decodes all of it."""
        sizes = self.info.level_sizes
        if not 0 <= level < len(sizes) or not 0 <= frame < self.info.frames:
            raise ImageError(f"{self._path}: there is no level {level}, frame {frame}.")
        check_window(self._path, window, sizes[level])
        stored = stored_window(window, sizes[level], self._orientation)
        with self._damage_named():  # the file may be closed meanwhile
            decoded = self._eighth() if level else self._frame(frame)
            return upright(decoded.read(stored), self._orientation)

    def close(self) -> None:
        """Let go of the file and of decoded frames."""
        with self._lock:
            if self._image is not None:
                self._image.close()
            self._image = None
            self._decoded.clear()
        with self._small_lock:
            self._small = None

    def _damage_named(self) -> AbstractContextManager[None]:
        return named_damage(self._path, f"{self._format} picture", Image.DecompressionBombError)

    def _read_header(self, image: ImageFile.ImageFile) -> ImageInfo:
        frames: int = getattr(image, "n_frames", 1)
        _check_size(self._path, image.size, self._bytes_each(image, frames))
        self._size = image.size
        self._mode = _shown_mode(image, frames)
        self._orientation = _orientation(image)
        width, height = upright_size(*image.size, self._orientation)
        # A JPEG of rest rows or columns that is turned has them at the wrong end of an eighth.
        is_even = self._orientation == 1 or not (width % 8 or height % 8)
        self._is_scalable = image.format == "JPEG" and min(image.size) >= _SCALABLE and is_even
        bands = self._deep_bands or _BANDS[self._mode]
        return ImageInfo(
            name=str(self._path),
            width=width,
            height=height,
            bands=bands,
            dtype="uint16" if self._deep_bands else _DTYPES.get(self._mode, "uint8"),
            format="WebP" if self._format == "WEBP" else self._format,
            frames=frames,
            levels=((width, height), _eighth_of(width, height)) if self._is_scalable else (),
            band_names=_NAMES.get(bands, ()),
        )

    def _bytes_each(self, image: ImageFile.ImageFile, frames: int) -> int:
        """Return how many bytes a pixel takes while it is decoded."""
        if self._deep_bands:
            return 8
        stored = 4 if frames > 1 else _STORED_BYTES.get(image.mode, 4)
        return stored * _CANVASES.get(self._format, 2 if image.info.get("progressive") else 1)

    def _frame(self, frame: int) -> _Decoded:
        with self._lock:
            if self._image is None:
                raise ImageError(f"{self._path}: the image has been closed.")
            if frame not in self._decoded:
                with self._damage_named():
                    self._decoded[frame] = self._decode(self._image, frame)
            self._decoded.move_to_end(frame)
            keep = max(1, _KEPT // (4 * self._size[0] * self._size[1]))
            while len(self._decoded) > keep:
                self._decoded.popitem(last=False)
            return self._decoded[frame]

    def _eighth(self) -> _Decoded:
        """Decode a JPEG at an eighth of its size, which is much quicker than all of it."""
        with self._small_lock:
            if self._small is None:
                with _open(self._path, self._format) as image:
                    width, height = self._size
                    image.draft(None, (width // 8, height // 8))
                    if image.size != _eighth_of(width, height):
                        raise ValueError("no part of its pixels can be decoded alone")
                    image.load()
                    self._small = _Whole(image.copy(), self._mode)
            return self._small

    def _decode(self, image: ImageFile.ImageFile, frame: int) -> _Decoded:
        if self._deep_bands:
            return ArrayImage(_deep_png(self._path, self.info.bands))
        if self.info.frames > 1:
            image.seek(frame)
        if image.size != self._size:  # a GIF whose frames stick out of its canvas
            raise ValueError(f"frame {frame} is larger than the picture")
        image.load()
        return _Whole(image.copy() if self.info.frames > 1 else image, self._mode)


class _Whole:
    """A decoded picture as Pillow holds it: windows are cut and converted one at a time."""

    def __init__(self, image: Image.Image, mode: str) -> None:
        self._image = image
        self._mode = mode

    def read(self, window: Window) -> Pixels:
        bands, dtype = _BANDS[self._mode], _DTYPES.get(self._mode, "uint8")
        pixels = np.empty((*window.shape, bands), dtype)
        rows = max(1, 2**18 // window.width)  # small strips stay in the processor's cache
        for y in range(window.y, window.bottom, rows):
            part = window.intersection(Window(window.x, y, window.width, rows))
            strip = self._image.crop((part.x, part.y, part.right, part.bottom))
            if strip.mode != self._mode:
                strip = strip.convert(self._mode)
            top = y - window.y
            pixels[top : top + part.height] = np.asarray(strip).reshape(*part.shape, bands)
        return pixels


def _open(path: Path, kind: str) -> ImageFile.ImageFile:
    module, name = _CLASSES[kind]
    image: ImageFile.ImageFile = getattr(import_module(module), name)(path)
    return image


def _eighth_of(width: int, height: int) -> tuple[int, int]:
    return -(-width // 8), -(-height // 8)


def _check_size(path: Path, size: tuple[int, int], each: int) -> None:
    width, height = size
    needed = width * height * each
    if needed > BUDGET:
        raise ImageError(
            f"{path}: its {width} x {height} pixels take {needed / 2**30:.1f} GiB to decode; "
            f"the limit is {BUDGET / 2**30:.1f} GiB. Convert it to a tiled TIFF."
        )


def _shown_mode(image: Image.Image, frames: int) -> str:
    """Return the Pillow mode in which every frame is handed out."""
    mode = "L" if image.mode == "1" else image.mode
    if mode in ("I;16", "I", "LA", "RGBA"):
        return mode
    if "transparency" in image.info:
        return "LA" if mode == "L" and frames == 1 else "RGBA"
    return "L" if mode == "L" and frames == 1 else "RGB"


def _orientation(image: ImageFile.ImageFile) -> int:
    # PNG: only what stands before the pixels; looking further would decode them.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    try:
        return known(image.getexif().get(_ORIENTATION))
    except DAMAGE:
        return 1


def _deep_png(path: Path, bands: int) -> Pixels:
    """Decode a PNG of several 16-bit bands, of which Pillow would drop the lower 8 bits."""
    import imagecodecs

    pixels: Pixels = imagecodecs.png_decode(path.read_bytes())
    return pixels[..., :bands]
