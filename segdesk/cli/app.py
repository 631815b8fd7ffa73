"""Finds the command that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

import segdesk
from segdesk.cli import COMMANDS
from segdesk.cli.parser import Parser


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code. Raises ``SegdeskError``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # file names may hold what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    name, *rest = arguments
    if name in COMMANDS:
        code: int = import_module(f"segdesk.cli.{name}").run(rest)
        return code
    _top_level().parse_args(arguments)
    return 0


def _top_level() -> Parser:
    commands = "\n".join(f"  {name:13}{what}" for name, what in COMMANDS.items())
    parser = Parser(
        prog="segdesk",
        usage="segdesk [IMAGE...]    opens the window\n       segdesk COMMAND ...",
        description=f"{segdesk.__doc__}\n\ncommands:\n{commands}",
        epilog="Type `segdesk COMMAND --help` to see what a command takes. With --offline, or\n"
        "SEGDESK_OFFLINE=1, nothing uses the network.",
    )
    parser.add_argument("--version", action="version", version=f"segdesk {segdesk.__version__}")
    return parser
