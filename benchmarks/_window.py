"""A window with a user at its mouse, for benchmarks: what an event costs until it is painted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

if not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from segdesk.core.display import default_display
from segdesk.engine.document import Document
from segdesk.gui.canvas import Canvas
from segdesk.gui.editor import Editor

VIEWPORT = 1600, 1000
LEFT = Qt.MouseButton.LeftButton


class Bench:
    """A canvas that shows a document, and a user at its mouse."""

    def __init__(self, app: QApplication, document: Document) -> None:
        self.app = app
        self.editor = Editor()
        self.canvas = Canvas(self.editor)
        self.canvas.resize(*VIEWPORT)
        self.canvas.show()
        self.document = document
        self.editor.show(self.document, default_display(self.document.image.info))
        self.layer = self.document.layers[0]
        self.settle()

    def settle(self, seconds: float = 0.5) -> None:
        """Let everything be read and painted."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            time.sleep(0.001)
            self.app.processEvents()

    def measure(self, steps: Iterator[Callable[[], None]]) -> list[float]:
        """Return the seconds from each step to its picture; steps start 1/60 s apart."""
        times = []
        for step in steps:
            start = time.perf_counter()
            step()
            self.app.processEvents()
            times.append(time.perf_counter() - start)
            self.settle(1 / 60 - times[-1])
        return times

    def mouse(self, kind: QEvent.Type, x: float, y: float, held: bool) -> None:
        """Press, move or release the left button."""
        at = QPointF(x, y)
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
        buttons = LEFT if held else Qt.MouseButton.NoButton
        none = Qt.KeyboardModifier.NoModifier
        where = QPointF(self.canvas.mapToGlobal(at))
        event = QMouseEvent(kind, at, where, button, buttons, none)
        self.app.sendEvent(self.canvas, event)

    def wheel(self, x: float, y: float, notches: float) -> None:
        """Turn the wheel."""
        at = QPointF(x, y)
        where = QPointF(self.canvas.mapToGlobal(at))
        turned = QPoint(0, round(120 * notches))
        phase, none = Qt.ScrollPhase.NoScrollPhase, Qt.KeyboardModifier.NoModifier
        button = Qt.MouseButton.NoButton
        event = QWheelEvent(at, where, QPoint(), turned, button, none, phase, False)
        self.app.sendEvent(self.canvas, event)

    def look_at(self, scale: float) -> None:
        """Show the middle of the image at a scale."""
        self.canvas.fit()
        self.canvas.zoom_by(scale / self.canvas.scale)
        self.settle(0.2)
