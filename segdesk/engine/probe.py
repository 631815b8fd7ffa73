"""Touches an unknown file in a process of its own, which may crash, hang or eat memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from segdesk.core.errors import ImageError
from segdesk.core.image import ImageInfo
from segdesk.engine.readers import find_reader

SECONDS = 8.0
MEMORY = 960 * 2**20  # bytes, above what the process needs to start


def probe(path: Path) -> ImageInfo:
    """Open a file and decode a thumbnail in a child process; return what its header says.

    Raises
    ------
    ImageError
        When the file is no image, is damaged, needs more than ``MEMORY`` or ``SECONDS``, or makes
        its reader crash.
    """
    find_reader(path)
    try:
        child = _spare.take()
        question = json.dumps([str(path), MEMORY]) + "\n"
        try:
            output, complaints = child.communicate(question.encode(), timeout=SECONDS)
        finally:
            _end(child)
    except subprocess.TimeoutExpired as error:
        raise ImageError(
            f"{path}: no thumbnail of it could be decoded within {SECONDS:.0f} s;"
            " it is damaged, or should be converted to a tiled TIFF with overviews."
        ) from error
    except OSError as error:
        raise ImageError(f"{path}: it could not be examined ({error.strerror}).") from error
    answer = _answer(output)
    if "info" in answer:
        return ImageInfo(**{name: _hashable(value) for name, value in answer["info"].items()})
    raise ImageError(answer.get("error") or f"{path}: {_end_of(child.returncode, complaints)}")


def prepare() -> None:
    """Start the child of the next probe, most of whose time goes into imports."""
    _spare.prepare()


def dismiss() -> None:
    """End a child that has been prepared."""
    _spare.dismiss()


class _Spare:
    """At most one child that waits for a file to examine."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def take(self) -> subprocess.Popen[bytes]:
        """Return the child that waits, or else a new one. Raises ``OSError``."""
        with self._lock:
            child, self._child = self._child, None
        if child and child.poll() is None:
            return child
        if child:
            _end(child)
        return _start()

    def prepare(self) -> None:
        with self._lock, suppress(OSError):
            self._child = self._child or _start()

    def dismiss(self) -> None:
        with self._lock:
            child, self._child = self._child, None
        if child:
            _end(child)


_spare = _Spare()


def _start() -> subprocess.Popen[bytes]:
    # -P: a file named like a module in the current folder must not be imported.
    command = [sys.executable, "-P", "-m", "segdesk.engine.probe_child"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=_frugal())


def _end(child: subprocess.Popen[bytes]) -> None:
    with child:  # which closes its pipes and waits
        if child.poll() is None:
            child.kill()


def _frugal() -> dict[str, str]:
    """Return the environment with one thread a library: each more takes address space."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _answer(output: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(output.splitlines()[-1]) if output else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value


def _end_of(code: int, complaints: bytes) -> str:
    """Say how a child ended that had no answer."""
    if code < 0:
        return f"the file is damaged: it made its reader crash ({signal.Signals(-code).name})."
    lines = complaints.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return f"the file is damaged: its reader failed ({lines[-1]:.120})."
