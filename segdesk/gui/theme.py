"""Colours of the window, light and dark: chosen by the user or followed from the system."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Literal

import segdesk_resources
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from segdesk.gui.settings import settings

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")
ICON_SIZE = QSize(18, 18)


@dataclass(frozen=True)
class Shades:
    """The few colours that everything is made of."""

    window: str
    base: str
    alternate: str
    button: str
    text: str
    muted: str
    border: str
    accent: str
    hover: str
    link: str
    faded: str
    warning: str


LIGHT = Shades(
    window="#f2f3f5",
    base="#ffffff",
    alternate="#f7f8fa",
    button="#fbfbfc",
    text="#1d2229",
    muted="#596270",
    border="#d0d4db",
    accent="#2762c4",
    hover="#e4e8ee",
    link="#2156b3",
    faded="#b3b9c3",
    warning="#fff1d6",
)
DARK = Shades(
    window="#25282d",
    base="#1b1d21",
    alternate="#202328",
    button="#31353c",
    text="#e5e8ec",
    muted="#a0a8b3",
    border="#41464f",
    accent="#3571d6",
    hover="#363b43",
    link="#7fb0ff",
    faded="#565d68",
    warning="#4a3a17",
)


def chosen_theme() -> Theme:
    """Return what the user has chosen."""
    value = settings().value("theme", "system")
    return next((theme for theme in THEMES if theme == value), "system")


def choose_theme(theme: Theme) -> None:
    """Remember a theme and show it."""
    settings().setValue("theme", theme)
    apply_theme()


def is_dark() -> bool:
    """Say whether the dark colours are on show."""
    theme = chosen_theme()
    if theme == "system":
        return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return theme == "dark"


def shades() -> Shades:
    """Return the colours on show."""
    return DARK if is_dark() else LIGHT


def apply_theme() -> None:
    """Colour the whole application."""
    app = QApplication.instance()
    if isinstance(app, QApplication):
        app.setPalette(_palette(shades()))
        app.setStyleSheet(_style_sheet(shades()))


def _palette(s: Shades) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette(QColor(s.button), QColor(s.window))
    colours = {
        role.Window: s.window,
        role.WindowText: s.text,
        role.Base: s.base,
        role.AlternateBase: s.alternate,
        role.Text: s.text,
        role.Button: s.button,
        role.ButtonText: s.text,
        role.BrightText: "#ffffff",
        role.Highlight: s.accent,
        role.HighlightedText: "#ffffff",
        role.Accent: s.accent,
        role.Link: s.link,
        role.PlaceholderText: s.muted,
        role.ToolTipBase: s.base,
        role.ToolTipText: s.text,
        role.Mid: s.border,
    }
    for which, colour in colours.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(s.faded))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(s.border))
    return palette


def _style_sheet(s: Shades) -> str:
    folder = Path(segdesk_resources.__path__[0])
    text = (folder / "window.qss").read_text("utf-8")
    return Template(text).substitute(asdict(s), icons=(folder / "icons").as_posix())
