"""How a command ends: with an exit code and at most one line of error, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from segdesk.core.errors import Cancelled, SegdeskError, UsageError

FAILED, USAGE, STOPPED = 1, 2, 130


def exit_code(command: Callable[[], int]) -> int:
    """Call a command and return its exit code: 0 done, 1 failed, 2 usage, 130 stopped."""
    try:
        code = command()
        if sys.stdout:
            sys.stdout.flush()
    except UsageError as error:
        complain(error)
        return USAGE
    except (KeyboardInterrupt, Cancelled):
        complain("stopped")
        return STOPPED
    except SegdeskError as error:
        complain(error)
        return FAILED
    except BrokenPipeError:
        return _ignore_closed_pipe()
    return code


def say(line: str) -> None:
    """Print one line on stdout."""
    print(line)  # noqa: T201 - it is a command


def complain(what: object) -> None:
    """Print one line on stderr."""
    print(f"segdesk: {' '.join(str(what).split())}", file=sys.stderr)  # noqa: T201 - it is a command


def _ignore_closed_pipe() -> int:
    """Say nothing when the reader of our output, such as ``head``, has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at exit
    return FAILED
