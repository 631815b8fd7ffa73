"""Records as bytes and back: JSON with arrays behind it, compressed; nothing that could run."""

from __future__ import annotations

import json
import struct
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from segdesk.core.errors import ProjectError

_ARRAY = "array of"  # key of a JSON object that stands for an array
_DTYPES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"} | {
    "float16",
    "float32",
    "float64",
}
_WRONG = (ValueError, TypeError, RecursionError, MemoryError, struct.error)
_LARGEST = 2**31  # bytes that one record may unpack to


def pack(tree: Any) -> bytes:
    """Return JSON values, dataclasses and arrays as bytes with a checksum; see ``unpack``."""
    import zstandard

    arrays: list[bytes] = []
    text = json.dumps(plain(tree, arrays)).encode()
    content = b"".join([struct.pack("<I", len(text)), text, *arrays])
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(content)


def unpack(data: bytes) -> Any:
    """Return what ``pack`` was given, with dicts in place of dataclasses.

    Raises ``ProjectError`` when the bytes are damaged.
    """
    import zstandard

    try:
        size = zstandard.frame_content_size(data)
        if not 4 <= size <= _LARGEST:
            raise ProjectError(f"a record of {size} bytes is damaged.")
        content = zstandard.decompress(data)
        (length,) = struct.unpack_from("<I", content)
        tree = json.loads(content[4 : 4 + length])
        return _Arrays(content, 4 + length).put_back(tree)
    except (zstandard.ZstdError, LookupError, *_WRONG) as error:
        raise ProjectError(f"a record is damaged ({error}).") from error


def plain(tree: Any, arrays: list[bytes] | None = None) -> Any:
    """Return a tree of dataclasses as JSON values; arrays are added to a list."""
    if is_dataclass(tree):
        return {f.name: plain(getattr(tree, f.name), arrays) for f in fields(tree)}
    if isinstance(tree, np.ndarray):
        if arrays is None:
            raise ProjectError("an array cannot be kept as text.")
        arrays.append(np.ascontiguousarray(tree).tobytes())
        return {_ARRAY: tree.dtype.name, "shape": list(tree.shape)}
    if isinstance(tree, dict):
        return {str(key): plain(value, arrays) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(value, arrays) for value in tree]
    return tree.item() if isinstance(tree, np.generic) else tree


def text_of(record: Any) -> str:
    """Return a dataclass as JSON text."""
    return json.dumps(plain(record), ensure_ascii=False)


def record_of(kind: type[Any], text: str) -> Any:
    """Return the dataclass that ``text_of`` was given. Raises ``ProjectError``."""
    try:
        return typed(kind, json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise ProjectError(f"a {kind.__name__} is damaged ({error}).") from error


def typed(hint: Any, value: Any) -> Any:
    """Return a value as the type that an annotation names, dataclasses from dicts.

    Fields that are absent get their defaults. Raises ``ProjectError`` where a value does not fit.
    """
    if is_dataclass(hint) and isinstance(value, dict):
        return _record(hint, value)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _first_that_fits(arguments, value)
    if origin is tuple and isinstance(value, list):
        return _tuple(arguments, value)
    if hint is float and type(value) is int:
        return float(value)
    is_right = value in arguments if origin is Literal else type(value) is (origin or hint)
    if not is_right:
        raise ProjectError(f"a record is damaged ({str(value)[:40]!r} is no {hint}).")
    return value


def _tuple(hints: tuple[Any, ...], values: list[Any]) -> tuple[Any, ...]:
    kinds = hints[:1] * len(values) if hints[-1] is ... else hints
    if len(kinds) != len(values):
        raise ProjectError(f"a record is damaged ({len(values)} values for {len(kinds)}).")
    return tuple(map(typed, kinds, values))


def _record(kind: Any, values: dict[str, Any]) -> Any:
    hints = _hints(kind)
    for field in fields(kind):
        lacks_default = field.default is MISSING and field.default_factory is MISSING
        if field.name not in values and lacks_default:
            raise ProjectError(f"a {kind.__name__} is damaged ({field.name} is missing).")
    return kind(**{name: typed(hints[name], v) for name, v in values.items() if name in hints})


def _first_that_fits(hints: tuple[Any, ...], value: Any) -> Any:
    for hint in hints:
        try:
            return typed(hint, value)
        except ProjectError:
            continue
    raise ProjectError(f"a record is damaged ({str(value)[:40]!r} fits nothing).")


@lru_cache(maxsize=64)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


class _Arrays:
    """Takes arrays from behind the JSON, in the order in which they are met."""

    def __init__(self, content: bytes, start: int) -> None:
        self._content, self._at = content, start

    def put_back(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return [self.put_back(value) for value in tree]
        if isinstance(tree, dict):
            if _ARRAY in tree:
                return self._take(str(tree[_ARRAY]), [int(n) for n in tree["shape"]])
            return {key: self.put_back(value) for key, value in tree.items()}
        return tree

    def _take(self, dtype: str, shape: list[int]) -> Any:
        if dtype not in _DTYPES or any(n < 0 for n in shape):
            raise ValueError(f"an array of {dtype[:20]}")
        count = 1
        for n in shape:
            count *= n
        start, self._at = self._at, self._at + count * np.dtype(dtype).itemsize
        if self._at > len(self._content):
            raise ValueError("an array is cut off")
        return np.frombuffer(self._content, dtype, count, start).reshape(shape)
