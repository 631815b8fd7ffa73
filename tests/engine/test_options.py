"""Options as data: fields, parsing, and what is refused."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.errors import PluginError, UsageError
from segdesk.engine.options import OptionField, fields_of, parse_options


@dataclass(frozen=True)
class Settings:
    split: bool = False
    max_count: int = field(default=3, metadata={"minimum": 1, "maximum": 99, "help": "How many."})
    sigma: float = field(default=1.5, metadata={"minimum": 0, "unit": "px"})
    name: str = ""
    mode: Literal["fast", "fine"] = "fast"


def test_fields_know_what_a_form_and_a_flag_need():
    split, count, sigma, name, mode = fields_of(Settings)
    assert count == OptionField("max_count", "int", 3, (), "How many.", 1, 99)
    assert (count.flag, count.title) == ("--max-count", "Max count")
    assert (split.kind, name.kind, mode.kind) == ("bool", "text", "choice")
    assert sigma.allowed == "a number from 0 px up"
    assert mode.choices == ("fast", "fine")
    assert fields_of(None) == ()


def test_texts_become_an_instance():
    texts = {"split": "Yes", "max_count": "7", "sigma": "0.25", "name": "a b", "mode": "fine"}
    assert parse_options(Settings, texts) == Settings(True, 7, 0.25, "a b", "fine")
    assert parse_options(Settings, {}) == Settings()
    assert parse_options(None, {}) is None


@given(st.booleans(), st.integers(1, 99), st.floats(0, 1e9), st.sampled_from(["fast", "fine"]))
def test_what_is_printed_is_parsed(split, count, sigma, mode):
    texts = {"split": str(split), "max_count": str(count), "sigma": repr(sigma), "mode": mode}
    assert parse_options(Settings, texts) == Settings(split, count, sigma, "", mode)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("split", "maybe", "'split' takes yes or no, not 'maybe'"),
        ("max_count", "2.5", "'max_count' takes a whole number from 1 to 99, not '2.5'"),
        ("max_count", "100", "not '100'"),
        ("sigma", "nan", "'sigma' takes a number from 0 px up, not 'nan'"),
        ("sigma", "-1", "not '-1'"),
        ("mode", "slow", "'mode' takes one of fast, fine, not 'slow'"),
        ("sgima", "1", "no option 'sgima'. Known: split, max_count, sigma, name, mode"),
    ],
)
def test_a_wrong_option_is_named_with_what_it_takes(name, text, message):
    with pytest.raises(UsageError, match=message):
        parse_options(Settings, {name: text})


def test_options_of_a_segmenter_without_any():
    with pytest.raises(UsageError, match=r"no option 'sigma'\. Known: none"):
        parse_options(None, {"sigma": "1"})


@dataclass(frozen=True)
class NoDefault:
    radius: int


@dataclass(frozen=True)
class OddType:
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class OddChoice:
    level: Literal[1, 2] = 1


@dataclass(frozen=True)
class Missing:
    value: "Nowhere" = None  # noqa: F821 - what a stranger's plugin may hold


@pytest.mark.parametrize("options", [NoDefault, OddType, OddChoice, Missing])
def test_options_that_no_form_can_show_are_the_fault_of_the_plugin(options: Any):
    with pytest.raises(PluginError, match=options.__name__):
        fields_of(options)


@dataclass(frozen=True)
class Ordered:
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self):
        if self.low > self.high:
            raise ValueError("low is above high")


def test_options_that_do_not_go_together():
    with pytest.raises(UsageError, match="do not go together: low is above high"):
        parse_options(Ordered, {"low": "2"})
