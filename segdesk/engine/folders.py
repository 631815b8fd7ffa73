"""Where SegDesk keeps its own files, and its few settings."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from segdesk.core.errors import SegdeskError
from segdesk.core.own_folders import own_folder


def config_folder() -> Path:
    """Return the folder of the settings; ``SEGDESK_HOME`` moves all folders elsewhere."""
    return own_folder("config")


def data_folder() -> Path:
    """Return the folder of user plugins and what must not be lost."""
    return own_folder("data")


def cache_folder() -> Path:
    """Return the folder of what can be made anew."""
    return own_folder("cache")


def plugin_folder() -> Path:
    """Return the folder in which users drop plugins: files or packages."""
    return data_folder() / "plugins"


def read_settings() -> dict[str, Any]:
    """Return the settings; an absent or damaged file counts as none."""
    try:
        settings = json.loads((config_folder() / "settings.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return settings if isinstance(settings, dict) else {}


def change_settings(**changes: Any) -> None:
    """Change some settings and write them at once. Raises ``SegdeskError``."""
    path = config_folder() / "settings.json"
    text = json.dumps(read_settings() | changes, indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            temporary.write_text(text, "utf-8")
            temporary.replace(path)
    except OSError as error:
        raise SegdeskError(f"Settings could not be saved to {path}: {error.strerror}.") from error
