"""The size of the brush, in the toolbar while a tool has one."""

from __future__ import annotations

from math import log2

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from segdesk.gui.editor import MAX_RADIUS, Editor
from segdesk.gui.tools import TOOLS

STEPS = 20  # of the slider, for each doubling
LEAST = 0.5


class BrushSize(QWidget):
    """A slider for quick changes and a number for exact ones; both show the radius in pixels."""

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _step_of(300))
        self.slider.setFixedWidth(110)
        self.slider.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.number = QDoubleSpinBox(minimum=LEAST, maximum=MAX_RADIUS, decimals=1, suffix=" px")
        self.number.setKeyboardTracking(False)
        self.number.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.addWidget(QLabel("Brush"))
        for widget in (self.slider, self.number):
            widget.setToolTip("Radius of the brush in pixels of the image ([ and ], Shift+Wheel)")
            widget.setAccessibleName("Radius of the brush")
            row.addWidget(widget)
        self.slider.valueChanged.connect(lambda step: editor.set_radius(_radius_of(step)))
        self.number.valueChanged.connect(editor.set_radius)
        editor.radius_changed.connect(self._follow)
        editor.tool_changed.connect(self._follow_tool)
        self._follow()
        self._follow_tool()

    def _follow(self) -> None:
        radius = self._editor.radius
        with QSignalBlocker(self.slider), QSignalBlocker(self.number):
            self.slider.setValue(_step_of(radius))
            self.number.setValue(radius)

    def _follow_tool(self) -> None:
        tool = next((spec.make for spec in TOOLS if spec.id == self._editor.tool), None)
        self.setEnabled(getattr(tool, "has_radius", False))


def _step_of(radius: float) -> int:
    return round(STEPS * log2(max(radius, LEAST) / LEAST))


def _radius_of(step: int) -> float:
    return float(round(2 * LEAST * 2 ** (step / STEPS)) / 2)
