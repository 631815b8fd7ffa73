"""Facts that are worth remembering between runs, and no loss when they are gone."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from segdesk.core.own_folders import own_folder


class Remembered:
    """Facts by name, in a JSON file of the cache folder.

    Parameters
    ----------
    place
        Of the file, inside the cache folder.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def get(self, name: str) -> Any:
        """Return a fact; None for one that is not known, or when the file is damaged."""
        return self._read().get(name)

    def note(self, name: str, fact: Any) -> None:
        """Remember a fact that JSON can hold; not being able to is no failure."""
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._path.parent) as folder:
                temporary = Path(folder) / self._path.name
                temporary.write_text(json.dumps(self._read() | {name: fact}), "utf-8")
                temporary.replace(self._path)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    @property
    def _path(self) -> Path:
        return own_folder("cache") / self._place
