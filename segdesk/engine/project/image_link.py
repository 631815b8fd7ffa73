"""How a project finds its images again: by path, and by what is in the file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from segdesk.core.errors import ProjectError

_PIECE = 2**16  # bytes of the head, the middle and the tail of a file that are looked at


@dataclass(frozen=True)
class ImageLink:
    """Where an image was, and what it was."""

    path: str  # absolute
    relative: str  # to the project's folder, with "/"; "" on another drive
    fingerprint: str

    @classmethod
    def to(cls, image: Path, folder: Path) -> ImageLink:
        """Return the link to an image from a project in a folder. Raises ``ProjectError``."""
        path = image.absolute()
        return cls(str(path), _relative(path, folder), fingerprint(path))

    def moved_to(self, folder: Path) -> ImageLink:
        """Return the link as it is from another folder."""
        return ImageLink(self.path, _relative(Path(self.path), folder), self.fingerprint)

    def find(self, folder: Path) -> Path | None:
        """Return where the image is now, as long as its content is the same; None: nowhere.

        It is looked for where it was in relation to the project, then where it was, then by its
        name beside the project.
        """
        for path in self._places(folder):
            if path.exists() and _fingerprint_or_none(path) == self.fingerprint:
                return path
        return None

    def changed(self, folder: Path) -> Path | None:
        """Return a file that lies where the image was and has another content, if there is one."""
        return next((path for path in self._places(folder)[:-1] if path.exists()), None)

    def _places(self, folder: Path) -> list[Path]:
        places = [folder / self.relative] if self.relative else []
        if not (_is_on_network(self.path) and not _is_on_network(str(folder))):
            places.append(Path(self.path))
        return [*places, folder / Path(self.path).name]


def fingerprint(path: Path) -> str:
    """Return the size of a file and a hash of its head, middle and tail; of a folder, its list.

    Raises ``ProjectError``.
    """
    try:
        return _of_folder(path) if path.is_dir() else _of_file(path)
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.") from error


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest = blake2b(digest_size=16)
        for start in sorted({0, max(0, size // 2 - _PIECE // 2), max(0, size - _PIECE)}):
            file.seek(start)
            digest.update(file.read(_PIECE))
    return f"{size}:{digest.hexdigest()}"


def _of_folder(path: Path) -> str:
    files = sorted((file.name, file.stat().st_size) for file in path.iterdir() if file.is_file())
    return f"{len(files)}:{blake2b(repr(files).encode(), digest_size=16).hexdigest()}"


def _fingerprint_or_none(path: Path) -> str | None:
    try:
        return fingerprint(path)
    except ProjectError:
        return None


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # another drive
        return ""


def _is_on_network(path: str) -> bool:
    """Say whether a path names another machine, which a stranger's project must not call."""
    return path.startswith(("\\\\", "//"))
