"""``segdesk``: the window, or a command."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

from segdesk.cli import COMMANDS
from segdesk.cli.ending import exit_code
from segdesk.cli.screen import can_open_window
from segdesk.core.errors import SegdeskError
from segdesk.engine.offline import VARIABLE, keep_private

OFFLINE_FLAG = "--offline"


def main() -> int:
    """Run what the command line asks for and return its exit code."""
    # Many small products: two threads that wait for each other lose more than they win.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = [argument for argument in sys.argv[1:] if argument != OFFLINE_FLAG]
    if OFFLINE_FLAG in sys.argv[1:]:
        os.environ[VARIABLE] = "1"
    keep_private()
    if arguments and (arguments[0] in COMMANDS or arguments[0].startswith("-")):
        return exit_code(partial(_run_command, arguments))
    return exit_code(partial(_open_window, arguments))


def _run_command(arguments: list[str]) -> int:
    from segdesk.cli.app import run

    return run(arguments)


def _open_window(images: list[str]) -> int:
    if not can_open_window():
        raise SegdeskError(
            "There is no screen to open a window on; `segdesk --help` lists what works without."
        )
    from segdesk.gui.app import run

    return run([Path(image) for image in images])


if __name__ == "__main__":
    sys.exit(main())
