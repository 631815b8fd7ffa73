"""Options as data: from a frozen dataclass come the flags, the form, and checked values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from segdesk.core.errors import PluginError, UsageError

Kind = Literal["bool", "int", "float", "text", "choice"]
_KINDS: dict[Any, Kind] = {bool: "bool", int: "int", float: "float", str: "text"}
_ABOUT = ("help", "minimum", "maximum", "unit", "zero")
_WORDS = {"true": True, "yes": True, "on": True, "1": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True)
class OptionField:
    """One option: what a flag or a row of a form has to know."""

    name: str
    kind: Kind
    default: Any
    choices: tuple[str, ...] = ()
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    zero: str = ""  # what a form shows for 0, where that is no amount

    @property
    def flag(self) -> str:
        """Its flag on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def title(self) -> str:
        """Its name in a form."""
        return self.name.replace("_", " ").capitalize()

    @property
    def allowed(self) -> str:
        """What it takes, in words: "a number from 0 to 1"."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        words = {"bool": "yes or no", "int": "a whole number", "float": "a number", "text": "text"}
        return words[self.kind] + self._range()

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for. Raises ``UsageError``."""
        value = self._value(text.strip())
        if value is None or not self._is_in_range(value):
            raise UsageError(f"The option {self.name!r} takes {self.allowed}, not {text!r}.")
        return value

    def _value(self, text: str) -> Any:
        if self.kind == "bool":
            return _WORDS.get(text.lower())
        if self.kind == "choice":
            return text if text in self.choices else None
        if self.kind == "text":
            return text
        try:
            number = int(text) if self.kind == "int" else float(text)
        except ValueError:
            return None
        return number if math.isfinite(number) else None

    def _is_in_range(self, value: Any) -> bool:
        low = self.minimum is None or value >= self.minimum
        return low and (self.maximum is None or value <= self.maximum)

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.minimum is None and self.maximum is None:
            return f" ({self.unit})" if self.unit else ""
        if self.maximum is None:
            return f" from {_plain(self.minimum)}{unit} up"
        if self.minimum is None:
            return f" up to {_plain(self.maximum)}{unit}"
        return f" from {_plain(self.minimum)} to {_plain(self.maximum)}{unit}"


def _plain(number: float | None) -> str:
    """Return a number without an exponent where it is a whole one."""
    return f"{number:.0f}" if number == round(number or 0) else f"{number:g}"


def fields_of(options: type[Any] | None) -> tuple[OptionField, ...]:
    """Return the options of a frozen dataclass, in its order; none for None.

    Raises ``PluginError`` when a field is of a type that has no flag and no row in a form.
    """
    if options is None:
        return ()
    try:
        hints = get_type_hints(options)
    except NameError as error:
        raise PluginError(f"The options {options.__name__} cannot be read: {error}.") from error
    return tuple(_option(options, field, hints[field.name]) for field in fields(options))


def parse_options(options: type[Any] | None, values: Mapping[str, str]) -> Any:
    """Return the options made of texts by name; what is not given keeps its default.

    Returns None where there are no options. Raises ``UsageError`` that names the option and what
    it takes, or the options that there are.
    """
    known = {option.name: option for option in fields_of(options)}
    for name in values:
        if name not in known:
            names = ", ".join(known) or "none"
            raise UsageError(f"There is no option {name!r}. Known: {names}.")
    if options is None:
        return None
    try:
        return options(**{name: known[name].parse(text) for name, text in values.items()})
    except ValueError as error:
        raise UsageError(f"These options do not go together: {error}.") from error


def _option(options: type[Any], field: Field[Any], kind: Any) -> OptionField:
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    name: Kind | None = "choice" if choices else _KINDS.get(kind)
    all_text = all(isinstance(choice, str) for choice in choices)
    if name is None or not all_text or field.default is MISSING:
        raise PluginError(
            f"{options.__name__}.{field.name} must have a default and be a bool, int, float, str "
            "or Literal of strings."
        )
    about = {k: field.metadata[k] for k in _ABOUT if k in field.metadata}
    return OptionField(field.name, name, field.default, choices, **about)
