"""Undo and redo against a plain list of states."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.history import History, Step


@dataclass(frozen=True)
class Put:
    """Replaces the only entry of a list."""

    before: int
    after: int
    nbytes: int = 1

    def undo(self, target):
        assert target == [self.after]
        target[0] = self.before

    def redo(self, target):
        assert target == [self.before]
        target[0] = self.after

    def then(self, later):
        return None


class Replace(Put):
    """Joins the next one of its kind."""

    def then(self, later):
        return Replace(self.before, later.after, later.nbytes)


def put(history, target, value, key="", nbytes=1):
    change = Put(target[0], value, nbytes)
    change.redo(target)
    history.push(Step(f"Put {value}", (change,), key))


@given(st.lists(st.integers(-3, 9), max_size=40))
def test_undo_and_redo_walk_along_the_states(actions):
    """A negative number undoes (-1, -2) or redoes (-3); any other is put."""
    target = [0]
    history = History(target)
    states, position = [0], 0
    for action in actions:
        if action >= 0:
            put(history, target, action)
            states, position = [*states[: position + 1], action], position + 1
        elif action == -3:
            assert (history.redo() is None) == (position == len(states) - 1)
            position = min(position + 1, len(states) - 1)
        else:
            assert (history.undo() is None) == (position == 0)
            position = max(position - 1, 0)
        assert target == [states[position]]
        assert history.done == position
        assert history.names == tuple(f"Put {state}" for state in states[1:])


def test_steps_of_one_key_join():
    target = [0]
    history = History(target)
    put(history, target, 1)
    put(history, target, 2, "opacity")
    put(history, target, 3, "opacity")
    put(history, target, 4, "width")
    assert history.names == ("Put 1", "Put 2", "Put 4")
    history.undo()
    assert target == [3]
    history.undo()
    assert target == [1]
    history.redo()
    assert target == [3]


def test_a_value_that_is_replaced_time_and_again_is_kept_twice_not_each_time():
    target = [0]
    history = History(target, budget=100)
    put(history, target, 1)
    for value in range(2, 50):
        change = Replace(target[0], value, nbytes=60)
        change.redo(target)
        history.push(Step("Slide", (change,), "slider"))
    assert history.names == ("Put 1", "Slide")
    assert len(history.last.changes) == 1
    history.undo()
    assert target == [1]
    history.redo()
    assert target == [49]


def test_steps_without_a_key_do_not_join():
    target = [0]
    history = History(target)
    put(history, target, 1)
    put(history, target, 2)
    assert len(history.names) == 2


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=30))
def test_the_oldest_steps_go_when_the_budget_is_spent(steps):
    target = [0]
    history = History(target, budget=100)
    for number, (nbytes, undo_first) in enumerate(steps):
        if undo_first:
            history.undo()
        put(history, target, number, nbytes=nbytes)
        held = [int(name.removeprefix("Put ")) for name in history.names]
        assert held[-1] == number
        sizes = [steps[i][0] for i in held]
        assert sum(sizes) <= 100 or len(sizes) == 1


def test_one_step_above_the_budget_is_kept():
    target = [0]
    history = History(target, budget=10)
    put(history, target, 1, nbytes=5)
    put(history, target, 2, nbytes=500)
    assert history.names == ("Put 2",)
    history.undo()
    assert target == [1]
    assert history.undo() is None


def test_a_step_counts_what_it_held_when_it_was_added():
    """A change may grow later, such as a layer that is painted on."""

    class Growing(Put):
        nbytes = 1

    target = [0]
    history = History(target, budget=100)
    change = Growing(0, 1)
    change.redo(target)
    history.push(Step("Grow", (change,)))
    Growing.nbytes = 1000
    history.undo()
    for value in range(5):
        put(history, target, value, nbytes=40)
    assert history.names == ("Put 3", "Put 4")


class Keeper:
    """A recorder that keeps every step, once it is told to."""

    def __init__(self):
        self.steps, self.done, self.is_quick = {}, 0, True

    def pushed(self, step, after):
        self.steps = {n: s for n, s in self.steps.items() if n <= after} | {step.number: step}
        self.done = step.number

    def undone(self, step, last):
        self.done = last

    def redone(self, step):
        self.done = step.number

    def keeps(self, step):
        return self.is_quick

    def recall(self, step):
        return self.steps[step.number]


@given(st.lists(st.tuples(st.integers(-3, 60), st.booleans()), max_size=40))
def test_with_a_recorder_nothing_is_forgotten(actions):
    """A negative number undoes (-1, -2) or redoes (-3); others are put and take so many bytes."""
    target, keeper = [0], Keeper()
    history = History(target, budget=100)
    history.recorder = keeper
    states, position = [0], 0
    for number, (action, is_quick) in enumerate(actions, 1):
        keeper.is_quick = is_quick
        if action >= 0:
            put(history, target, number, nbytes=action)
            states, position = [*states[: position + 1], number], position + 1
        elif action == -3:
            history.redo()
            position = min(position + 1, len(states) - 1)
        else:
            history.undo()
            position = max(position - 1, 0)
        assert target == [states[position]]
        assert [step.name for step in keeper.steps.values()] == list(history.names)
        assert keeper.done == (history.last.number if history.last else 0)
        held = sum(step.nbytes for step in history.steps if step.changes)
        assert history._nbytes == held
    reopened = History(target, budget=100)
    reopened.recorder, keeper.is_quick = keeper, True
    steps = [replace(step, changes=None) for step in keeper.steps.values()]
    reopened.restore(steps, position)
    for state in reversed(states[:position]):
        reopened.undo()
        assert target == [state]
        in_memory = [step.changes is not None for step in reopened.steps]
        assert reopened._nbytes <= reopened.budget or not any(in_memory[:-1])
    put(reopened, target, 999)
    assert keeper.steps.keys() == {reopened.last.number}
