"""The label map against a plain NumPy array, with tiles small enough to meet every border."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from segdesk.core import labelmap
from segdesk.core.geometry import Window
from segdesk.core.labelmap import TILE, LabelMap, map_ids, tile_areas

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
    @initialize(width=st.integers(1, 13), height=st.integers(1, 13))
    def start(self, width, height):
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(labelmap, "TILE", SMALL_TILE)
        self.labels = LabelMap(width, height)
        self.model = np.zeros((height, width), np.int64)
        self.at_begin = None
        self.snapshots = []

    def teardown(self):
        self.patch.undo()

    def set_model(self, window, values, where):
        inside = window.intersection(self.labels.window)
        source = inside.shifted(-window.x, -window.y).slices
        target = self.model[inside.slices]
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
        self.labels.write(window, new, where)
        self.set_model(window, values, where)

    @rule(data=st.data(), level=st.integers(0, 4))
    def read(self, data, level):
        self.check_read(data.draw(windows(self.labels.width, self.labels.height)), level)

    def check_read(self, window, level):
        expected = padded(self.model[:: 2**level, :: 2**level], window)
        found = self.labels.read(window, level)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, expected)

    @invariant()
    def every_level_reads_right(self):
        for level in (0, 1, 3):
            self.check_read(self.labels.window, level)

    @rule()
    def snapshot(self):
        self.snapshots.append((self.labels.snapshot(), self.model.copy()))

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data())
    def write_to_a_snapshot(self, data):
        snapshot, model = data.draw(st.sampled_from(self.snapshots))
        new = data.draw(ids)
        snapshot.write(snapshot.window, new, model == 0)
        model[model == 0] = new

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
        before = self.labels.commit()
        for index in Window(0, 0, *self.model.shape[::-1]).tiles(SMALL_TILE):
            inside = self.labels.tile_window(index).slices
            changed = not np.array_equal(self.model[inside], self.at_begin[inside])
            assert (index in before) == changed
        self.put_and_take_back(before)
        self.at_begin = None

    def put_and_take_back(self, before):
        """What `commit` returned puts the old state back; what was there then, the new one."""
        after = {index: self.labels.tile(index) for index in before}
        for tiles, expected in ((before, self.at_begin), (after, self.model)):
            for index, tile in tiles.items():
                self.labels.set_tile(index, tile)
            np.testing.assert_array_equal(self.labels.read(self.labels.window), expected)

    @invariant()
    def snapshots_stay_as_they_were(self):
        for snapshot, model in self.snapshots:
            np.testing.assert_array_equal(snapshot.read(snapshot.window), model)

    @invariant()
    def areas_and_pixels_agree(self):
        values, counts = np.unique(self.model[self.model > 0], return_counts=True)
        assert self.labels.areas() == dict(zip(values.tolist(), counts.tolist(), strict=True))
        corner = self.labels.width - 1, self.labels.height - 1
        assert self.labels.at(*corner) == self.model[-1, -1]
        assert self.labels.at(self.labels.width, 0) == 0
        assert self.labels.at(-1, -1) == 0

    @invariant()
    def windows_of_a_segment_cover_it_tightly(self):
        for segment in np.unique(self.model[self.model > 0]).tolist():
            found = list(self.labels.windows_of(segment))
            covered = sum((self.model[w.slices] == segment).sum() for w in found)
            assert covered == (self.model == segment).sum()
            assert all((self.model[w.slices] == segment).any() for w in found)
            assert list(self.labels.windows_of_any({99, segment})) == found
        assert not list(self.labels.windows_of(99))
        assert not list(self.labels.windows_of_any({0, 99}))


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
        assert labels.tile((0, 0)).dtype == dtype


def test_a_committed_tile_of_one_id_is_kept_as_a_number():
    labels = LabelMap(300, 10)
    labels.begin()
    labels.write(Window(0, 0, 150, 10), 4)
    labels.write(Window(150, 0, 150, 10), 4)
    labels.commit()
    assert dict(labels.tiles()) == {(0, 0): 4, (1, 0): 4}


def test_writing_what_is_there_already_changes_nothing():
    labels = LabelMap(300, 300)
    labels.write(Window(0, 0, 300, 300), 5)
    labels.begin()
    labels.write(Window(10, 10, 20, 20), 5)
    labels.write(Window(5, 5, 3, 3), np.full((3, 3), 5))
    assert labels.commit() == {}
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


def test_tile_areas_leave_out_what_lies_outside_the_map():
    tile = np.ones((TILE, TILE), np.uint8)
    assert tile_areas(tile, Window(0, 0, 10, 5)) == {1: 50}
    assert tile_areas(3, Window(0, 0, 10, 5)) == {3: 50}
    assert tile_areas(0, Window(0, 0, 10, 5)) == {}


def test_map_ids_replaces_every_id_also_huge_ones():
    array = np.array([[0, 1, 2**31 - 1], [1, 7, 0]])
    found = map_ids(array, {0: 0, 1: 5, 7: 7, 2**31 - 1: 1}.get)
    np.testing.assert_array_equal(found, [[0, 5, 1], [5, 7, 0]])
    assert map_ids(np.zeros((0, 3), np.int32), int).shape == (0, 3)
