"""Reads flags; what is wrong is said in one line."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any, NoReturn

from segdesk.core.errors import PluginError, UsageError
from segdesk.engine.options import OptionField

_PREFIX = "option:"


class Parser(argparse.ArgumentParser):
    """Raises ``UsageError`` instead of printing its usage, and never guesses a flag."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings
        )

    def error(self, message: str) -> NoReturn:
        """Raise ``UsageError``."""
        raise UsageError(f"{message}. Type `{self.prog} --help`.")

    def read(self, arguments: list[str]) -> argparse.Namespace:
        """Return the values of all flags; images and flags may come in any order.

        Raises ``UsageError`` that lists the known flags when there is one too many.
        """
        parsed, rest = self.parse_known_intermixed_args(arguments)
        if rest and not rest[0].startswith("-"):
            raise UsageError(f"{rest[0]!r} is one too many. Type `{self.prog} --help`.")
        if rest:
            flags = [flag for action in self._actions for flag in action.option_strings]
            known = ", ".join(flag for flag in flags if flag.startswith("--"))
            raise UsageError(f"There is no option {rest[0]!r}. Known: {known}.")
        return parsed

    def add_options(self, title: str, options: Iterable[OptionField]) -> None:
        """Add a flag for each option. Raises ``PluginError`` when one is taken already."""
        group = self.add_argument_group(title)
        for option in options:
            settings: dict[str, Any] = {"dest": _PREFIX + option.name, "help": _help(option)}
            if option.kind == "bool":
                settings["action"] = argparse.BooleanOptionalAction
            else:
                settings["metavar"] = "|".join(option.choices) or option.kind.upper()
            try:
                group.add_argument(option.flag, **settings)
            except argparse.ArgumentError as error:
                raise PluginError(f"{title}: {option.flag} is a flag of the command.") from error


def options_in(parsed: argparse.Namespace) -> dict[str, str]:
    """Return the texts of the options that were given, by name."""
    return {
        key.removeprefix(_PREFIX): str(value)
        for key, value in vars(parsed).items()
        if key.startswith(_PREFIX) and value is not None
    }


def _help(option: OptionField) -> str:
    facts = [] if option.kind in ("bool", "choice") else [option.allowed]
    if option.default != "":
        facts.append(f"default {option.default}")
    return f"{option.help.rstrip('.')} ({'; '.join(facts)})".strip().replace("%", "%%")
