"""Finds the reader of a file by how it starts, and opens the file with it."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

from segdesk.api import ReaderSpec
from segdesk.core.errors import ImageError, SegdeskError, in_words
from segdesk.core.image import ImageSource
from segdesk.engine.registry import registry

_HEAD = 4096  # bytes
_log = logging.getLogger(__name__)


def find_reader(path: Path) -> ReaderSpec:
    """Return the reader of a file; raises ``ImageError`` that says what is wrong with the file."""
    head = _head(path)
    if not head:
        raise ImageError(f"{path}: the file is empty.")
    readers = registry().readers.values()
    for reader in readers:
        if _knows(reader, head):
            return reader
    known = ", ".join(reader.title for reader in readers) or "none: all reader plugins are off"
    raise ImageError(f"{path}: not an image of a known format. Known: {known}.")


def open_directly(path: Path) -> ImageSource:
    """Open a file in this process, whatever it may do to it. Raises ``ImageError``."""
    reader = find_reader(path)
    try:
        source = reader.open(path)
        info = source.info
    except SegdeskError:
        raise
    except OSError as error:
        raise _cannot(path, error) from error
    except Exception as error:
        raise ImageError(f"{path}: the reader {reader.id!r} failed: {in_words(error)}") from error
    if min(info.width, info.height, info.bands, info.frames) < 1:
        source.close()
        raise ImageError(f"{path}: the image has no pixels.")
    return source


def _knows(reader: ReaderSpec, head: bytes) -> bool:
    """Ask a reader whether a file is its own; one that fails must not stand in others' way."""
    try:
        return bool(reader.sniff(head))
    except Exception as error:  # noqa: BLE001 - a stranger's code: named, left out, life goes on
        _log.warning("The reader %r cannot look at a file: %s", reader.id, in_words(error))
        return False


def _head(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ImageError(f"{path}: this is a folder; name an image in it.")
        if not stat.S_ISREG(mode):
            raise ImageError(f"{path}: this is a device or a pipe, not an image file.")
        with path.open("rb") as file:
            return file.read(_HEAD)
    except FileNotFoundError as error:
        raise ImageError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise _cannot(path, error) from error
    except ValueError as error:  # a name that holds a zero byte
        raise ImageError(f"{str(path)!r}: this cannot be the name of a file.") from error


def _cannot(path: Path, error: OSError) -> ImageError:
    return ImageError(f"{path}: the file cannot be read ({error.strerror or error}).")
