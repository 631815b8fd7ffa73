"""Steps that can be undone and redone, within a budget of memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, Self, TypeVar

T = TypeVar("T", contravariant=True)

BUDGET = 512 * 2**20  # bytes


class Change(Protocol[T]):
    """One reversible change, kept as data."""

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        ...

    def undo(self, target: T) -> None:
        """Put the target back as it was before."""
        ...

    def redo(self, target: T) -> None:
        """Make the change again."""
        ...

    def then(self, later: object) -> Self | None:
        """Return one change that does both; None where it takes two."""
        ...


@dataclass(frozen=True)
class Step(Generic[T]):
    """What one press of undo takes back."""

    name: str  # as shown in menus: "Brush stroke"
    changes: tuple[Change[T], ...]
    key: str = ""  # a step with the same key as the one before it joins that one

    @cached_property
    def nbytes(self) -> int:
        """Memory that all its changes held when the step was added to the history."""
        return sum(change.nbytes for change in self.changes)

    def then(self, later: Step[T]) -> Step[T]:
        """Return one step of both: a value that is replaced time and again is replaced once."""
        changes, rest = self.changes, later.changes
        joined = changes[-1].then(rest[0]) if changes and rest else None
        if joined:
            changes, rest = (*changes[:-1], joined), rest[1:]
        return Step(self.name, changes + rest, self.key)


class History(Generic[T]):
    """All steps, and how many of them are done.

    The oldest steps are forgotten once the steps together hold more than ``budget`` bytes; the
    newest one is always kept.
    """

    def __init__(self, target: T, budget: int = BUDGET) -> None:
        self._target = target
        self._steps: list[Step[T]] = []
        self._done = 0
        self._nbytes = 0
        self.budget = budget

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all steps, oldest first."""
        return tuple(step.name for step in self._steps)

    @property
    def done(self) -> int:
        """How many of the steps are done; the rest can be redone."""
        return self._done

    @property
    def last(self) -> Step[T] | None:
        """The step that ``undo`` would take back."""
        return self._steps[self._done - 1] if self._done else None

    @property
    def next(self) -> Step[T] | None:
        """The step that ``redo`` would make again."""
        return self._steps[self._done] if self._done < len(self._steps) else None

    def push(self, step: Step[T]) -> None:
        """Add a step that has just been done; what was undone before is forgotten."""
        for forgotten in self._steps[self._done :]:
            self._nbytes -= forgotten.nbytes
        del self._steps[self._done :]
        last = self.last
        if last and step.key and step.key == last.key:
            self._nbytes -= last.nbytes
            step = last.then(step)
            self._steps.pop()
        self._steps.append(step)
        self._nbytes += step.nbytes
        while self._nbytes > self.budget and len(self._steps) > 1:
            self._nbytes -= self._steps.pop(0).nbytes
        self._done = len(self._steps)

    def undo(self) -> Step[T] | None:
        """Take back the last step; None when there is none."""
        step = self.last
        if step:
            for change in reversed(step.changes):
                change.undo(self._target)
            self._done -= 1
        return step

    def redo(self) -> Step[T] | None:
        """Make the next step again; None when there is none."""
        step = self.next
        if step:
            for change in step.changes:
                change.redo(self._target)
            self._done += 1
        return step
