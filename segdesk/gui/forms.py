"""Makes a form from a frozen dataclass of options: one row a field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from segdesk.engine.options import OptionField, fields_of

_INT_LIMIT = 2**31 - 1
_FLOAT_LIMIT = 1e12


class OptionsForm(QWidget):
    """Shows and changes an instance of an options dataclass.

    Signals
    -------
    changed
        The user changed an option.
    """

    changed = Signal()

    def __init__(self, options: type[Any] | None, parent: QWidget | None = None) -> None:
        """Make the form. Raises ``PluginError`` when an option has no row."""
        super().__init__(parent)
        self._options = options
        self._read: dict[str, Callable[[], Any]] = {}
        self._write: dict[str, Callable[[Any], object]] = {}
        self._problem = QLabel(wordWrap=True)
        self._problem.hide()
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for field in fields_of(options):
            self._add_row(layout, field)
        layout.addRow(self._problem)

    def value(self) -> Any:
        """Return the options as they are set; None where there are none or they do not go together.

        In the second case the form says why.
        """
        if self._options is None:
            return None
        try:
            value = self._options(**{name: read() for name, read in self._read.items()})
        except ValueError as error:
            self._problem.setText(f"These options do not go together: {error}.")
            self._problem.show()
            return None
        self._problem.hide()
        return value

    def show_value(self, value: Any) -> None:
        """Show an instance of the options, without telling of a change."""
        with QSignalBlocker(self):
            for name, write in self._write.items():
                write(getattr(value, name))

    def _add_row(self, layout: QFormLayout, field: OptionField) -> None:
        widget = self._make_widget(field)
        widget.setObjectName(field.name)
        widget.setToolTip(field.help)
        widget.setAccessibleName(field.title)
        widget.setAccessibleDescription(field.help)
        if isinstance(widget, QCheckBox):
            layout.addRow(widget)
        else:
            label = QLabel(field.title)
            label.setToolTip(field.help)
            label.setBuddy(widget)
            layout.addRow(label, widget)

    def _make_widget(self, field: OptionField) -> QWidget:
        if field.kind == "bool":
            return self._make_check_box(field)
        if field.kind == "choice":
            return self._make_combo(field)
        if field.kind == "text":
            return self._make_line(field)
        return self._make_spin_box(field)

    def _make_check_box(self, field: OptionField) -> QWidget:
        box = QCheckBox(field.title)
        box.setChecked(field.default)
        self._bind(field, box.isChecked, box.setChecked)
        box.toggled.connect(self.changed)
        return box

    def _make_combo(self, field: OptionField) -> QWidget:
        combo = QComboBox()
        combo.addItems(list(field.choices))
        combo.setCurrentText(field.default)
        self._bind(field, combo.currentText, combo.setCurrentText)
        combo.currentTextChanged.connect(self.changed)
        return combo

    def _make_line(self, field: OptionField) -> QWidget:
        line = QLineEdit(field.default)
        self._bind(field, line.text, line.setText)
        line.editingFinished.connect(self.changed)
        return line

    def _make_spin_box(self, field: OptionField) -> QWidget:
        limit = _INT_LIMIT if field.kind == "int" else _FLOAT_LIMIT
        low = -limit if field.minimum is None else field.minimum
        high = limit if field.maximum is None else field.maximum
        box: QSpinBox | QDoubleSpinBox
        if field.kind == "int":
            box = QSpinBox(minimum=int(low), maximum=int(high))
        else:
            box = QDoubleSpinBox(decimals=_decimals(low, high), minimum=low, maximum=high)
        box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        box.setKeyboardTracking(False)
        box.setSuffix(f" {field.unit}" if field.unit else "")
        box.setSpecialValueText(field.zero if low == 0 else "")
        box.setValue(field.default)
        self._bind(field, box.value, box.setValue)
        box.valueChanged.connect(self.changed)
        return box

    def _bind(
        self, field: OptionField, read: Callable[[], Any], write: Callable[[Any], object]
    ) -> None:
        self._read[field.name] = read
        self._write[field.name] = write


def _decimals(low: float, high: float) -> int:
    """Return as many decimals as a range asks for: 0 to 1 in thousandths, 0 to 1000 in tenths."""
    span = high - low
    return 3 if span <= 10 else 2 if span <= 1000 else 1 if span <= 1e6 else 4
