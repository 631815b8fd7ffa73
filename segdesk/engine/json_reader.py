"""Reads JSON that a stranger may have written: every value is checked, nothing is left over."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import PromptError
from segdesk.core.segmentation import Colour

HIGHEST_ID = 65535


class JsonReader:
    """Takes the values of a JSON object one by one, and refuses what is left over."""

    def __init__(self, content: Any, where: str, folder: Path | None = None) -> None:
        self._where = where
        self._folder = folder
        if not isinstance(content, dict):
            raise self.error(f"must be an object, not {short(content)}")
        self._left = dict(content)

    def error(self, what: str) -> PromptError:
        """Return an error that says where it is."""
        return PromptError(f"{self._where} {what}.")

    def take(
        self, key: str, kind: str, is_right: Callable[[Any], bool], default: Any = None
    ) -> Any:
        """Return a value and cross it off; without a default it must be there."""
        if key not in self._left and default is not None:
            return default
        if key not in self._left:
            raise self.error(f"lacks {key!r}")
        value = self._left.pop(key)
        if not is_right(value):
            raise self.error(f"needs {kind} as {key!r}, not {short(value)}")
        return value

    def items(self, key: str, optional: bool = False) -> list[JsonReader]:
        """Return a reader for each object of a list."""
        values = self.take(key, "a list", _is_list, [] if optional else None)
        places = [f"{key}[{number}]" for number in range(len(values))]
        return [JsonReader(v, place, self._folder) for v, place in zip(values, places, strict=True)]

    def text(self, key: str) -> str:
        """Return a text that is not blank."""
        return str(self.take(key, "a text", lambda v: isinstance(v, str) and bool(v.strip())))

    def number(self, key: str) -> float:
        """Return a finite number."""
        return float(self.take(key, "a number", _is_number))

    def whole(self, key: str, default: int | None = None, highest: int = HIGHEST_ID) -> int:
        """Return a whole number from 0 up."""
        kind = f"a whole number from 0 to {highest}"
        return int(self.take(key, kind, lambda v: type(v) is int and 0 <= v <= highest, default))

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        return bool(self.take(key, "true or false", lambda v: isinstance(v, bool), default))

    def flags(self, key: str, default: list[bool]) -> NDArray[np.bool_]:
        """Return a list of true and false."""
        return np.array(self.take(key, "a list of true and false", _is_flags, default), bool)

    def pairs(self, key: str) -> NDArray[np.float64]:
        """Return (N, 2) coordinates, at least one pair."""
        return np.array(self.take(key, "a list of [x, y] pairs", _is_path), np.float64)

    def colour(self, key: str, default: Colour) -> Colour:
        """Return [red, green, blue], each 0 to 255."""
        kind = "[red, green, blue] of 0 to 255"
        red, green, blue = self.take(key, kind, _is_colour, list(default))
        return red, green, blue

    def file(self, key: str) -> Path:
        """Return the path of a file that lies inside the folder."""
        name = self.text(key)
        folder = self._folder
        if folder is None or "\0" in name or not _is_inside(folder / name, folder):
            raise self.error(f"names a file outside its own folder, {short(name)}")
        return folder / name

    def finish(self) -> None:
        """Refuse keys that nobody asked for: they may be misspelt."""
        if self._left:
            raise self.error(f"holds an unknown {next(iter(self._left))!r}")


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_flags(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, bool) for item in value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e12 and math.isfinite(value)


def _is_path(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(xy, list) and len(xy) == 2 and all(map(_is_number, xy)) for xy in value)
    )


def _is_colour(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(type(band) is int and 0 <= band <= 255 for band in value)
    )


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def short(value: Any) -> str:
    """Return a value as JSON, cut to fit in a message."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "..."
