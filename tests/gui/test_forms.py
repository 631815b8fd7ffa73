from dataclasses import dataclass, field
from typing import Literal

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from segdesk.core.errors import PluginError
from segdesk.gui.forms import OptionsForm


@dataclass(frozen=True)
class Options:
    trees: int = field(default=10, metadata={"minimum": 1, "maximum": 500, "help": "How many"})
    blur: float = field(default=0.5, metadata={"minimum": 0.0, "maximum": 4.0, "unit": "px"})
    split: bool = False
    edges: Literal["keep", "drop"] = "keep"
    phrase: str = ""

    def __post_init__(self):
        if self.split and self.edges == "drop":
            raise ValueError("split needs edges")


@pytest.fixture
def form(qtbot):
    widget = OptionsForm(Options)
    qtbot.addWidget(widget)
    return widget


def child(form: QWidget, name: str) -> QWidget:
    return form.findChild(QWidget, name)


def test_form_starts_with_the_defaults(form):
    assert form.value() == Options()


def test_each_kind_of_option_has_its_widget(form):
    kinds = [type(child(form, name)) for name in ("trees", "blur", "split", "edges", "phrase")]
    assert kinds == [QSpinBox, QDoubleSpinBox, QCheckBox, QComboBox, QLineEdit]


def test_limits_units_and_help_reach_the_widgets(form):
    trees, blur = child(form, "trees"), child(form, "blur")
    assert (trees.minimum(), trees.maximum()) == (1, 500)
    assert blur.suffix() == " px"
    assert trees.toolTip() == "How many"
    assert trees.accessibleName() == "Trees"


def test_what_the_user_sets_comes_out_and_is_told(form, qtbot):
    with qtbot.waitSignal(form.changed):
        child(form, "trees").setValue(42)
    child(form, "edges").setCurrentText("drop")
    child(form, "phrase").setText("cells")
    assert form.value() == Options(trees=42, edges="drop", phrase="cells")


def test_showing_a_value_is_no_change_by_the_user(form, qtbot):
    with qtbot.assertNotEmitted(form.changed):
        form.show_value(Options(trees=7, blur=1.25, split=True))
    assert form.value() == Options(trees=7, blur=1.25, split=True)


def test_options_that_do_not_go_together_are_named_in_the_form(form):
    child(form, "split").setChecked(True)
    child(form, "edges").setCurrentText("drop")
    assert form.value() is None
    texts = [label.text() for label in form.findChildren(QWidget) if hasattr(label, "text")]
    assert any("split needs edges" in str(text) for text in texts)


def test_a_segmenter_without_options_has_an_empty_form(qtbot):
    widget = OptionsForm(None)
    qtbot.addWidget(widget)
    assert widget.value() is None


def test_an_option_of_an_unknown_type_is_refused(qtbot):
    @dataclass(frozen=True)
    class Odd:
        sizes: tuple = ()

    with pytest.raises(PluginError, match="sizes"):
        OptionsForm(Odd)
