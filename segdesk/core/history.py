"""Steps that can be undone and redone, within a budget of memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeVar

T = TypeVar("T")
Target = TypeVar("Target", contravariant=True)

BUDGET = 512 * 2**20  # bytes


class Change(Protocol[Target]):
    """One reversible change, kept as data."""

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        ...

    def undo(self, target: Target) -> None:
        """Put the target back as it was before."""
        ...

    def redo(self, target: Target) -> None:
        """Make the change again."""
        ...

    def then(self, later: object) -> Self | None:
        """Return one change that does both; None where it takes two."""
        ...


@dataclass(frozen=True)
class Step(Generic[T]):
    """What one press of undo takes back."""

    name: str  # as shown in menus: "Brush stroke"
    changes: tuple[Change[T], ...] | None  # None: only the recorder has them
    key: str = ""  # a step with the same key as the one before it joins that one
    number: int = 0  # grows from step to step of a history, with gaps
    nbytes: int = 0  # memory that its changes held when it was added

    def then(self, later: Step[T]) -> Step[T]:
        """Return one step of both: a value that is replaced time and again is replaced once."""
        changes, rest = self.changes or (), later.changes or ()
        joined = changes[-1].then(rest[0]) if changes and rest else None
        if joined:
            changes, rest = (*changes[:-1], joined), rest[1:]
        return replace(self, changes=changes + rest)


class Recorder(Protocol[T]):
    """Follows a history, as a project file does."""

    def pushed(self, step: Step[T], after: int) -> None:
        """Take a new step; all with a number above ``after``, 0 for none, are forgotten."""
        ...

    def undone(self, step: Step[T], last: int) -> None:
        """Take back a step; the last one that is still done has the number ``last``, or 0."""
        ...

    def redone(self, step: Step[T]) -> None:
        """Make a step again."""
        ...

    def cleared(self) -> None:
        """Forget all steps."""
        ...

    def keeps(self, step: Step[T]) -> bool:
        """Say whether a step is safe with the recorder by now."""
        ...

    def recall(self, step: Step[T]) -> Step[T]:
        """Return a step with its changes; ``SegdeskError`` when they cannot be read any more."""
        ...


class History(Generic[T]):
    """All steps, and how many of them are done.

    Once the steps in memory together hold more than ``budget`` bytes, the oldest ones are left to
    the recorder; without one they are forgotten. The newest one is always kept.

    Attributes
    ----------
    recorder
        Told of everything that happens from now on.
    """

    def __init__(self, target: T, budget: int = BUDGET) -> None:
        self._target = target
        self._steps: list[Step[T]] = []
        self._done = 0
        self._number = 0
        self._nbytes = 0
        self.budget = budget
        self.recorder: Recorder[T] | None = None

    @property
    def steps(self) -> tuple[Step[T], ...]:
        """All steps, oldest first."""
        return tuple(self._steps)

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

    def restore(self, steps: list[Step[T]], done: int) -> None:
        """Take over the steps that a recorder has kept; for a history without any."""
        self._steps, self._done = steps, done
        self._number = steps[-1].number if steps else 0
        self._nbytes = sum(step.nbytes for step in steps if step.changes is not None)

    def push(self, step: Step[T]) -> None:
        """Add a step that has just been done; what was undone before is forgotten."""
        self._forget(slice(self._done, None))
        last = self.last
        if last and step.key and step.key == last.key and last.changes is not None:
            self._forget(slice(-1, None))
            step = last.then(step)
        self._number += 1
        nbytes = sum(change.nbytes for change in step.changes or ())
        step = replace(step, number=self._number, nbytes=nbytes)
        after = self._steps[-1].number if self._steps else 0
        self._steps.append(step)
        self._done = len(self._steps)
        self._nbytes += nbytes
        if self.recorder:
            self.recorder.pushed(step, after)
        self._stay_within_budget()

    def undo(self) -> Step[T] | None:
        """Take back the last step; None when there is none."""
        step = self.last
        if step:
            step = self._recalled(self._done - 1)
            for change in reversed(step.changes or ()):
                change.undo(self._target)
            self._done -= 1
            if self.recorder:
                self.recorder.undone(step, self.last.number if self.last else 0)
            self._stay_within_budget()
        return step

    def redo(self) -> Step[T] | None:
        """Make the next step again; None when there is none."""
        step = self.next
        if step:
            step = self._recalled(self._done)
            for change in step.changes or ():
                change.redo(self._target)
            self._done += 1
            if self.recorder:
                self.recorder.redone(step)
            self._stay_within_budget()
        return step

    def clear(self) -> None:
        """Forget all steps; nothing can be undone or redone any more."""
        self._forget(slice(None))
        if self.recorder:
            self.recorder.cleared()

    def _recalled(self, place: int) -> Step[T]:
        """Return a step with its changes, which are in memory again from then on."""
        step = self._steps[place]
        if step.changes is None and self.recorder:
            step = self._steps[place] = self.recorder.recall(step)
            self._nbytes += step.nbytes
        return step

    def _forget(self, which: slice) -> None:
        self._nbytes -= sum(step.nbytes for step in self._steps[which] if step.changes is not None)
        del self._steps[which]
        self._done = min(self._done, len(self._steps))

    def _stay_within_budget(self) -> None:
        """Leave the changes of the oldest steps to the recorder, or forget those steps."""
        place = 0
        while self._nbytes > self.budget and place < len(self._steps) - 1:
            step = self._steps[place]
            if step.changes is None:
                place += 1
            elif self.recorder is None:
                self._forget(slice(0, 1))
            elif self.recorder.keeps(step):
                self._steps[place] = replace(step, changes=None)
                self._nbytes -= step.nbytes
            else:
                break  # not kept yet: later
