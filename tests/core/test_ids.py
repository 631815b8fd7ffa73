"""Counting and replacing ids."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.ids import count_ids, map_ids


@given(st.lists(st.sampled_from([0, 1, 2, 255, 256, 65535, 2**20, 2**31 - 1])))
def test_counts_are_those_of_plain_python(ids):
    expected = {i: ids.count(i) for i in set(ids) - {0}}
    assert count_ids(np.array(ids, np.int32)) == expected


def test_map_ids_replaces_every_id_also_huge_ones():
    array = np.array([[0, 1, 2**31 - 1], [1, 7, 0]])
    found = map_ids(array, {0: 0, 1: 5, 7: 7, 2**31 - 1: 1}.get)
    np.testing.assert_array_equal(found, [[0, 5, 1], [5, 7, 0]])
    assert map_ids(np.zeros((0, 3), np.int32), int).shape == (0, 3)


@given(st.lists(st.integers(0, 2**31 - 1) | st.integers(0, 9), max_size=30), st.integers(0, 2**20))
def test_map_ids_does_what_plain_python_does(ids, base):
    ids = [base + i if base + i < 2**31 else i for i in ids]
    calls = []
    found = map_ids(np.array(ids, np.int32), lambda i: calls.append(i) or i // 3)
    assert found.tolist() == [i // 3 for i in ids]
    assert sorted(calls) == sorted(set(ids))
