"""Learning categories from strokes and from examples."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segdesk_plugins.scribble import Options
from segdesk_plugins.scribble.instances import Splitting, learn_splitting, split
from segdesk_plugins.scribble.session import ScribbleSession
from segdesk_plugins.scribble.training import stroke_targets

from segdesk.api import (
    IGNORE,
    ArrayImage,
    Category,
    Example,
    PromptError,
    Scribble,
    SegmentRequest,
    Window,
)
from segdesk.core.errors import Cancelled
from segdesk.core.progress import silent
from segdesk.engine.job import SegmentJob
from segdesk.engine.segment import segment

CELL, TISSUE = Category(1, "cell", (200, 0, 0)), Category(2, "tissue", (0, 0, 200), is_thing=False)
CATEGORIES = (Category(0, "background", (0, 0, 0)), CELL, TISSUE)
DISCS = [(40, 40, 20), (74, 40, 20), (40, 120, 18), (120, 60, 22), (158, 60, 22), (110, 130, 19)]


def stroke(category, *xy, radius=3.0):
    return Scribble(np.array(xy, float), radius, category)


TWO = stroke(0, (10, 20), (10, 140)), stroke(1, (160, 20), (160, 140))


@pytest.fixture(scope="module")
def truth():
    """Left of a wave background, right of it category 1."""
    rows, columns = np.mgrid[:160, :200]
    return (columns > 90 + 20 * np.sin(rows / 20)).astype(np.int32)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(5).normal(0, 1, (160, 200, 3))


@pytest.fixture(scope="module")
def coloured(truth, noise):
    colours = np.array([(80, 120, 90), (140, 90, 110)])[truth]
    return np.clip(colours + 15 * noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def textured(truth, noise):
    """One mean everywhere: fine noise beside stripes."""
    stripes = 40 * np.sin(np.arange(200) / 1.5) + 128 + 5 * noise[..., 0]
    return np.clip(np.where(truth, stripes, 128 + 28 * noise[..., 1]), 0, 255).astype(np.uint8)


def discs(places, shape=(160, 200), bright=170, dark=60):
    """Return an image of discs, and their instances."""
    ids = np.zeros(shape, np.int32)
    for number, (x, y, radius) in enumerate(places, 1):
        cv2.circle(ids, (x, y), radius, number, -1)
    pixels = np.where(ids > 0, bright, dark) + np.random.default_rng(1).normal(0, 6, shape)
    return np.clip(pixels, 0, 255).astype(np.uint8), ids


def example(pixels, labels, instances=False, categories=CATEGORIES, name="other.png"):
    bands = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    rgb = np.broadcast_to(bands, (*bands.shape[:2], 3)).astype(np.uint8)
    return Example(bands, rgb, labels.astype(np.int32), categories, instances, name)


def answer(pixels, *prompts, categories=CATEGORIES, report=silent, **options):
    job = SegmentJob("scribble", prompts=prompts, categories=categories, options=Options(**options))
    return segment(ArrayImage(pixels), job, report)


def ids_of(segmentation):
    return segmentation.planes[0].read(segmentation.planes[0].window)


def categories_of(segmentation):
    """Return the category of every pixel."""
    ids = ids_of(segmentation)
    table = np.zeros(ids.max() + 1, np.int32)
    for number, one in segmentation.segments.items():
        table[number] = one.category
    return table[ids]


def iou(found, truth):
    return ((found > 0) & (truth > 0)).sum() / ((found > 0) | (truth > 0)).sum()


@pytest.mark.parametrize("image", ["coloured", "textured"])
def test_a_stroke_each_separates_colours_and_textures(image, truth, request):
    found = answer(request.getfixturevalue(image), *TWO)
    assert found.task == "semantic"
    assert set(found.segments) == {1}
    assert 0.5 < found.segments[1].score <= 1
    assert iou(ids_of(found), truth) > 0.93


KINDS = {
    "gray": lambda rgb, noise: rgb[..., 2],
    "16-bit": lambda rgb, noise: rgb.astype(np.uint16) * 13 + 9000,
    "tiny floats": lambda rgb, noise: rgb.astype(np.float32) * 1e-6,
    "5 bands": lambda rgb, noise: np.concatenate([noise[..., :2] * 50, rgb], 2).astype(np.int16),
    "bool": lambda rgb, noise: cv2.GaussianBlur(rgb[..., 0], (0, 0), 3) > 110,
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_bands_and_dtype(kind, coloured, noise, truth):
    pixels = KINDS[kind](coloured, noise)
    assert iou(ids_of(answer(pixels, *TWO)), truth) > (0.8 if kind == "gray" else 0.93)


def test_nan_and_infinity_harm_only_their_surroundings(coloured, truth):
    pixels = coloured.astype(np.float32)
    pixels[20:40, 100:130] = np.nan
    pixels[100, 100] = np.inf
    found = ids_of(answer(pixels, *TWO))
    far = np.ones(truth.shape, bool)
    far[:60, 80:150] = False
    assert iou(found[far], truth[far]) > 0.93


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 1), (33, 31, 5)])
def test_odd_sizes(shape):
    pixels = np.zeros(shape, np.uint8)
    pixels[: (shape[0] + 1) // 2, : (shape[1] + 1) // 2] = 200
    corner = stroke(1, (0.5, 0.5), radius=0.6)
    if shape == (1, 1):
        with pytest.raises(PromptError, match="Only one category"):
            answer(pixels, corner)
        return
    opposite = stroke(0, (shape[1] - 0.5, shape[0] - 0.5), radius=0.6)
    found = ids_of(answer(pixels, corner, opposite))
    assert found[0, 0] == 1
    assert found[-1, -1] == 0


def test_one_pixel_learns_from_an_example(coloured, truth):
    found = answer(coloured[:1, -1:], example(coloured, truth))
    assert ids_of(found).shape == (1, 1)


def ask(pixels, *prompts, window=None, key="image"):
    window = window or Window(0, 0, pixels.shape[1], pixels.shape[0])
    return SegmentRequest(pixels, pixels, window, key, prompts, CATEGORIES, Options())


def test_strokes_are_exact_in_a_window(coloured):
    window = Window(100, 50, 40, 30)
    inside, outside = stroke(1, (110, 60), radius=2.0), stroke(0, (10, 10))
    crossing = stroke(2, (90, 70.5), (103, 70.5), radius=0.6)
    targets = stroke_targets(ask(coloured[window.slices], inside, outside, crossing, window=window))
    rows, columns = np.mgrid[50:80, 100:140] + 0.5
    assert np.array_equal(targets == 1, np.hypot(columns - 110, rows - 60) <= 2)
    assert np.argwhere(targets == 2).tolist() == [[20, 0], [20, 1], [20, 2], [20, 3]]
    assert not (targets == 0).any()


def test_later_strokes_lie_on_top(coloured):
    below, above = stroke(1, (50, 50), radius=9.0), stroke(0, (50, 50), radius=4.0)
    targets = stroke_targets(ask(coloured, below, above))
    assert targets[50, 50] == 0
    assert targets[50, 57] == 1
    assert targets[50, 70] == -1
    taken_back = stroke_targets(ask(coloured, below, stroke(IGNORE, (50, 50), radius=4.0)))
    assert taken_back[50, 50] == -1


def test_an_example_teaches_another_brightness(coloured, truth):
    darker = (coloured[::-1].astype(float) * 0.5 + 10).astype(np.uint8)
    painted = np.where(np.arange(200) % 40 < 20, truth, IGNORE)
    found = answer(darker, example(coloured, painted), categories=())
    assert iou(ids_of(found), truth[::-1]) > 0.9
    assert {c.id for c in found.categories} == {0, 1, 2}


@pytest.mark.parametrize("output", ["auto", "instance"])
def test_an_example_of_instances_splits_touching_discs(output):
    known, ids = discs(DISCS)
    places = [(180 - x, 165 - y, r) for x, y, r in DISCS]
    pixels, truth = discs(places, bright=150, dark=50)
    found = answer(pixels, example(known, ids, instances=True), output=output)
    assert found.task == "instance"
    assert len(found.segments) == len(places)
    assert {s.category for s in found.segments.values()} == {1}
    assert iou(ids_of(found), truth) > 0.9


def test_panoptic_keeps_stuff_in_one_piece():
    pixels, ids = discs([(50, 50, 15), (76, 50, 15), (140, 110, 15)])
    pixels[130:, :70] = 0
    pixels[130:, 150:] = 0
    strokes = stroke(0, (20, 10), (180, 10)), stroke(1, (50, 50)), stroke(2, (20, 145), (40, 145))
    found = answer(pixels, *strokes, output="panoptic")
    assert found.task == "panoptic"
    assert sorted(s.category for s in found.segments.values()) == [1, 1, 1, 2]
    wanted = np.where(ids > 0, 1, np.where(pixels == 0, 2, 0))
    assert (categories_of(found) == wanted).mean() > 0.96
    assert len(answer(pixels, *strokes, output="instance").segments) == 3


def test_minimum_area_leaves_out_small_objects():
    pixels, _ = discs([(50, 50, 20), (140, 50, 9)])
    strokes = stroke(0, (20, 100), (180, 100)), stroke(1, (45, 50), (55, 50))
    for minimum, count in ((20, 2), (500, 1), (5000, 0)):
        found = answer(pixels, *strokes, output="instance", minimum_area=minimum)
        assert len(found.segments) == count


def test_smoothing_removes_single_pixels(coloured, truth):
    def edges(smoothing):
        found = ids_of(answer(coloured, *TWO, smoothing=smoothing))
        assert iou(found, truth) > 0.9
        return np.abs(np.diff(found, axis=1)).sum()

    assert edges(0.0) >= edges(3.0)


def test_the_same_strokes_give_the_same_answer(coloured):
    first, second = (answer(coloured, *TWO) for _ in range(2))
    assert np.array_equal(ids_of(first), ids_of(second))
    assert [s.score for s in first.segments.values()] == [s.score for s in second.segments.values()]


def test_what_was_measured_is_kept(coloured, truth):
    session = ScribbleSession()
    known = example(coloured[::-1].copy(), truth[::-1])
    reports = []
    session.segment(ask(coloured, *TWO), silent)
    again = ask(coloured, *TWO, stroke(0, (30, 80)))
    session.segment(again, lambda fraction, message: reports.append(message))
    assert "Measuring the image" not in reports
    session.segment(ask(coloured, known), silent)
    session.segment(ask(coloured, known), lambda fraction, message: reports.append(message))
    assert "Measuring the image" not in reports
    session.segment(ask(coloured, *TWO, key="other"), lambda f, message: reports.append(message))
    assert "Measuring the image" in reports


def test_an_example_is_not_taken_for_one_that_is_gone(coloured, truth):
    """Its memory may be given to the next one, so its id says nothing any more."""
    session = ScribbleSession()
    for turn in range(4):
        shown = coloured[turn * 4 :].copy()
        session.segment(ask(coloured, example(shown, truth[turn * 4 :])), silent)
        measured = [p for key, p in session._pyramids.items() if key != "image"]
        assert [p.size for p in measured] == [shown.shape[:2]]


def refusals(rgb, truth):
    return {
        "Paint a stroke": (),
        "Only one category": TWO[:1],
        "which is not in the list": (*TWO, stroke(9, (50, 50))),
        "lies outside": (*TWO, stroke(1, (500, 500))),
        "must be equal": (example(rgb, truth[:-1]),),
        "ignore everywhere": (example(rgb, np.full_like(truth, IGNORE)),),
        "other.png: its bands": (example(rgb[..., :1].astype(np.uint16), truth),),
        "holds the category 7": (example(rgb, truth * 7),),
    }


@pytest.mark.parametrize("message", refusals(np.zeros((2, 2, 3)), np.zeros((2, 2))))
def test_says_what_is_wrong(message, coloured, truth):
    with pytest.raises(PromptError, match=message) as caught:
        answer(coloured, *refusals(coloured, truth)[message])
    assert "\n" not in str(caught.value)


def test_a_stroke_beside_the_window_is_no_stroke(coloured):
    window = Window(100, 50, 40, 30)
    with pytest.raises(PromptError, match="Nothing is painted inside"):
        ScribbleSession().segment(
            ask(coloured[window.slices], stroke(1, (10, 10)), window=window), silent
        )


def test_can_be_cancelled_at_every_report(coloured):
    messages = []
    answer(coloured, *TWO, report=lambda fraction, message: messages.append(message))
    for stop in range(len(messages)):
        left = [stop]

        def report(fraction, message, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise Cancelled

        with pytest.raises(Cancelled):
            answer(coloured, *TWO, report=report)


def test_progress_only_grows(coloured, truth):
    fractions = []
    known = example(coloured, truth)
    answer(coloured, *TWO, known, report=lambda fraction, message: fractions.append(fraction))
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1


@pytest.mark.parametrize(
    "pair",
    [("dsb_4e1c889de3.png", "dsb_8d29c5a03e.png"), ("dsb_8d29c5a03e.png", "dsb_2dec81a678.png")],
)
def test_real_nuclei_from_an_example(pair, shared_data):
    folder = shared_data / "nuclei"
    (known, ids), (pixels, truth) = (
        (
            cv2.imread(str(folder / "images" / name), cv2.IMREAD_COLOR),
            cv2.imread(str(folder / "labels" / name), cv2.IMREAD_UNCHANGED),
        )
        for name in pair
    )
    found = answer(pixels, example(known, ids, instances=True), categories=(CELL,))
    assert iou(ids_of(found), truth) > 0.7
    count = len(np.unique(truth)) - 1
    assert 0.5 * count < len(found.segments) < 2 * count


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.integers(0, 60))
def test_split_numbers_the_foreground_and_nothing_else(seed, eagerness, minimum):
    rng = np.random.default_rng(seed)
    blobs = cv2.GaussianBlur(rng.normal(size=(48, 64)), (0, 0), rng.uniform(1, 4)) > 0
    ids = split(blobs, Splitting(eagerness, minimum))
    areas = np.bincount(ids.ravel())[1:]
    assert (areas >= max(1, minimum)).all()  # numbered without gaps
    grown = cv2.morphologyEx(blobs.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((17, 17)))
    assert not (ids > 0)[(grown == 0)].any()
    if minimum == 0:
        assert (ids > 0)[blobs].all()


def test_split_by_eagerness():
    _, ids = discs([(60, 80, 30), (105, 80, 30)])
    counts = [split(ids > 0, Splitting(e, 1)).max() for e in (0.0, 0.3, 0.9)]
    assert counts == sorted(counts)
    assert counts[0] == 1
    assert counts[-1] == 2


@pytest.mark.parametrize("full", [False, True])
def test_split_of_nothing_and_of_everything(full):
    ids = split(np.full((30, 40), full), Splitting(0.5, 1))
    assert ids.max() == full


def test_learns_to_split_as_the_example_does():
    _, touching = discs([(60, 80, 30), (105, 80, 30)])
    apart, together = learn_splitting([touching]), learn_splitting([(touching > 0).astype(int)])
    assert split(touching > 0, apart).max() == 2
    assert split(touching > 0, together).max() == 1
    small = replace(apart, minimum_area=touching.size)
    assert split(touching > 0, small).max() == 0
    assert 1 <= apart.minimum_area < (touching == 1).sum()


def test_split_keeps_thin_lines_and_long_bars_whole():
    mask = np.zeros((60, 120), bool)
    mask[10, 5:115] = True
    mask[30:32, 5:115] = True
    mask[40:52, 5:115] = True
    mask[40, 20:100:9] = False
    ids = split(mask, Splitting(0.5, 1))
    assert [len(np.unique(ids[rows][mask[rows]])) for rows in (10, 30, 45)] == [1, 1, 1]
    assert ids.max() == 3
