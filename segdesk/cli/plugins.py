"""``segdesk plugins``: which there are, what they offer, and why one is broken."""

from __future__ import annotations

import json
from dataclasses import asdict

from segdesk.cli.ending import say
from segdesk.cli.parser import Parser
from segdesk.cli.table import print_table
from segdesk.engine.folders import plugin_folder
from segdesk.engine.registry import forget_plugins, registry, set_plugin_enabled


def run(arguments: list[str]) -> int:
    """List the plugins; enable or disable some from the next start on."""
    parsed = _parser().read(arguments)
    for name in parsed.enable:
        set_plugin_enabled(name, True)
    for name in parsed.disable:
        set_plugin_enabled(name, False)
    if parsed.enable or parsed.disable:
        forget_plugins()
    found = sorted(registry().plugins, key=lambda plugin: plugin.name)
    if parsed.json:
        say(json.dumps({"plugins": [asdict(plugin) for plugin in found]}))
        return 0
    rows = [(p.name, p.source, p.status, p.reason or "\n".join(p.offers)) for p in found]
    print_table(("name", "from", "status", "offers, or why not"), rows)
    say(f"Your own plugins go to {plugin_folder()}")
    return 0


def _parser() -> Parser:
    parser = Parser(prog="segdesk plugins", description="List, enable and disable plugins.")
    add = parser.add_argument
    add("--enable", metavar="NAME", action="append", default=[], help="use a plugin again")
    add("--disable", metavar="NAME", action="append", default=[], help="leave a plugin out")
    add("--json", action="store_true", help="print one JSON object instead of a table")
    return parser
