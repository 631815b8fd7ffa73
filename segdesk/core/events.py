"""A list of listeners: how the document tells the window, without knowing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Event(Generic[T]):
    """Calls every listener, in the order they came, in the thread that emits."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], None]] = []

    def connect(self, listener: Callable[[T], None]) -> None:
        """Call ``listener(value)`` at each ``emit`` from now on."""
        self._listeners.append(listener)

    def disconnect(self, listener: Callable[[T], None]) -> None:
        """Stop calling a listener."""
        self._listeners.remove(listener)

    def emit(self, value: T) -> None:
        """Tell all listeners."""
        for listener in tuple(self._listeners):
            listener(value)
