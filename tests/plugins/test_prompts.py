"""Boxes, points and rough masks without weights."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from segdesk_plugins.prompts.session import PromptSession

from segdesk.api import (
    ArrayImage,
    Box,
    Category,
    Mask,
    Points,
    PromptError,
    SegmentRequest,
    Text,
    Window,
)
from segdesk.core.errors import Cancelled
from segdesk.core.progress import silent
from segdesk.engine.job import SegmentJob
from segdesk.engine.segment import segment

CENTRE, RADIUS = (150, 110), 40


@pytest.fixture(scope="module")
def scene():
    """A textured disc and a rectangle of other colours on a textured ground."""
    rng = np.random.default_rng(3)
    rgb = np.full((240, 320, 3), (70, 110, 60), np.uint8)
    cv2.rectangle(rgb, (20, 30), (80, 200), (60, 70, 150), -1)
    cv2.circle(rgb, CENTRE, RADIUS, (170, 90, 60), -1)
    return np.clip(rgb + rng.normal(0, 12, rgb.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def disc(scene):
    mask = np.zeros(scene.shape[:2], np.uint8)
    return cv2.circle(mask, CENTRE, RADIUS, 1, -1).astype(bool)


def on(*xy, off=(), category=1):
    points = np.array([*xy, *off], float).reshape(-1, 2)
    return Points(points, np.arange(len(points)) < len(xy), category)


BOX = Box(110, 70, 191, 151)
ROUGH = Mask(np.hypot(*np.mgrid[-35:35, -40:40]) < 33, Window(115, 70, 80, 70))
PROMPTS = [BOX, on((150, 110)), on((150, 110), (130, 90), off=[(50, 100), (250, 110)]), ROUGH]


def ask(rgb, *prompts, window=None, key="image", categories=()):
    window = window or Window(0, 0, rgb.shape[1], rgb.shape[0])
    return SegmentRequest(rgb, rgb, window, key, prompts, categories)


def painted(answer, shape, index=0):
    mask = np.zeros(shape, bool)
    region = answer.masks[index]
    mask[region.window.slices] = region.mask
    return mask


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("prompt", PROMPTS, ids=["box", "click", "points", "mask"])
def test_finds_a_textured_disc(scene, disc, prompt):
    answer = PromptSession().segment(ask(scene, prompt), silent)
    assert iou(painted(answer, disc.shape), disc) > 0.96
    assert 0.7 < answer.masks[0].score <= 1


@pytest.mark.parametrize("bands", ["gray", "16-bit"])
def test_through_the_engine(scene, disc, bands):
    gray = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
    gray[~disc] //= 2
    pixels = gray if bands == "gray" else gray.astype(np.uint16) * 200
    category = Category(4, "cell", (1, 2, 3))
    job = SegmentJob("prompts", prompts=(replace(BOX, category=4),), categories=(category,))
    result = segment(ArrayImage(pixels), job)
    (only,) = result.segments.values()
    assert (only.category, only.state, result.categories) == (4, "proposed", (category,))
    found = result.planes[0].read(Window(0, 0, 320, 240)) == only.id
    assert iou(found, disc) > 0.96


def test_a_large_image_keeps_exact_edges():
    rgb = np.full((1500, 2000, 3), 60, np.uint8)
    cv2.circle(rgb, (1000, 700), 600, (200, 120, 40), -1)
    truth = rgb[..., 0] > 100
    answer = PromptSession().segment(ask(rgb, Box(395, 95, 1606, 1306), on((900, 700))), silent)
    assert iou(painted(answer, truth.shape, 0), truth) > 0.995
    assert iou(painted(answer, truth.shape, 1), truth) > 0.995


@pytest.mark.parametrize("kind", range(4))
def test_a_window_moves_the_answer_by_whole_pixels(scene, kind):
    prompt = PROMPTS[kind]
    whole = PromptSession().segment(ask(scene, prompt), silent).masks[0]
    far = Window(1000, 500, 320, 240)
    moved = {
        Box: lambda: replace(prompt, x0=1110, y0=570, x1=1191, y1=651),
        Points: lambda: replace(prompt, xy=prompt.xy + np.array([1000, 500])),
        Mask: lambda: replace(prompt, window=prompt.window.shifted(1000, 500)),
    }[type(prompt)]()
    there = PromptSession().segment(ask(scene, moved, window=far), silent).masks[0]
    assert there.window == whole.window
    assert np.array_equal(there.mask, whole.mask)


def test_nothing_lies_outside_the_box(scene):
    tight = Box(130.5, 90.5, 160.5, 120.5)
    region = PromptSession().segment(ask(scene, tight), silent).masks[0]
    assert region.window.intersection(Window(130, 90, 31, 31)) == region.window


def test_negative_points_take_a_part_away(scene):
    both = on((50, 100), (150, 110))
    without = on((50, 100), off=[(150, 110)])
    answer = PromptSession().segment(ask(scene, both, without), silent)
    first, second = (painted(answer, scene.shape[:2], i) for i in (0, 1))
    assert first[100, 50] and first[110, 150]
    assert second[100, 50] and not second[110, 150]


def test_tiny_and_partly_outside_prompts_still_give_a_region(scene):
    prompts = (Box(5.2, 5.2, 5.4, 5.4), Box(-30, -20, 40, 60), on((0, 0)), on((320, 240)))
    answer = PromptSession().segment(ask(scene, *prompts), silent)
    assert [region.mask.any() for region in answer.masks] == [True] * 4


def test_flat_image_gives_the_middle_of_the_box():
    rgb = np.full((90, 90, 3), 128, np.uint8)
    mask = painted(PromptSession().segment(ask(rgb, Box(20, 20, 70, 70)), silent), (90, 90))
    assert mask[45, 45] and 0.5 < mask.sum() / 2500 <= 1


def test_prompts_outside_the_window_are_left_out(scene):
    outside = (Box(400, 10, 450, 60), on((500, 20)), replace(ROUGH, window=Window(900, 0, 80, 70)))
    answer = PromptSession().segment(ask(scene, *outside, BOX), silent)
    assert len(answer.masks) == 1


def test_unlisted_categories_get_a_name(scene):
    listed = Category(2, "leaf", (0, 9, 0))
    prompts = (replace(BOX, category=2), BOX, replace(BOX, category=7))
    answer = PromptSession().segment(ask(scene, *prompts, categories=(listed,)), silent)
    assert [region.category for region in answer.masks] == [2, 1, 7]
    assert [c.name for c in answer.categories] == ["leaf", "object", "object 7"]


def test_same_question_same_answer(scene):
    answers = [PromptSession().segment(ask(scene, *PROMPTS), silent) for _ in range(2)]
    for a, b in zip(answers[0].masks, answers[1].masks, strict=True):
        assert a.window == b.window and a.score == b.score and np.array_equal(a.mask, b.mask)


def test_remembers_answers_until_the_image_changes(scene):
    session = PromptSession()
    first = session.segment(ask(scene, *PROMPTS), silent)
    again = session.segment(ask(scene, *PROMPTS[1:], BOX), silent)
    assert again.masks[-1].mask is first.masks[0].mask
    assert again.masks[0].mask is first.masks[1].mask
    other = session.segment(ask(scene[::-1].copy(), BOX, key="other"), silent)
    assert not np.array_equal(other.masks[0].mask, first.masks[0].mask)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("reports", [1, 2, 3])
def test_stops_when_asked(scene, prompt, reports):
    left = [reports]

    def report(fraction, message):
        assert 0 <= fraction <= 1
        left[0] -= 1
        if not left[0]:
            raise Cancelled("stop")

    session = PromptSession()
    with pytest.raises(Cancelled):
        session.segment(ask(scene, prompt), report)
    assert session.segment(ask(scene, prompt), silent).masks[0].mask.any()


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ((), "Draw a box"),
        ((Box(5, 5, 5, 9),), "box is empty"),
        ((on(off=[(5, 5)]),), "put one on it"),
        ((replace(ROUGH, mask=np.zeros((70, 80), bool)),), "mask is empty"),
        ((Text("cat"),), "text is no box"),
    ],
)
def test_says_what_is_wrong_with_a_prompt(scene, prompts, words):
    with pytest.raises(PromptError, match=words):
        PromptSession().segment(ask(scene, *prompts), silent)


def test_real_nuclei(shared_data):
    scores = {"box": [], "click": []}
    for path in sorted((shared_data / "nuclei" / "images").glob("*.png"))[:8]:
        rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        ids = cv2.imread(str(path.parents[1] / "labels" / path.name), cv2.IMREAD_UNCHANGED)
        truth = ids == np.bincount(ids[ids > 0]).argmax()
        x, y, width, height = cv2.boundingRect(truth.astype(np.uint8))
        depth = cv2.distanceTransform(np.pad(truth, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        prompts = Box(x, y, x + width, y + height), on((column + 0.5, row + 0.5))
        answer = PromptSession().segment(ask(rgb, *prompts), silent)
        for index, kind in enumerate(scores):
            scores[kind].append(iou(painted(answer, truth.shape, index), truth))
    assert np.mean(scores["box"]) > 0.8
    assert np.mean(scores["click"]) > 0.5
