"""TIFF: any number of bands, bits and pages; windows are read without the rest of the file."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import numpy as np
import tifffile
from segdesk_plugins.pictures.colours import bands_of, channels_of
from segdesk_plugins.pictures.damage import DAMAGE, Unsupported, check_window, named_damage
from segdesk_plugins.pictures.layout import levels_of, smaller_copies
from segdesk_plugins.pictures.orientation import known, stored_window, upright, upright_size
from segdesk_plugins.pictures.place import place_of
from segdesk_plugins.pictures.segments import SegmentReader
from segdesk_plugins.pictures.stored_page import StoredPage

from segdesk.api import ImageError, ImageInfo, Pixels, Window

# What tifffile logs about damaged files would go to the terminal; what matters is raised.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
_ORIENTATION = 274
_PAGES_KEPT = 256


class TiffImage:
    """The first image of a TIFF file.

    Channels become bands; other axes (time, depth, pages) become frames. A palette is shown as
    its colours, CMYK as RGB, complex numbers as their magnitude.

    Raises
    ------
    ImageError
        When the file is damaged, cut short, or of a kind that is not supported.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_open = True
        with ExitStack() as on_failure, self._damage_named():
            # Linked files are not followed: a file must not make us read another one.
            self._tiff = tifffile.TiffFile(
                path, _multifile=False, is_mmstack=False, is_ndtiff=False
            )
            on_failure.callback(self._tiff.close)
            self._reader = SegmentReader(path, self._tiff.filehandle)
            self._levels = levels_of(self._tiff)
            self._readers = [self._reader] * len(self._levels)
            self._outside: tifffile.TiffFile | None = None
            if len(self._levels) == 1:
                self._add_levels(path.with_name(f"{path.name}.ovr"))
                on_failure.callback(self._close_outside)
            self._channels = self._levels[0].pages.shape[1]
            self._pages: dict[tuple[int, ...], StoredPage | None] = {}
            self.info = self._read_header()
            on_failure.pop_all()

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        """Return the pixels of a window; decodes only the strips or tiles that it touches."""
        if not self._is_open:
            raise ImageError(f"{self._path}: the image has been closed.")
        if not 0 <= level < len(self._levels) or not 0 <= frame < self.info.frames:
            raise ImageError(f"{self._path}: there is no level {level}, frame {frame}.")
        size = self.info.level_sizes[level]
        check_window(self._path, window, size)
        stored = stored_window(window, size, self._orientation)
        with self._damage_named():
            pixels = self._bands.convert(self._read_stored(stored, level, frame))
        return upright(pixels, self._orientation)

    def close(self) -> None:
        """Close the file."""
        self._is_open = False
        with self._reader.lock:
            self._tiff.close()
        self._close_outside()

    def _add_levels(self, path: Path) -> None:
        """Take the levels from the file beside this one, where GDAL puts them, if it is whole."""
        try:
            # The only other file that is ever read, and only if it is the same picture.
            self._outside = tifffile.TiffFile(
                path, _multifile=False, is_mmstack=False, is_ndtiff=False
            )
            reader = SegmentReader(path, self._outside.filehandle)
            found = [level for series in self._outside.series for level in series.levels]
            levels = smaller_copies(self._levels[0], found)
            for level in levels:
                page = level.page(0, 0)
                if page is not None:
                    reader.check(page)
        except (*DAMAGE, ImageError, Unsupported, tifffile.TiffFileError):
            return self._close_outside()
        self._levels += levels
        self._readers += [reader] * len(levels)
        return None

    def _close_outside(self) -> None:
        if self._outside is not None:
            with self._readers[-1].lock:
                self._outside.close()

    def _damage_named(self) -> AbstractContextManager[None]:
        return named_damage(self._path, "TIFF", tifffile.TiffFileError)

    def _read_header(self) -> ImageInfo:
        base = self._levels[0]
        page = base.keyframe
        if page.dtype is None:
            raise Unsupported(f"{page.bitspersample}-bit samples of this kind")
        self._bands = (
            channels_of(self._channels, page.dtype) if self._channels > 1 else bands_of(page)
        )
        first = self._page(0, 0, 0)
        if first is not None:
            self._reader.check(first)
        self._fill = page.nodata  # of what is not stored
        self._orientation = known(page.tags.valueof(_ORIENTATION))
        sizes = [upright_size(*level.size, self._orientation) for level in self._levels]
        place = place_of(self._tiff, page, self._orientation == 1)
        if len(place.get("band_names", ())) != self._bands.count:
            place["band_names"] = self._bands.names
        if self._bands.count != self._channels * page.samplesperpixel:
            place.pop("nodata", None)  # it was a value of the palette
        return ImageInfo(
            name=str(self._path),
            width=sizes[0][0],
            height=sizes[0][1],
            bands=self._bands.count,
            dtype=self._bands.dtype,
            format="TIFF",
            frames=len(base.pages),
            levels=tuple(sizes) if len(sizes) > 1 else (),
            block=self._block(first),
            **place,
        )

    def _block(self, page: StoredPage | None) -> tuple[int, int] | None:
        if page is None:
            return None
        grid = page.grid
        stored = (grid.width, 1) if page.is_plain else (grid.across, grid.down)
        return upright_size(*stored, self._orientation)

    def _read_stored(self, window: Window, level: int, frame: int) -> Pixels:
        samples = self._levels[0].keyframe.samplesperpixel
        dtype = self._levels[0].keyframe.dtype
        shape = (*window.shape, self._channels * samples)
        pixels = np.full(shape, self._fill, dtype) if self._fill else np.zeros(shape, dtype)
        for channel in range(self._channels):
            page = self._page(level, frame, channel)
            if page is not None:
                part = pixels[..., channel * samples : (channel + 1) * samples]
                self._readers[level].read(page, window, part)
        return pixels

    def _page(self, *which: int) -> StoredPage | None:
        """Return the page of a level, frame and channel."""
        with self._readers[which[0]].lock:
            if which not in self._pages:
                if len(self._pages) > _PAGES_KEPT:
                    self._pages.clear()
                level, frame, channel = which
                self._pages[which] = self._levels[level].page(frame, channel)
            return self._pages[which]
