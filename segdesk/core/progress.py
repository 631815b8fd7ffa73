"""Progress and stop in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

Report = Callable[[float, str], None]
"""``report(fraction, message)``: fraction in 0..1; raises ``Cancelled`` after a stop."""


def silent(fraction: float, message: str) -> None:
    """Report to nobody."""


def part(report: Report, start: float, stop: float) -> Report:
    """Return a report that maps 0..1 onto ``start..stop`` of another one."""

    def scaled(fraction: float, message: str) -> None:
        report(start + (stop - start) * fraction, message)

    return scaled


def each(items: Iterable[T], report: Report, message: str) -> Iterator[T]:
    """Yield items, and report before each how many have been done."""
    every = tuple(items)
    for number, item in enumerate(every):
        report(number / len(every), message)
        yield item
