"""Asks for a range of values to paint, and shows on the canvas what that takes in."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QSignalBlocker, QSize
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from segdesk.engine.threshold import Range
from segdesk.gui.panels.histogram import Histogram
from segdesk.gui.thresholding import Seen, Thresholding

_LIMIT = 1e12
_BRIGHTNESS = -1
_PLACES = (("Selected segments", "selection"), ("What is in view", "view"), ("Image", "image"))


class ThresholdDialog(QDialog):
    """A histogram with two lines to drag, and where to paint what lies between them."""

    def __init__(self, thresholding: Thresholding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Threshold")
        self._thresholding = thresholding
        self.value = QComboBox()
        self.histogram = Histogram()
        self.low, self.high = _number("Lowest value"), _number("Highest value")
        self.where = QComboBox()
        self.over = QCheckBox("Also paint over other segments")
        self.share = QLabel()
        self.share.setObjectName("muted")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.paint = self._buttons.addButton("Paint", QDialogButtonBox.ButtonRole.AcceptRole)
        self._fill()
        self._lay_out()
        self._connect()
        self._look()

    def sizeHint(self) -> QSize:
        """Return a size at which the histogram can be read."""
        return QSize(380, super().sizeHint().height())

    def showEvent(self, event: QShowEvent) -> None:
        """Stand at the side, so that the preview can be seen."""
        super().showEvent(event)
        window = self.parentWidget()
        if window:
            self.move(window.mapToGlobal(QPoint(window.width() - self.width() - 12, 90)))

    def range(self) -> Range:
        """Return what has been chosen."""
        band = self.value.currentData()
        if band == _BRIGHTNESS:
            return Range(self.low.value(), self.high.value(), 0, self._thresholding.display)
        return Range(self.low.value(), self.high.value(), band)

    def accept(self) -> None:
        """Paint."""
        place = self._thresholding.place(self.where.currentData(), self.over.isChecked())
        super().accept()
        if place:
            self._thresholding.paint(place, self.range())

    def done(self, result: int) -> None:
        """Take the preview away."""
        self._thresholding.stop()
        super().done(result)

    def _fill(self) -> None:
        info = self._thresholding.info
        for number in range(info.bands):
            name = info.band_names[number] if number < len(info.band_names) else ""
            self.value.addItem(name or f"Band {number + 1}", number)
        self.value.addItem("Brightness as displayed", _BRIGHTNESS)
        for title, where in _PLACES:
            if where != "selection" or self._thresholding.has_selection:
                self.where.addItem(title, where)
        self.histogram.setToolTip("Drag the lines: what lies between them is painted")
        self.paint.setObjectName("primary")
        self.paint.setDefault(True)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Value", self.value)
        form.addRow("From", self.low)
        form.addRow("To", self.high)
        form.addRow("Inside", self.where)
        form.addRow("Category", QLabel(self._thresholding.category))
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self.histogram)
        column.addLayout(form)
        for widget in (self.over, self.share, self._buttons):
            column.addWidget(widget)

    def _connect(self) -> None:
        self.value.currentIndexChanged.connect(self._look)
        self.histogram.range_dragged.connect(self._show_range)
        for box in (self.low, self.high):
            box.valueChanged.connect(self._refresh)
        self.where.currentIndexChanged.connect(self._refresh)
        self.over.toggled.connect(self._refresh)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._thresholding.seen.connect(self._on_seen)

    def _look(self) -> None:
        self.paint.setEnabled(False)
        self._thresholding.look(self.range())

    def _on_seen(self, seen: Seen) -> None:
        """Begin with the brighter half of the values."""
        values = seen.values[np.isfinite(seen.values)]
        self.histogram.show_values(values)
        if values.size:
            self._show_range((float(values.min()) + float(values.max())) / 2, float(values.max()))
        self.paint.setEnabled(True)

    def _show_range(self, low: float, high: float) -> None:
        for box, value in ((self.low, low), (self.high, high)):
            with QSignalBlocker(box):
                box.setValue(value)
        self._refresh()

    def _refresh(self) -> None:
        within = self.range()
        self.histogram.show_range(within.low, within.high)
        place = self._thresholding.place(self.where.currentData(), self.over.isChecked())
        self.over.setEnabled(self.where.currentData() != "selection")
        if place:
            share = self._thresholding.preview(place, within)
            self.share.setText(f"{share:.1%} of what is on show")


def _number(name: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox(decimals=2, minimum=-_LIMIT, maximum=_LIMIT, keyboardTracking=False)
    box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setAccessibleName(name)
    return box
