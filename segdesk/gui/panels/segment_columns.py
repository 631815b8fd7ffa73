"""The columns of the segment table: what they are called, and which are on show at first."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from segdesk.gui.settings import settings

_LIVE = ("id", "category", "area_px", "score", "state")
_UNITS = {"px": "px", "um": "µm", "ha": "ha"} | {unit: unit for unit in ("nm", "mm", "cm", "m")}
_SQUARES = {f"{unit}2": f"{shown}²" for unit, shown in _UNITS.items()}
_MOST_MEANS = 4  # an image of hundreds of bands would fill the table with them
_SHOWN = ("area", "perimeter", "equivalent_diameter", "eccentricity", "solidity")


def title_of(name: str) -> str:
    """Return what a column is called: "area_um2" is "Area (µm²)"."""
    words = name.split("_")
    unit = (_UNITS | _SQUARES).get(words[-1], "") if len(words) > 1 else ""
    text = " ".join(words[:-1] if unit else words).replace("bbox", "box").capitalize()
    return f"{text} ({unit})" if unit else text


def is_shown(name: str, names: Sequence[str]) -> bool:
    """Return whether the user, or nobody yet, wants to see a column of a table of some columns."""
    chosen = settings().value(_key(name))
    if chosen is not None:
        return str(chosen).lower() == "true"
    first = name.rpartition("_")[0] if name.endswith("_px") else name
    in_units = any(other.startswith(f"{first}_") and other != name for other in names)
    is_wanted = name.startswith(_SHOWN) and not (name.endswith("_px") and in_units)
    if name.startswith("mean_"):
        is_wanted = sum(other.startswith("mean_") for other in names) <= _MOST_MEANS
    return name in _LIVE or is_wanted


def remember(name: str, shown: bool) -> None:
    """Remember that the user wants to see a column, or not."""
    settings().setValue(_key(name), shown)


def shown_number(value: float) -> str:
    """Return a measured value as short as one looks at it; nothing for nan."""
    if isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 10_000 or value == int(value) else f"{value:.4g}"


def _key(name: str) -> str:
    return f"segment_columns/{name}"
