"""The display panel: range, gamma and bands, for images of more than 8 bits above all."""

from __future__ import annotations

from math import log

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from segdesk.core.image import ImageInfo
from segdesk.gui.displaying import AUTO, EXTREMES, Displaying
from segdesk.gui.editor import Editor
from segdesk.gui.panels.histogram import Histogram

CHANNELS = ("Red", "Green", "Blue")
WIDEST_GAMMA = 5.0
_STEPS = 100
_LIMIT = 1e12


class DisplayPanel(QWidget):
    """Shows and changes how the image is displayed, never its pixels."""

    def __init__(
        self, editor: Editor, displaying: Displaying, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._editor, self._displaying = editor, displaying
        self.histogram = Histogram()
        self.channel = QComboBox()
        self.channel.addItems(["All colours", *CHANNELS])
        self.low, self.high = _number("Black"), _number("White")
        self.gamma = QSlider(Qt.Orientation.Horizontal, minimum=-_STEPS, maximum=_STEPS)
        self.gamma.setToolTip("To the right it lightens what is dark")
        self.bands = [QComboBox() for _ in CHANNELS]
        self._form = QFormLayout()
        self._lay_out()
        self._connect()
        self._refresh_all()

    def showEvent(self, event: QShowEvent) -> None:
        """Read values only once somebody looks at them."""
        super().showEvent(event)
        self._displaying.want_sample()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for text, tip, act in (
            ("Auto", "From the 1st to the 99.8th percentile", lambda: self._fit(AUTO)),
            ("Min-Max", "From the lowest to the highest value", lambda: self._fit(EXTREMES)),
            ("Reset", "As when the image was opened", self._displaying.reset),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(act)
            buttons.addWidget(button)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow("Range of", self.channel)
        self._form.addRow("Black at", self.low)
        self._form.addRow("White at", self.high)
        self._form.addRow("Gamma", self.gamma)
        for name, combo in zip(CHANNELS, self.bands, strict=True):
            combo.setAccessibleName(f"Band shown as {name.lower()}")
            self._form.addRow(name, combo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.histogram)
        layout.addLayout(buttons)
        layout.addLayout(self._form)
        layout.addStretch()

    def _connect(self) -> None:
        self._editor.document_changed.connect(self._refresh_all)
        self._editor.display_changed.connect(self._refresh)
        self._displaying.sampled.connect(self._refresh_histogram)
        self.histogram.range_dragged.connect(self._set_range)
        self.channel.activated.connect(self._refresh_histogram)
        self.low.valueChanged.connect(self._on_numbers_changed)
        self.high.valueChanged.connect(self._on_numbers_changed)
        self.gamma.valueChanged.connect(self._on_gamma_changed)
        for combo in self.bands:
            combo.activated.connect(self._on_bands_activated)

    def _fit(self, percentiles: tuple[float, float]) -> None:
        self._displaying.fit_range(percentiles)

    def _channels(self) -> tuple[int, ...]:
        chosen = self.channel.currentIndex()
        return (0, 1, 2) if chosen <= 0 else (chosen - 1,)

    def _refresh_all(self) -> None:
        info = self._displaying.info
        self.setEnabled(info is not None)
        several = info is not None and info.bands > 1
        for row in (self.channel, *self.bands):
            self._form.setRowVisible(row, several)
        for combo in self.bands:
            combo.clear()
            combo.addItems(_band_names(info) if info else [])
        if self.isVisible():
            self._displaying.want_sample()
        self._refresh_histogram()

    def _refresh(self) -> None:
        display = self._editor.display
        if not display:
            return
        channels = self._channels()
        low = min(display.low[channel] for channel in channels)
        high = max(display.high[channel] for channel in channels)
        for box, value in ((self.low, low), (self.high, high)):
            with QSignalBlocker(box):
                box.setValue(value)
        with QSignalBlocker(self.gamma):
            self.gamma.setValue(_slider_of(display.gamma))
        for combo, band in zip(self.bands, display.bands, strict=True):
            combo.setCurrentIndex(band)
        self.histogram.show_range(low, high)

    def _refresh_histogram(self) -> None:
        sample, display = self._displaying.sample, self._editor.display
        if sample is None or display is None:
            self.histogram.clear()
        else:
            bands = sorted({display.bands[channel] for channel in self._channels()})
            self.histogram.show_values(sample[..., bands])
        self._refresh()

    def _set_range(self, low: float, high: float) -> None:
        self._displaying.set_range(self._channels(), low, high)

    def _on_numbers_changed(self) -> None:
        self._set_range(self.low.value(), self.high.value())

    def _on_gamma_changed(self, value: int) -> None:
        self._displaying.set_gamma(WIDEST_GAMMA ** (value / _STEPS))

    def _on_bands_activated(self) -> None:
        red, green, blue = (combo.currentIndex() for combo in self.bands)
        self._displaying.set_bands((red, green, blue))
        self._refresh_histogram()


def _slider_of(gamma: float) -> int:
    return round(_STEPS * log(gamma) / log(WIDEST_GAMMA))


def _number(name: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox(minimum=-_LIMIT, maximum=_LIMIT, decimals=3, keyboardTracking=False)
    box.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
    box.setAccessibleName(f"{name} at")
    return box


def _band_names(info: ImageInfo) -> list[str]:
    return [
        info.band_names[band] if band < len(info.band_names) else f"band {band + 1}"
        for band in range(info.bands)
    ]
