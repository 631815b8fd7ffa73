"""The label map against a plain NumPy array, with tiles small enough to meet every border."""

import pickle

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from segdesk.core import labelmap, overviews
from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.core.tile import TILE, Delta

SMALL_TILE = 4
ids = st.sampled_from([0, 0, 1, 2, 3, 255, 256, 65535, 65536, 2**31 - 1])


@st.composite
def windows(draw, width, height):
    if draw(st.booleans()):  # whole tiles
        start = st.sampled_from([0, SMALL_TILE, 2 * SMALL_TILE])
        x, y = draw(start), draw(start)
    else:
        x, y = draw(st.integers(-3, width + 2)), draw(st.integers(-3, height + 2))
    return Window(x, y, draw(st.integers(0, width + 6)), draw(st.integers(0, height + 6)))


def arrays(draw, shape, values):
    count = shape[0] * shape[1]
    flat = draw(st.lists(values, min_size=1, max_size=5))
    order = np.random.default_rng(draw(st.integers(0, 9))).integers(0, len(flat), count)
    return np.array(flat)[order].reshape(shape)


def padded(array, window):
    """Read a window of an array, 0 outside."""
    margin = 40
    wide = np.pad(array, margin)
    return wide[window.shifted(margin, margin).slices]


class LabelMapMachine(RuleBasedStateMachine):
    @initialize(
        width=st.integers(1, 13),
        height=st.integers(1, 13),
        frames=st.integers(1, 2),
        unpacked=st.sampled_from([0, 40, 2**20]),
    )
    def start(self, width, height, frames, unpacked):
        self.patch = pytest.MonkeyPatch()
        for module in (labelmap, overviews):
            self.patch.setattr(module, "TILE", SMALL_TILE)
        self.patch.setattr(labelmap, "UNPACKED", unpacked)
        self.labels = LabelMap(width, height, frames)
        self.model = np.zeros((frames, height, width), np.int64)
        self.at_begin = self.in_the_making = None
        self.snapshots = []

    def teardown(self):
        self.patch.undo()

    def frame(self, data):
        return data.draw(st.integers(0, self.labels.frames - 1))

    def set_model(self, window, values, where, frame):
        inside = window.intersection(self.labels.window)
        source = inside.shifted(-window.x, -window.y).slices
        target = self.model[frame][inside.slices]
        np.copyto(target, values[source], where=True if where is None else where[source])

    @rule(data=st.data())
    def write(self, data):
        window = data.draw(windows(self.labels.width, self.labels.height))
        if data.draw(st.booleans()):
            new = data.draw(ids)
            values = np.full(window.shape, new)
        else:
            new = values = arrays(data.draw, window.shape, ids)
        where = arrays(data.draw, window.shape, st.booleans()) if data.draw(st.booleans()) else None
        frame = self.frame(data)
        self.labels.write(window, new, where, frame)
        self.set_model(window, values, where, frame)

    @rule(data=st.data(), level=st.integers(0, 4))
    def read(self, data, level):
        window = data.draw(windows(self.labels.width, self.labels.height))
        self.check_read(window, level, self.frame(data))

    def check_read(self, window, level, frame):
        expected = padded(self.model[frame, :: 2**level, :: 2**level], window)
        found = self.labels.read(window, level, frame)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, expected)

    @invariant()
    def every_level_reads_right(self):
        for level in (0, 1, 3):
            for frame in range(self.labels.frames):
                self.check_read(self.labels.window, level, frame)

    @invariant()
    def memory_is_bounded(self):
        assert self.labels._nbytes == sum(a.nbytes for a in self.labels._arrays.values())
        assert self.labels._nbytes <= labelmap.UNPACKED or len(self.labels._arrays) == 1

    @rule()
    def snapshot(self):
        self.snapshots.append((self.labels.snapshot(), self.model.copy()))

    @precondition(lambda self: self.in_the_making is None)
    @rule(level=st.integers(1, 4))
    def begin_overviews(self, level):
        self.in_the_making = self.labels.begin_overviews()
        for frame in range(self.labels.frames):
            self.in_the_making.freshen(self.labels.window, level, frame)

    @precondition(lambda self: self.in_the_making is not None)
    @rule(level=st.integers(1, 4))
    def take_overviews(self, level):
        self.labels.take_overviews(self.in_the_making)
        self.in_the_making = None
        for frame in range(self.labels.frames):
            self.check_read(self.labels.window, level, frame)
        assert self.labels.lag(level) == 0

    @rule()
    def send_to_another_process(self):
        self.snapshots.append((pickle.loads(pickle.dumps(self.labels)), self.model.copy()))

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data())
    def write_to_a_snapshot(self, data):
        snapshot, model = data.draw(st.sampled_from(self.snapshots))
        new = data.draw(ids)
        snapshot.write(snapshot.window, new, model[0] == 0)
        model[0][model[0] == 0] = new

    @precondition(lambda self: self.at_begin is None)
    @rule()
    def begin(self):
        self.labels.begin()
        self.at_begin = self.model.copy()

    @precondition(lambda self: self.at_begin is not None)
    @rule()
    def roll_back(self):
        self.labels.roll_back()
        self.model, self.at_begin = self.at_begin, None

    @precondition(lambda self: self.at_begin is not None)
    @rule()
    def commit(self):
        delta = self.labels.commit()
        for frame, row, column in np.ndindex(self.labels.frames, 4, 4):
            index = column, row, frame
            inside = self.labels.tile_window(index).slices
            changed = not np.array_equal(self.model[frame][inside], self.at_begin[frame][inside])
            assert (index in delta.before, index in delta.after) == (changed, changed)
        after, before = counts(self.model), counts(self.at_begin)
        gained = {i: after.get(i, 0) - before.get(i, 0) for i in after | before}
        assert delta.areas == {i: n for i, n in gained.items() if n}
        self.put_and_take_back(delta)
        self.at_begin = None

    def put_and_take_back(self, delta):
        """Tiles as they were before put the old state back; those after, the new one."""
        for tiles, expected in ((delta.before, self.at_begin), (delta.after, self.model)):
            for index, tile in tiles.items():
                self.labels.put_packed(index, tile)
            for frame in range(self.labels.frames):
                found = self.labels.read(self.labels.window, 0, frame)
                np.testing.assert_array_equal(found, expected[frame])

    @invariant()
    def snapshots_stay_as_they_were(self):
        for snapshot, model in self.snapshots:
            for frame, expected in enumerate(model):
                np.testing.assert_array_equal(snapshot.read(snapshot.window, 0, frame), expected)

    @invariant()
    def areas_and_pixels_agree(self):
        assert self.labels.areas() == counts(self.model)
        corner = self.labels.width - 1, self.labels.height - 1
        assert self.labels.at(*corner, self.labels.frames - 1) == self.model[-1, -1, -1]
        assert self.labels.at(self.labels.width, 0) == 0
        assert self.labels.at(-1, -1) == 0

    @invariant()
    def tiles_of_a_segment_cover_it_tightly(self):
        def pixels(index):
            return self.model[index[2]][self.labels.tile_window(index).slices]

        for segment in counts(self.model):
            found = list(self.labels.indices_of({segment}))
            covered = sum((pixels(index) == segment).sum() for index in found)
            assert covered == (self.model == segment).sum()
            assert all((pixels(index) == segment).any() for index in found)
            assert list(self.labels.indices_of({99, segment})) == found
        assert not list(self.labels.indices_of({99}))


def counts(model):
    values, numbers = np.unique(model[model > 0], return_counts=True)
    return dict(zip(values.tolist(), numbers.tolist(), strict=True))


TestLabelMap = LabelMapMachine.TestCase
TestLabelMap.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_memory_follows_what_is_painted():
    labels = LabelMap(200_000, 100_000)
    labels.write(Window(1000, 1000, 10, 10), 7)
    assert labels.nbytes == TILE * TILE
    labels.write(Window(0, 0, 20 * TILE, 20 * TILE), 7)
    assert labels.nbytes == 0
    assert labels.areas() == {7: (20 * TILE) ** 2}


def test_a_tile_takes_the_smallest_type_that_fits():
    labels = LabelMap(TILE, TILE)
    for value, dtype in ((255, np.uint8), (256, np.uint16), (65536, np.uint32)):
        labels.write(Window(0, 0, 1, 1), value)
        assert labels.tile((0, 0, 0)).dtype == dtype


def test_a_committed_tile_of_one_id_is_kept_as_a_number():
    labels = LabelMap(300, 10)
    labels.begin()
    labels.write(Window(0, 0, 150, 10), 4)
    labels.write(Window(150, 0, 150, 10), 4)
    labels.commit()
    assert dict(labels.tiles()) == {(0, 0, 0): 4, (1, 0, 0): 4}


def test_writing_what_is_there_already_changes_nothing():
    labels = LabelMap(300, 300)
    labels.write(Window(0, 0, 300, 300), 5)
    labels.begin()
    labels.write(Window(10, 10, 20, 20), 5)
    labels.write(Window(5, 5, 3, 3), np.full((3, 3), 5))
    assert labels.commit() == Delta()
    assert labels.nbytes == 0


def test_an_open_journal_is_not_begun_twice():
    labels = LabelMap(3, 3)
    labels.begin()
    with pytest.raises(AssertionError, match="already open"):
        labels.begin()


def test_of_array_reads_back():
    array = np.arange(700 * 300).reshape(700, 300) % 1000
    labels = LabelMap.of_array(array)
    assert (labels.width, labels.height) == (300, 700)
    np.testing.assert_array_equal(labels.read(labels.window), array)


def test_a_deep_level_of_real_tiles_is_every_nth_pixel():
    array = np.random.default_rng(0).integers(0, 300, (1100, 700))
    labels = LabelMap.of_array(array)
    for level in (1, 3, 9, 11):
        small = array[:: 2**level, :: 2**level]
        window = Window(0, 0, small.shape[1], small.shape[0])
        np.testing.assert_array_equal(labels.read(window, level), small)


def test_a_frame_that_is_not_there_cannot_be_written_to():
    labels = LabelMap(3, 3, frames=2)
    with pytest.raises(IndexError, match="frame 2 of a label map of 2"):
        labels.write(labels.window, 1, frame=2)


def test_overviews_are_made_in_the_time_that_there_is():
    labels = LabelMap.of_array(np.arange(4 * TILE * TILE).reshape(2 * TILE, 2 * TILE) % 1000)
    assert not labels.freshen(labels.window, 1, until=0.0)
    assert not labels.overview(1).read(Window(0, 0, TILE, TILE)).any()
    assert labels.freshen(labels.window, 1)
    assert labels.overview(1).read(Window(0, 0, TILE, TILE)).any()


def test_overviews_that_are_made_bit_by_bit_are_those_made_at_once(monkeypatch):
    ids = np.arange(16 * TILE * TILE).reshape(4 * TILE, 4 * TILE) % 1000
    labels, whole = LabelMap.of_array(ids), LabelMap.of_array(ids)
    window = labels.overview(2).window
    ticks = iter(range(10_000))
    monkeypatch.setattr(overviews, "perf_counter", lambda: next(ticks))
    rounds, until = 1, 2
    while not labels.freshen(window, 2, until=until):
        rounds, until = rounds + 1, next(ticks) + 2
    assert rounds > 2, "not even a single tile of the second level is made in one go"
    np.testing.assert_array_equal(labels.read(window, 2), whole.read(window, 2))
