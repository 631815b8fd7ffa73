"""Arrays that two processes share, with no copy through a pipe."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_SYSTEM_FOLDER = Path("/dev/shm")  # where Linux keeps shared memory
_ALIGNMENT = 64  # bytes


@dataclass(frozen=True)
class Parcel:
    """Where arrays lie in shared memory: all that another process needs to find them."""

    name: str
    places: tuple[tuple[int, tuple[int, ...], str], ...]  # offset, shape, dtype of each array


def pack(arrays: Sequence[Array]) -> tuple[Parcel, SharedMemory] | None:
    """Copy arrays into new shared memory; None when the system has no room for it.

    The caller unlinks the memory; those who have opened it by then keep it.
    """
    places, size = [], 0
    for array in arrays:
        places.append((size, array.shape, array.dtype.str))
        size += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    if not _has_room(size):
        return None
    memory = SharedMemory(create=True, size=max(1, size))
    parcel = Parcel(memory.name, tuple(places))
    for array, view in zip(arrays, _views(parcel, memory), strict=True):
        np.copyto(view, array)
    return parcel, memory


def unpack(parcel: Parcel) -> tuple[list[Array], SharedMemory]:
    """Return read-only views of arrays that another process has packed, and their memory."""
    memory = SharedMemory(parcel.name)
    views = _views(parcel, memory)
    for view in views:
        view.flags.writeable = False
    return views, memory


def _views(parcel: Parcel, memory: SharedMemory) -> list[Array]:
    return [
        np.ndarray(shape, np.dtype(dtype), memory.buf, offset)
        for offset, shape, dtype in parcel.places
    ]


def _has_room(size: int) -> bool:
    """Whether shared memory can grow: beyond its limit, writing to it would end the program."""
    if not _SYSTEM_FOLDER.is_dir():
        return True
    return size < shutil.disk_usage(_SYSTEM_FOLDER).free
