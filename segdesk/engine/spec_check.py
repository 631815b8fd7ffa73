"""Refuses specs that break the contract, when a plugin is loaded and not when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from segdesk.api import Checkpoint, Prompt
from segdesk.engine.options import fields_of

_TASKS = ("semantic", "instance", "panoptic", "prompted", "in-context")


def check_spec(spec: Any) -> None:
    """Raise ``TypeError`` or ``PluginError`` that names the spec and its bad fields."""
    kind = type(spec).__name__
    wrong = [name for name, value in vars(spec).items() if not _FITS.get(name, _any)(value)]
    if wrong:
        raise TypeError(f"{kind}({spec.id!r}) has a bad {', '.join(wrong)}")
    fields_of(getattr(spec, "options", None))


def _any(value: Any) -> bool:
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_id(value: Any) -> bool:
    """Say whether a value can stand on a command line and in a list with commas."""
    return _is_text(value) and not any(char.isspace() or char == "," for char in value)


def _are_options(value: Any) -> bool:
    dataclass_params = getattr(value, "__dataclass_params__", None)
    return value is None or (
        isinstance(value, type) and dataclass_params is not None and dataclass_params.frozen
    )


def _are_prompts(value: Any) -> bool:
    return isinstance(value, frozenset) and value <= set(get_args(Prompt))


def _are_checkpoints(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(entry, Checkpoint) for entry in value)


def _are_suffixes(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(suffix, str) and suffix.startswith(".") and suffix == suffix.lower()
        for suffix in value
    )


_FITS: dict[str, Callable[[Any], bool]] = {
    "id": _is_id,
    "title": _is_text,
    "segmenter_id": _is_text,
    "task": _TASKS.__contains__,
    "open": callable,
    "sniff": callable,
    "write": callable,
    "check": callable,
    "losses": callable,
    "train": callable,
    "options": _are_options,
    "prompts": _are_prompts,
    "checkpoints": _are_checkpoints,
    "suffixes": _are_suffixes,
}
