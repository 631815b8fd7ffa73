"""``segdesk doctor``: what this machine offers, and why CUDA is or is not used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from segdesk.cli.ending import say
from segdesk.cli.parser import Parser
from segdesk.engine.diagnosis import diagnose


def run(arguments: list[str]) -> int:
    """Print versions, devices, folders and broken plugins."""
    parser = Parser(prog="segdesk doctor", description="Say what this machine offers.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parsed = parser.read(arguments)
    found = diagnose()
    say(json.dumps(found) if parsed.json else "\n".join(_lines(found)))
    return 0


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for part, facts in found.items():
        yield part.replace("_", " ")
        if not facts:
            yield "  none"
        for name, fact in facts.items():
            yield f"  {name.replace('_', ' '):24}{_in_words(fact)}"


def _in_words(fact: Any) -> str:
    """Return a fact in one line, such as "yes; threads 2" or "no: there is no driver"."""
    if not isinstance(fact, dict):
        return "not installed" if fact is None else str(fact)
    if "path" in fact:
        return fact["path"] + ("" if fact["writable"] else " (read-only)")
    answer = "yes" if fact.get("available") else f"no: {fact.get('reason', 'not said')}"
    rest = {key: value for key, value in fact.items() if key not in ("available", "reason")}
    return "; ".join([answer, *(f"{key} {_short(value)}" for key, value in rest.items() if value)])


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(" ".join(map(str, device.values())) for device in value)
    return str(value)
