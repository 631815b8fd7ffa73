"""Packed tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.packed import PackedTile


@pytest.mark.parametrize(
    ("highest", "dtype"), [(9, "uint8"), (256, "uint16"), (2**31 - 1, "uint32")]
)
def test_unpacks_what_was_packed(highest, dtype):
    ids = np.zeros((8, 8), np.int64)
    ids[2:5, 3:7] = highest
    packed = PackedTile.of(ids)
    assert (packed.dtype, packed.low, packed.high) == (dtype, 0, highest)
    np.testing.assert_array_equal(packed.unpack(), ids)
    assert packed.data == PackedTile.of(ids.astype(np.uint32)).data


def test_knows_which_segments_it_holds():
    packed = PackedTile.of(np.array([[0, 3], [9, 3]]))
    assert packed.holds_any([3])
    assert packed.holds_any([1, 9])
    assert not packed.holds_any([5])
    assert not packed.holds_any([1, 10])


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4), st.sets(st.integers(1, 40)))
def test_holds_what_is_among_its_ids(ids, segments):
    packed = PackedTile.of(np.array(ids).reshape(2, 2))
    for _ in range(2):  # the second time it knows what it holds
        assert packed.holds_any(sorted(segments)) == bool(segments & set(ids))


def test_a_tile_takes_no_more_memory_than_its_bytes():
    """The compressor's own result would keep the room of the worst case."""
    import psutil

    rng, process = np.random.default_rng(0), psutil.Process()
    tiles = [PackedTile.of(rng.integers(0, 9, (256, 256), np.uint8)) for _ in range(20)]
    before = process.memory_info().rss
    for _ in range(2000):
        ids = rng.integers(0, 9, (32, 32), np.uint8).repeat(8, 0).repeat(8, 1)
        tiles.append(PackedTile.of(ids))
    grown = process.memory_info().rss - before
    assert grown < 30 * 2**20  # the worst case of all of them would be 125 MiB
    assert sum(tile.nbytes for tile in tiles[20:]) < 8 * 2**20
