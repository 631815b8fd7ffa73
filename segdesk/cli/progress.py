"""A progress bar on stderr, where somebody looks at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from segdesk.core.progress import Report, silent


@contextmanager
def progress_bar(total: int, quiet: bool) -> Iterator[Callable[[int, str], Report]]:
    """Show one bar over several jobs; gives the report of the n-th one by number and name."""
    if quiet or not sys.stderr.isatty():
        yield lambda number, name: silent
        return
    from rich.console import Console
    from rich.progress import Progress

    both = sys.stdout.isatty()  # else lines on stdout go where the user sent them
    with Progress(console=Console(stderr=True), transient=True, redirect_stdout=both) as bar:
        task = bar.add_task("", total=total)

        def report_of(number: int, name: str) -> Report:
            def report(fraction: float, message: str) -> None:
                bar.update(task, completed=number + fraction, description=f"{name}: {message}")

            return report

        yield report_of
