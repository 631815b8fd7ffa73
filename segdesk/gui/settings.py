"""What the window remembers from one start to the next."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings

from segdesk.engine.folders import config_folder

RECENT = 12


def settings() -> QSettings:
    """Return the window's settings, an INI file among the program's own."""
    return QSettings(str(config_folder() / "window.ini"), QSettings.Format.IniFormat)


def recent_files() -> list[Path]:
    """Return the images opened last, the latest first."""
    stored = settings().value("recent", [])
    names = [stored] if isinstance(stored, str) else stored or []
    return [Path(name) for name in names]


def remember_file(path: Path) -> None:
    """Put a file on top of the recent ones."""
    others = [other for other in recent_files() if other != path]
    settings().setValue("recent", [str(p) for p in (path, *others)][:RECENT])


def forget_files(paths: list[Path]) -> None:
    """Take files off the list of recent ones."""
    settings().setValue("recent", [str(p) for p in recent_files() if p not in paths])
