"""``segdesk doctor``: what this machine offers, and why CUDA is or is not used."""

from __future__ import annotations

import json

from segdesk.cli.ending import say
from segdesk.cli.parser import Parser
from segdesk.engine.diagnosis import diagnose, in_words


def run(arguments: list[str]) -> int:
    """Print versions, devices, folders and broken plugins."""
    parser = Parser(prog="segdesk doctor", description="Say what this machine offers.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parsed = parser.read(arguments)
    found = diagnose()
    say(json.dumps(found) if parsed.json else "\n".join(in_words(found)))
    return 0
