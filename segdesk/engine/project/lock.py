"""One owner of a project at a time: a lock of the operating system, which ends with its process."""

from __future__ import annotations

import json
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

_ENDING = "-lock"
_BYTE = 1 << 30  # what is locked on Windows, where nobody could read the owner otherwise


class Locked(Exception):
    """Somebody else has the lock; the message says who."""


class Lock:
    """The lock of a project file, beside it. Raises ``Locked``, or ``OSError`` without one.

    A process that is killed leaves the file, but not the lock.
    """

    def __init__(self, project: Path) -> None:
        self._path = lock_path(project)
        while True:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _take(self._file)
            except BlockingIOError as error:
                owner = _owner(self._file)
                os.close(self._file)
                raise Locked(owner) from error
            except BaseException:
                os.close(self._file)
                raise
            if self._is_current():
                break
            os.close(self._file)  # its last owner has just removed it
        self._sign()

    def release(self) -> None:
        """Let go of the lock and remove its file."""
        if sys.platform != "win32" and self._is_current():
            with suppress(OSError):
                self._path.unlink()  # while it is held: nobody can own a file that is gone
        os.close(self._file)
        if sys.platform == "win32":
            with suppress(OSError):
                self._path.unlink()

    def _is_current(self) -> bool:
        with suppress(OSError):
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        return False

    def _sign(self) -> None:
        owner = json.dumps({"process": os.getpid(), "host": platform.node()}).encode()
        with suppress(OSError):  # a full disk: the lock holds without a name on it
            os.ftruncate(self._file, 0)
            os.write(self._file, owner)


def lock_path(project: Path) -> Path:
    """Return the file that the lock is on; as long as SQLite's own files beside it."""
    return project.with_name(project.name + _ENDING)


def is_free(project: Path) -> bool:
    """Say whether nobody has a project open."""
    try:
        file = os.open(lock_path(project), os.O_RDONLY if sys.platform != "win32" else os.O_RDWR)
    except OSError:
        return True
    try:
        _take(file)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def _owner(file: int) -> str:
    try:
        signed = json.loads(
            os.pread(file, 4096, 0) if hasattr(os, "pread") else os.read(file, 4096)
        )
        process, host = int(signed["process"]), str(signed["host"])
    except (OSError, ValueError, TypeError, KeyError):
        return "it is open in another window"
    where = "" if host == platform.node() else f" on {host}"
    return f"it is open in another window (process {process}{where})"


if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        os.lseek(file, _BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError from error
        finally:
            os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
