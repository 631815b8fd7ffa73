"""Files of weights in the safetensors format, read with NumPy alone.

Source: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report, silent

_LARGEST_HEADER = 100_000_000  # bytes, as in the format's own library
_CHUNK = 2**24  # bytes, a multiple of every item's size
_SIZES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}
Bytes = NDArray[np.uint8]


def _exponent(dtype: type[Any], bits: int) -> Callable[[Bytes], bool]:
    """Return a test for numbers whose exponent is all ones: infinite, or none at all."""
    return lambda raw: bool(((raw.view(dtype) & bits) == bits).any())


_IS_DAMAGED: dict[str, Callable[[Bytes], bool]] = {
    "F64": _exponent(np.uint64, 0x7FF0_0000_0000_0000),
    "F32": _exponent(np.uint32, 0x7F80_0000),
    "F16": _exponent(np.uint16, 0x7C00),
    "BF16": _exponent(np.uint16, 0x7F80),
    "F8_E5M2": _exponent(np.uint8, 0x7C),
    "F8_E4M3": _exponent(np.uint8, 0x7F),  # has no infinity: all ones is not a number
}


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies in its file."""

    name: str
    dtype: str  # as the format names it: "F32", "BF16", ...
    shape: tuple[int, ...]
    start: int  # bytes from the beginning of the file
    stop: int


def tensors_in(file: Path) -> list[Tensor]:
    """Return what a file of weights says it holds, in the order of its bytes.

    Raises ``CheckpointError`` unless the tensors fill the file from end to end.
    """
    try:
        with file.open("rb") as content:
            size = int.from_bytes(content.read(8), "little")
            if size > _LARGEST_HEADER:
                raise ValueError("no safetensors file")
            header = json.loads(content.read(size))
            found = [
                _tensor(name, entry, 8 + size)
                for name, entry in header.items()
                if name != "__metadata__"
            ]
        found.sort(key=lambda tensor: (tensor.start, tensor.stop))
        _check_filled(found, 8 + size, file.stat().st_size)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{file}: damaged, or no safetensors file ({error}).") from error
    return found


def check_finite(file: Path, report: Report = silent) -> None:
    """Raise ``CheckpointError`` when a file of weights is damaged, or a weight is no number."""
    found = tensors_in(file)
    total = max((tensor.stop for tensor in found), default=1)
    with file.open("rb") as content:
        for tensor in found:
            is_damaged = _IS_DAMAGED.get(tensor.dtype)
            if is_damaged is None:  # whole numbers
                continue
            content.seek(tensor.start)
            for start in range(tensor.start, tensor.stop, _CHUNK):
                report(start / total, f"Checking {file.name}")
                raw = content.read(min(_CHUNK, tensor.stop - start))
                if is_damaged(np.frombuffer(raw, np.uint8)):
                    raise CheckpointError(
                        f"{file}: the weight {tensor.name} is not finite: it is damaged."
                    )


def count_weights(files: list[Path]) -> int:
    """Return how many numbers files of weights hold. Raises ``CheckpointError``."""
    return sum(prod(tensor.shape) for file in files for tensor in tensors_in(file))


def _tensor(name: str, entry: Any, origin: int) -> Tensor:
    shape = tuple(_whole(number) for number in entry["shape"])
    start, stop = (_whole(number) for number in entry["data_offsets"])
    if entry["dtype"] not in _SIZES:
        raise ValueError(f"{name} is of the unknown kind {entry['dtype']!r}")
    if stop - start != prod(shape) * _SIZES[entry["dtype"]]:
        raise ValueError(f"{name} has another size than its shape")
    return Tensor(name, entry["dtype"], shape, origin + start, origin + stop)


def _whole(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"{number!r:.40} is no size")
    return number


def _check_filled(found: list[Tensor], place: int, size: int) -> None:
    for tensor in found:
        if tensor.start != place:
            raise ValueError(f"{tensor.name} overlaps another weight, or leaves a gap")
        place = tensor.stop
    if place != size:
        raise ValueError(f"it has {size} bytes and should have {place}")
