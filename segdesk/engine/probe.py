"""Touches an unknown file in a process of its own, which may crash, hang or eat memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
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
    # -P: a file named like a module in the current folder must not be imported.
    command = [sys.executable, "-P", "-m", "segdesk.engine.probe_child", str(path), str(MEMORY)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, env=_frugal()
        )
    except subprocess.TimeoutExpired as error:
        raise ImageError(
            f"{path}: no thumbnail of it could be decoded within {SECONDS:.0f} s;"
            " it is damaged, or should be converted to a tiled TIFF with overviews."
        ) from error
    except OSError as error:
        raise ImageError(f"{path}: it could not be examined ({error.strerror}).") from error
    answer = _answer(done.stdout)
    if "info" in answer:
        return ImageInfo(**{name: _hashable(value) for name, value in answer["info"].items()})
    raise ImageError(answer.get("error") or f"{path}: {_end_of(done)}")


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


def _end_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """Say how a child ended that had no answer."""
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return f"the file is damaged: it made its reader crash ({name})."
    lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return f"the file is damaged: its reader failed ({lines[-1]:.120})."
