"""Components across tiles and frames against labels of whole arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from segdesk.core.chosen import Chosen
from segdesk.core.components import find_components, repainted
from tests.core.maps import map_of, same_partition, small_tiles, stack_of, stacks

STRUCTURES = {
    4: np.pad(ndimage.generate_binary_structure(2, 1)[np.newaxis], ((1, 1), (0, 0), (0, 0))),
    8: np.pad(np.ones((1, 3, 3), bool), ((1, 1), (0, 0), (0, 0))),
    6: ndimage.generate_binary_structure(3, 1),
    26: np.ones((3, 3, 3), bool),
}
some_ids = st.none() | st.frozensets(st.integers(0, 4), min_size=1).map(lambda ids: ids - {0})


def model(stack, chosen, neighbours):
    """Return numbers of the components of a whole stack."""
    numbers = np.zeros_like(stack)
    for segment in set(np.unique(stack[chosen.mask(stack)]).tolist()) - {0}:
        mine = stack == segment
        if chosen.frame is not None:
            mine &= (np.arange(len(stack)) == chosen.frame)[:, None, None]
        found, _ = ndimage.label(mine, STRUCTURES[neighbours])
        numbers[mine] = found[mine] + numbers.max()
    return numbers


@settings(max_examples=120, deadline=None)
@given(stacks(3), some_ids, st.sampled_from([4, 8, 6, 26]), st.booleans())
def test_components_across_tiles_are_those_of_the_whole(stack, ids, neighbours, is_one_frame):
    chosen = Chosen(ids, len(stack) - 1 if is_one_frame else None)
    with small_tiles():
        labels = map_of(stack)
        found = find_components(labels, chosen, neighbours)
        numbers = np.stack([found.read(labels.window, f) for f in range(labels.frames)])
    assert same_partition(numbers, model(stack, chosen, neighbours))
    counts = np.bincount(numbers.ravel(), minlength=found.count + 1)
    assert (found.areas[1:] == counts[1:]).all()
    assert (found.segments[numbers] == np.where(numbers > 0, stack, 0)).all()


@settings(max_examples=40, deadline=None)
@given(stacks(2), st.integers(2, 5))
def test_repainted_gives_every_component_its_new_id(stack, modulus):
    with small_tiles():
        labels = map_of(stack)
        found = find_components(labels)
        numbers = np.stack([found.read(labels.window, f) for f in range(labels.frames)])
        new_ids = (np.arange(found.count + 1) % modulus).astype(np.int32)
        result = repainted(labels, found, new_ids)
        assert (stack_of(result) == np.where(numbers > 0, new_ids[numbers], stack)).all()
        assert (stack_of(labels) == stack).all()


def test_an_empty_map_has_none():
    assert find_components(map_of(np.zeros((1, 3, 5), np.int32))).count == 0


def test_a_uniform_map_has_one_over_all_frames():
    with small_tiles():
        found = find_components(map_of(np.full((3, 20, 20), 7)), neighbours=6)
    assert found.count == 1
    assert found.areas[1] == 3 * 400


@settings(max_examples=60, deadline=None)
@given(stacks(2), some_ids)
def test_windows_are_the_smallest_ones_around_segments(stack, ids):
    chosen = Chosen(ids)
    with small_tiles():
        found = chosen.windows(map_of(stack))
    expected = {}
    for frame, image in enumerate(stack):
        for segment in set(np.unique(image[chosen.mask(image)]).tolist()):
            rows, columns = np.nonzero(image == segment)
            spans = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            expected[segment, frame] = spans
    assert {k: (w.x, w.y, w.right, w.bottom) for k, w in found.items()} == expected


def test_progress_can_stop_it():
    def stop(fraction, message):
        raise InterruptedError(message)

    with pytest.raises(InterruptedError, match="Finding parts"):
        find_components(map_of(np.ones((1, 3, 3), np.int32)), report=stop)
