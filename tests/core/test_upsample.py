"""The winner of every pixel, against torch, which scales all scores up."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segdesk.core.geometry import Window
from segdesk.core.upsample import pixels_above, scaled, winning_categories


def scores_of(shape, smooth, seed=0):
    """Return noise, or hills as wide as a quarter of the array."""
    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    if not smooth:
        return noise
    coarse = torch.from_numpy(noise[:, ::8, ::8])[None]
    return torch.nn.functional.interpolate(coarse, shape[1:], mode="bicubic")[0].numpy()


def by_torch(scores, size):
    full = torch.nn.functional.interpolate(
        torch.from_numpy(scores)[None], size, mode="bilinear", align_corners=False
    )[0]
    return full.argmax(0).numpy(), full.numpy()


def winners_of(scores, size):
    strips = list(winning_categories(scores, size))
    starts = np.cumsum([0, *(len(strip) for _, strip in strips)])
    assert [first for first, _ in strips] == starts[:-1].tolist()
    return np.concatenate([strip for _, strip in strips])


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((5, 7, 9), (100, 133)),
        ((150, 64, 64), (512, 512)),
        ((19, 32, 32), (300, 777)),
        ((3, 50, 60), (20, 31)),  # fewer pixels than scores
        ((3, 50, 60), (50, 60)),
        ((2, 1, 1), (10, 10)),
        ((4, 40, 30), (41, 1)),
        ((1, 4, 4), (9, 9)),
    ],
)
def test_winners_are_those_of_torch(shape, size, smooth):
    scores = scores_of(shape, smooth)
    expected, full = by_torch(scores, size)
    found = winners_of(scores, size)
    rows, columns = np.nonzero(found != expected)
    best = full[:, rows, columns].max(axis=0)
    np.testing.assert_allclose(full[found[rows, columns], rows, columns], best, rtol=1e-5)
    print(f"\n{shape} to {size}: {len(rows)} ties of {found.size} pixels fell otherwise")


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=6),
        elements=st.integers(-3, 3).map(float),
    ),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
def test_the_winner_has_the_highest_score_even_where_many_tie(scores, size):
    _, full = by_torch(scores, size)
    found = winners_of(scores, size)
    rows, columns = np.indices(size)
    np.testing.assert_allclose(full[found, rows, columns], full.max(axis=0), atol=1e-5)


SMALL = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-3, 3, width=16),
)


@pytest.mark.parametrize(
    "window", [Window(0, 0, 97, 61), Window(31, 7, 50, 40), Window(96, 60, 1, 1)]
)
def test_a_window_of_the_winners_is_computed_alone(window):
    scores = scores_of((20, 9, 13), smooth=False)
    whole = winners_of(scores, (61, 97))
    bands = [band for _, band in winning_categories(scores, (61, 97), window)]
    np.testing.assert_array_equal(np.concatenate(bands), whole[window.slices])


def test_a_rising_function_of_scores_is_compared_pixel_by_pixel():
    scores, weights = scores_of((9, 8, 8), smooth=False), np.linspace(0.2, 1, 9, dtype=np.float32)
    _, full = by_torch(scores, (70, 90))
    values = weights[:, None, None] / (1 + np.exp(-full))
    bands = winning_categories(
        scores, (70, 90), rising=lambda v, maps: weights[maps] / (1 + np.exp(-v))
    )
    found = np.concatenate([band for _, band in bands])
    rows, columns = np.indices((70, 90))
    np.testing.assert_allclose(values[found, rows, columns], values.max(axis=0), rtol=1e-5)


@settings(max_examples=80, deadline=None)
@given(SMALL, st.tuples(st.integers(1, 25), st.integers(1, 25)), st.floats(-3, 3, width=16))
def test_pixels_above_a_threshold_lie_in_the_window_that_is_given(values, size, threshold):
    _, (full,) = by_torch(values[None], size)
    window, mask = pixels_above(values, threshold, size)
    found = np.zeros(size, bool)
    found[window.slices] = mask
    sure = abs(full - threshold) > 1e-5
    np.testing.assert_array_equal(found[sure], (full > threshold)[sure])


@settings(max_examples=40, deadline=None)
@given(SMALL, st.tuples(st.integers(2, 25), st.integers(2, 25)), st.data())
def test_a_window_of_a_map_is_scaled_alone(values, size, data):
    _, (full,) = by_torch(values[None], size)
    y, x = (data.draw(st.integers(0, side - 1)) for side in size)
    window = Window(x, y, size[1] - x, size[0] - y)
    found = np.concatenate([band for _, band in scaled(values, size, window)])
    np.testing.assert_allclose(found, full[window.slices], atol=1e-5)
