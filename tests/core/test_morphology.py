"""Growing, shrinking and smoothing across tiles against whole arrays and plain definitions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from segdesk.core.chosen import Chosen
from segdesk.core.morphology import Reach, grow, shrink, smooth
from tests.core.maps import map_of, small_tiles, stack_of, stacks

reaches = st.builds(
    Reach, st.sampled_from([1, 1.5, 2, 3, 9.5]), st.sampled_from([1, 0.7]), st.sampled_from([1, 2])
)
some_ids = st.none() | st.frozensets(st.integers(1, 4), min_size=1, max_size=2)
close = {"max_examples": 80, "deadline": None}


def distance_to(mask, reach):
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return ndimage.distance_transform_edt(~mask, sampling=(reach.height, reach.width))


@settings(**close)
@given(stacks(2), some_ids, reaches)
def test_grow_reaches_free_pixels_nearest_first_and_nothing_else(stack, ids, reach):
    chosen = Chosen(ids)
    with small_tiles():
        found = stack_of(grow(map_of(stack), chosen, reach))
    for before, after in zip(stack, found, strict=True):
        assert (after[before > 0] == before[before > 0]).all()
        sources = {
            i: distance_to(before == i, reach) for i in np.unique(before[chosen.mask(before)])
        }
        nearest = np.min([np.full(before.shape, np.inf), *sources.values()], axis=0)
        reached = nearest <= reach.distance + 1e-4
        grown = (after > 0) & (before == 0)
        assert not (grown & ~reached).any()
        for i, distance in sources.items():
            assert (distance[grown & (after == i)] <= nearest[grown & (after == i)] + 1e-4).all()
        others = (before > 0) & ~chosen.mask(before)
        if not others.any():
            assert (grown == (reached & (before == 0))).all()
        else:
            is_rooted(before, after, chosen)


def is_rooted(before, after, chosen):
    """Check that nothing has grown through other segments."""
    for segment in np.unique(after[chosen.mask(after)]):
        parts, count = ndimage.label(after == segment, np.ones((3, 3)))
        rooted = set(np.unique(parts[before == segment]).tolist())
        assert rooted - {0} == set(range(1, count + 1))


@settings(**close)
@given(stacks(), some_ids, reaches)
def test_what_tiles_give_is_what_one_tile_gives(stack, ids, reach):
    chosen = Chosen(ids)
    for operation in (grow, shrink, lambda m, c, _: smooth(m, c, 2)):
        whole = stack_of(operation(map_of(stack), chosen, reach))
        with small_tiles():
            labels = map_of(stack)
            in_tiles = stack_of(operation(labels, chosen, reach))
            assert (stack_of(labels) == stack).all()
        assert (whole == in_tiles).all()


@settings(**close)
@given(stacks(2), some_ids, reaches)
def test_shrink_takes_what_is_near_other_pixels(stack, ids, reach):
    chosen = Chosen(ids)
    with small_tiles():
        found = stack_of(shrink(map_of(stack), chosen, reach))
    for before, after in zip(stack, found, strict=True):
        expected = before.copy()
        for segment in np.unique(before[chosen.mask(before)]):
            near = distance_to(before != segment, reach) <= reach.distance + 1e-4
            expected[(before == segment) & near] = 0
        assert (after == expected).all()


@settings(**close)
@given(stacks(), st.integers(1, 4))
def test_smooth_gives_a_pixel_to_the_majority_around_it(stack, radius):
    with small_tiles():
        (found,) = stack_of(smooth(map_of(stack), Chosen(), radius))
    (before,) = stack
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (x**2 + y**2 <= radius**2).astype(int)
    wide = np.pad(before, radius, mode="edge")
    votes = {i: ndimage.correlate((wide == i).astype(int), disc) for i in range(4)}
    votes = np.stack([votes[i][radius:-radius, radius:-radius] for i in range(4)]).astype(float)
    votes += 0.5 * (before == np.arange(4)[:, None, None])
    assert (found == votes.argmax(0)).all()


@settings(**close)
@given(stacks(), st.integers(1, 3))
def test_smooth_leaves_other_segments_alone(stack, radius):
    with small_tiles():
        found = stack_of(smooth(map_of(stack), Chosen(frozenset({1})), radius))
    assert ((found == 2) == (stack == 2)).all()
    assert ((found == 3) == (stack == 3)).all()


def disc_of(radius, size=80):
    y, x = np.mgrid[:size, :size] - size / 2 + 0.5
    return (np.hypot(x, y) <= radius).astype(np.int32)[np.newaxis]


def test_smooth_keeps_the_area_and_takes_spikes():
    disc = disc_of(25)
    rough = disc.copy()
    rough[0, 38:40, 60:75] = 1
    rough[0, 30, 38] = 0
    found = stack_of(smooth(map_of(rough), Chosen(), 3))
    assert abs(int(found.sum()) - int(disc.sum())) < 0.01 * disc.sum()
    assert found[0, 30, 38] == 1
    assert not found[0, 38:40, 68:].any()


def test_shrink_undoes_grow_on_a_disc():
    disc = disc_of(20)
    grown = grow(map_of(disc), Chosen(), Reach(6))
    back = stack_of(shrink(grown, Chosen(), Reach(6)))
    assert (back != disc).mean() < 0.01


def test_shrink_takes_nothing_at_the_edge_of_the_image():
    whole = np.ones((1, 20, 20), np.int32)
    assert (stack_of(shrink(map_of(whole), Chosen(), Reach(3))) == 1).all()


def test_grow_goes_around_others_but_not_through_them():
    image = np.zeros((1, 9, 9), np.int32)
    image[0, :, 0] = 1
    image[0, :, 3] = 2
    found = stack_of(grow(map_of(image), Chosen(frozenset({1})), Reach(8)))[0]
    assert (found[:, :3] == 1).all()
    assert (found[:, 4:] == 0).all()
