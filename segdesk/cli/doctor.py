"""``segdesk doctor``: what this machine offers, and why CUDA is or is not used."""

from __future__ import annotations

import json

from segdesk.cli.ending import say
from segdesk.cli.parser import Parser
from segdesk.cli.progress import progress_bar
from segdesk.engine.devices import self_test
from segdesk.engine.diagnosis import diagnose, in_words, test_in_words


def run(arguments: list[str]) -> int:
    """Print versions, devices, folders and broken plugins; measure the devices when asked."""
    parser = Parser(prog="segdesk doctor", description="Say what this machine offers.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument("--test", action="store_true", help="measure the devices: ten seconds each")
    parsed = parser.read(arguments)
    found = diagnose()
    lines = [*in_words(found)]
    if parsed.test:
        with progress_bar(1, parsed.json) as report_of:
            found["self_test"] = self_test(report_of(0, "doctor"))
        lines += test_in_words(found["self_test"])
    say(json.dumps(found) if parsed.json else "\n".join(lines))
    return 0
