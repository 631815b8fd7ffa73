"""Where overviews of large files are kept, and for how long.

One file for each image, named by what is in the image's file: one that has been moved is found
again, one that has changed is not. The files used least recently go when all of them together
exceed the setting ``overview_cache_gb``.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from segdesk.core.errors import ImageError
from segdesk.engine.folders import cache_folder, read_settings
from segdesk.engine.tile_file import DamagedTiles, TileFile

LIMIT_GB = 10.0  # unless the setting says otherwise; 0 switches overviews off
_VERSION = 1  # of how overviews are made
_SAMPLE = 2**16  # bytes
_SAMPLES = 16  # all over the file
_STALE = 24 * 3600  # seconds after which an unfinished file is nobody's any more


def limit() -> int:
    """Return how many bytes overviews may take on the disk."""
    value = read_settings().get("overview_cache_gb", LIMIT_GB)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return int((value if is_number else LIMIT_GB) * 1e9)


def find(path: Path) -> TileFile | None:
    """Return the overviews of a file if they are there and whole; damaged ones are deleted."""
    with suppress(OSError):
        place = _place(path)
        try:
            tiles = TileFile(place)
        except DamagedTiles:
            place.unlink()
            return None
        os.utime(place)
        return tiles
    return None


def begin(path: Path) -> TileFile:
    """Begin the overviews of a file. Raises ``ImageError``."""
    from uuid import uuid4

    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        return TileFile.create(folder / f"{uuid4().hex}.part")
    except OSError as error:
        raise not_written(path, error) from error


def finish(path: Path, tiles: TileFile) -> None:
    """Put complete overviews where they are found again; make room for them. Raises ``OSError``."""
    place = _place(path)
    tiles.finish(place)
    _make_room(place)


def not_written(path: Path, error: OSError) -> ImageError:
    """Return the error that says why there are no overviews of a file."""
    return ImageError(
        f"{path}: its overviews could not be kept in {_folder()} ({error.strerror or error});"
        " it can be used all the same, but more slowly."
    )


def _folder() -> Path:
    return cache_folder() / "overviews"


def _place(path: Path) -> Path:
    """Return where the overviews of a file are, by its size, time and samples of its content."""
    from hashlib import sha256

    digest = sha256()
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        digest.update(f"{_VERSION} {state.st_size} {state.st_mtime_ns}".encode())
        for number in range(_SAMPLES + 1):
            file.seek(max(0, (state.st_size - _SAMPLE) * number // _SAMPLES))
            digest.update(file.read(_SAMPLE))
    return _folder() / f"{digest.hexdigest()[:40]}.tiles"


def _make_room(newest: Path) -> None:
    """Delete the files used least recently, but not the newest, until all others fit."""
    found = []
    for path in newest.parent.glob("*.tiles"):
        with suppress(OSError):  # another process deletes as well
            state = path.stat()
            found.append((path != newest, -state.st_mtime, state.st_size, path))
    taken, allowed = 0, limit()
    for is_older, _, size, path in sorted(found):
        taken += size
        if is_older and taken > allowed:
            with suppress(OSError):
                path.unlink()


def _remove_stale(folder: Path) -> None:
    for path in folder.glob("*.part"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE:
                path.unlink()
