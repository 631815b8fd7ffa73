"""Icons by name, coloured for the theme; the fonts behind them load when the first is asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QPolygonF, QShowEvent
from PySide6.QtWidgets import QToolButton, QWidget

from segdesk.core.segmentation import Colour
from segdesk.gui.theme import ICON_SIZE, shades


def icon(name: str, colour: str = "") -> QIcon:
    """Return an icon by its name in the Phosphor font, such as "eye"."""
    s = shades()
    result: QIcon = _phosphor().icon(
        f"ph.{name}",
        color=colour or s.text,
        color_disabled=s.faded,
        color_on=colour or "#ffffff",
        color_on_selected="#ffffff",
        color_selected=colour or "#ffffff",
    )
    return result


@cache
def _phosphor() -> Any:
    """Return the one font of qtawesome's dozen that is used: it loads in a quarter of the time."""
    from qtawesome import iconic_font

    folder = Path(iconic_font.__file__).parent / "fonts"
    font, names = (next(folder.glob(f"phosphor*.{kind}")).name for kind in ("ttf", "json"))
    return iconic_font.IconicFont(("ph", font, names))


def blank_icon() -> QIcon:
    """Return an icon of nothing."""
    pixmap = QPixmap(ICON_SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    return QIcon(pixmap)


def swatch(colour: Colour | None, size: int = 14) -> QIcon:
    """Return a square of a colour; None: of many."""
    pixmap = QPixmap(size * 2, size * 2)
    pixmap.setDevicePixelRatio(2)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(128, 128, 128, 160))
    square = QRectF(1, 1, size - 2, size - 2)
    if colour is None:
        for number, part in enumerate(((230, 159, 0), (86, 180, 233), (0, 158, 115))):
            painter.setBrush(QColor(*part))
            painter.drawPie(square, (90 + 120 * number) * 16, 120 * 16)
    else:
        painter.setBrush(QColor(*colour))
        painter.drawRoundedRect(square, 3, 3)
    painter.end()
    result = QIcon(pixmap)
    result.addPixmap(pixmap, QIcon.Mode.Selected)  # or Qt would tint it
    return result


def app_icon(size: int = 128) -> QIcon:
    """Return the program's own icon: an image cut into segments."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 64, size / 64)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#1f2a3a"))
    painter.drawRoundedRect(QRectF(2, 2, 60, 60), 14, 14)
    for colour, points in (
        ("#56b4e9", ((12, 14), (34, 10), (40, 28), (24, 38), (11, 30))),
        ("#e69f00", ((44, 12), (54, 20), (53, 42), (44, 34), (44, 27))),
        ("#009e73", ((12, 36), (24, 43), (41, 34), (50, 45), (40, 54), (18, 53))),
    ):
        painter.setBrush(QColor(colour))
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    painter.end()
    return QIcon(pixmap)


class IconButton(QToolButton):
    """A small button with an icon, which says in words what it does."""

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setIconSize(ICON_SIZE)
        self.setAutoRaise(True)

    def showEvent(self, event: QShowEvent) -> None:
        """Load the icon when it is first seen."""
        if self.icon().isNull():
            self.setIcon(icon(self._name))
        super().showEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colour of another theme."""
        if event.type() == QEvent.Type.PaletteChange and not self.icon().isNull():
            self.setIcon(icon(self._name))
        super().changeEvent(event)
