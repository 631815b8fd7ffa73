from dataclasses import dataclass, replace

import numpy as np
import pytest

from segdesk.api import Checkpoint, SegmenterSpec, Window
from segdesk.core.display import Display
from segdesk.core.errors import (
    Cancelled,
    CheckpointError,
    ImageError,
    OutOfMemory,
    PluginError,
    PromptError,
    UsageError,
)
from segdesk.core.image import ArrayImage, ImageInfo
from segdesk.core.prompts import Box, Example, Mask, Points, Scribble
from segdesk.core.segmentation import (
    Category,
    CategoryScores,
    RegionMask,
    Segment,
    SegmentIds,
    SegmentMasks,
)
from segdesk.engine.job import SegmentJob, make_request
from segdesk.engine.registry import registry
from segdesk.engine.segment import segment
from segdesk.engine.sessions import Sessions

CELL = Category(1, "cell", (255, 0, 0))
RGB = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
IMAGE = ArrayImage(RGB, "cells.png")


@dataclass(frozen=True)
class Options:
    amount: int = 3


class Probe:
    """A session that answers what it is told to, and remembers what it was asked."""

    opened, closed, asked = [], [], []
    answer = None

    def __init__(self, checkpoint, device, report):
        report(0.5, "Opening")
        self.opened.append((checkpoint, device))
        self.name = checkpoint

    def segment(self, request, report):
        report(0.5, "Thinking")
        self.asked.append(request)
        if isinstance(Probe.answer, BaseException):
            raise Probe.answer
        return Probe.answer

    def close(self):
        self.closed.append(self.name)


SPEC = SegmenterSpec(
    "probe",
    "Probe",
    "prompted",
    Probe,
    frozenset({Points, Box, Scribble, Mask, Example}),
    Options,
    (Checkpoint("org/model", "A model"),),
)


@pytest.fixture(autouse=True)
def probe(monkeypatch):
    for spec in (SPEC, replace(SPEC, id="needy", needs_checkpoint=True, prompts=frozenset())):
        monkeypatch.setitem(registry().segmenters, spec.id, spec)
    Probe.opened.clear(), Probe.closed.clear(), Probe.asked.clear()
    ids = np.zeros((30, 40), np.int32)
    ids[:10] = 1
    Probe.answer = SegmentIds(ids, (Segment(1, 1, 0.5),), (CELL,))
    return Probe


def test_one_call_opens_asks_resolves_and_closes(probe):
    told = []
    job = SegmentJob("probe", "weights", "cpu", prompts=(Box(1, 1, 5, 5), Box(2, 2, 9, 9)))
    found = segment(IMAGE, job, lambda *progress: told.append(progress))
    assert (probe.opened, probe.closed) == ([("weights", "cpu")], ["weights"])
    assert found.planes[0].areas() == {1: 400}
    made = found.segments[1].provenance
    assert (made.segmenter, made.checkpoint, made.prompt) == ("probe", "weights", "2 box")
    assert made.time.endswith("+00:00")
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)


def test_sessions_are_kept_until_there_are_too_many(probe):
    with Sessions(limit=2) as sessions:
        for checkpoint in ("a", "b", "a", "c", "a", "b"):
            segment(IMAGE, SegmentJob("probe", checkpoint), sessions=sessions)
        assert [checkpoint for checkpoint, _ in probe.opened] == ["a", "b", "c", "b"]
        assert probe.closed == ["b", "c"]
    assert sorted(probe.closed) == ["a", "b", "b", "c"]


def test_a_request_holds_the_window_as_stored_and_as_displayed(probe):
    pixels = (RGB.astype(np.uint16) * 100)[..., :2]
    window = Window(10, 20, 50, 50)
    request = make_request(ArrayImage(pixels), SegmentJob("probe"), window=window)
    assert request.window == Window(10, 20, 30, 10)
    assert request.image_size == (40, 30)
    np.testing.assert_array_equal(request.pixels, pixels[20:, 10:])
    assert (request.rgb.shape, request.rgb.dtype) == ((10, 30, 3), np.uint8)
    assert request.options == Options(3)
    for array in (request.pixels, request.rgb):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def test_equal_keys_mean_equal_pixels(probe):
    job, dark = SegmentJob("probe"), Display(high=(99.0, 99.0, 99.0))
    stack = ArrayImage(np.stack([RGB, RGB]))
    keys = [
        make_request(stack, job, *arguments, image_key=key).image_key
        for key in ("a", "b")
        for arguments in [(), (dark,), (None, Window(0, 0, 9, 9)), (None, None, 1)]
    ]
    assert len(set(keys)) == len(keys)
    assert make_request(stack, job, dark, image_key="a").image_key == keys[1]
    nameless = {make_request(IMAGE, job).image_key for _ in range(3)}
    assert len(nameless) == 3


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (SegmentJob("nothing"), "There is no segmenter 'nothing'. Known: .*probe"),
        (SegmentJob("needy"), "needs a checkpoint: a folder or Hub id, such as org/model"),
        (SegmentJob("probe", options={"amount": 3}), "takes Options, not dict"),
    ],
)
def test_a_job_that_does_not_fit_its_segmenter_is_refused(job, words):
    with pytest.raises(UsageError, match=words):
        make_request(IMAGE, job)


def points(*xy, positive=None):
    return Points(np.array(xy), np.ones(len(xy), bool) if positive is None else positive)


def mask(shape, window, category=1):
    return Mask(np.ones(shape, bool), window, category)


def example(labels, **changes):
    categories = (Category(0, "background", (0, 0, 0)), CELL)
    return Example(RGB, RGB, labels, categories, name="other.png", **changes)


LABELS = np.ones((30, 40), np.int32)


@pytest.mark.parametrize(
    "prompt",
    [
        points((0, 0), (40, 30)),
        Box(-5, -5, 3, 3),
        Scribble(np.array([[-3, 10]]), 5, 0),
        mask((9, 9), Window(-4, -4, 9, 9), category=255),
        example(np.where(np.eye(30, 40), 255, 0)),
        example(LABELS * 900, holds_instances=True),
    ],
)
def test_prompts_that_fit_pass(prompt):
    request = make_request(IMAGE, SegmentJob("probe", prompts=(prompt,), categories=(CELL,)))
    assert request.prompts == (prompt,)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        (points((41, 3)), r"point \(41, 3\) lies outside cells.png, which is 40 x 30 pixels"),
        (points((-0.1, 3)), "lies outside"),
        (points((np.nan, 3)), "finite"),
        (Points(np.zeros((0, 2)), np.zeros(0, bool)), "N pairs"),
        (points((1, 1), positive=np.ones(2, bool)), "1 points need as many marks"),
        (Box(5, 5, 5, 9), "empty"),
        (Box(0, 0, np.inf, 9), "empty"),
        (Box(41, 0, 50, 9), "lies outside"),
        (Scribble(np.array([[-6, 10]]), 5, 1), "lies outside"),
        (Scribble(np.array([[6, 10]]), 0, 1), "radius"),
        (mask((9, 9), Window(0, 0, 9, 8)), r"mask of shape \(9, 9\) does not fill"),
        (mask((9, 9), Window(0, 30, 9, 9)), "lies outside"),
        (Box(1, 1, 5, 5, category=7), "category 7, which is not in the list of categories"),
        (example(LABELS[:9]), "mask of other.png is 40 x 9 pixels, its image 40 x 30"),
        (example(LABELS * 7), "mask of other.png holds the category 7"),
    ],
)
def test_prompts_that_do_not_fit_are_refused(prompt, words):
    with pytest.raises(PromptError, match=words):
        make_request(IMAGE, SegmentJob("probe", prompts=(prompt,), categories=(CELL,)))


def test_prompts_of_a_kind_that_the_segmenter_does_not_take_are_refused():
    with pytest.raises(PromptError, match="'needy' cannot use a box; it takes no prompts"):
        make_request(IMAGE, SegmentJob("needy", "x", prompts=(Box(1, 1, 2, 2),)))


def test_a_window_outside_and_one_too_large_for_memory_are_refused_unread():
    class Endless:
        info = ImageInfo("slide.tif", 10_000_000, 10_000_000, 3, "uint8")

    job = SegmentJob("probe")
    with pytest.raises(ImageError, match=r"slide.tif: to work on .* take a smaller part"):
        make_request(Endless(), job)
    with pytest.raises(ImageError, match="lies outside"):
        make_request(IMAGE, job, window=Window(40, 0, 5, 5))


IDS = np.zeros((30, 40), np.int32)
SCORES = np.zeros((1, 4, 4), np.float32)
ONE = (Segment(1, 1),)
WHOLE = Window(0, 0, 40, 30)


def ids(array=IDS, segments=ONE, categories=(CELL,), task="semantic"):
    return SegmentIds(array, segments, categories, task)


def regions(mask, window, category=1, score=None):
    return SegmentMasks((RegionMask(mask, window, category, score),), (CELL,))


WRONG = {
    "not SegmentIds but None": (None, "must be CategoryScores, SegmentMasks or SegmentIds"),
    "a dict": ({"ids": IDS}, "not dict"),
    "list of categories": (ids(categories=[CELL]), "no tuple but list"),
    "no category": (ids(categories=("cell",)), "'cell' is no category"),
    "negative category": (ids(categories=(replace(CELL, id=-1),)), "is no category"),
    "twin categories": (ids(categories=(CELL, CELL)), "the same id"),
    "task": (ids(task="guess"), "its task is 'guess'"),
    "shape of ids": (ids(IDS[:9]), r"ids of shape \(9, 40\)"),
    "type of ids": (ids(IDS.astype(float)), "type float64"),
    "list of ids": (ids(IDS.tolist()), "ids of type list"),
    "negative ids": (ids(IDS - 1), "ids from -1 to -1"),
    "huge ids": (ids(IDS + np.int64(2**32)), "ids from 4294967296"),
    "ids without segment": (ids(IDS + 2), "no segment has the id 2"),
    "twin segments": (ids(segments=ONE * 2), "is no segment with an id of its own"),
    "segment 0": (ids(segments=(Segment(0, 1),)), "is no segment"),
    "unknown category": (ids(segments=(Segment(1, 5),)), "category 5, which it does not list"),
    "score": (ids(segments=(Segment(1, 1, float("nan")),)), "score of a segment is nan"),
    "number of scores": (CategoryScores(SCORES.repeat(2, 0), (CELL,)), r"shape \(2, 4, 4\)"),
    "no scores": (CategoryScores(SCORES[:, :0], (CELL,)), r"shape \(1, 0, 4\)"),
    "precision": (CategoryScores(SCORES.astype(np.float16), (CELL,)), "float16"),
    "NaN": (CategoryScores(SCORES * np.nan, (CELL,)), "not finite"),
    "type of mask": (regions(IDS, WHOLE), "a mask of shape .* type int32"),
    "size of mask": (regions(IDS > 0, Window(0, 0, 4, 4)), "a mask of shape"),
    "place of mask": (regions(IDS > 0, Window(1, 0, 40, 30)), "reaches out of 40 x 30"),
    "category of mask": (regions(IDS > 0, WHOLE, 9), "category 9"),
    "score of mask": (regions(IDS > 0, WHOLE, 1, "high"), "score of a segment is 'high'"),
    "no mask": (SegmentMasks((IDS > 0,), (CELL,)), "is no RegionMask"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_answer_is_blamed_on_its_segmenter(probe, kind):
    probe.answer, words = WRONG[kind]
    with pytest.raises(PluginError, match=words) as caught:
        segment(IMAGE, SegmentJob("probe"))
    assert str(caught.value).startswith("The segmenter 'probe' gave a wrong answer: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("masks", [None, 5, (RegionMask(IDS > 0, WHOLE, []),)])
def test_nonsense_inside_an_answer_is_blamed_on_its_segmenter(probe, masks):
    probe.answer = SegmentMasks(masks, (CELL,))
    with pytest.raises(PluginError, match="The segmenter 'probe' failed: TypeError"):
        segment(IMAGE, SegmentJob("probe"))


@pytest.mark.parametrize("error", [CheckpointError("No weights."), Cancelled("Stopped.")])
def test_what_a_segmenter_says_is_passed_on_and_its_session_kept(probe, error):
    with Sessions() as sessions:
        probe.answer, answer = error, probe.answer
        with pytest.raises(type(error), match=str(error)):
            segment(IMAGE, SegmentJob("probe"), sessions=sessions)
        probe.answer = answer
        segment(IMAGE, SegmentJob("probe"), sessions=sessions)
        assert len(probe.opened) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("one\ntwo"), "failed: ValueError: one two$"),
        (SystemExit(2), "failed: SystemExit: 2"),
        (MemoryError(), "needs more memory than there is: segment in smaller tiles"),
    ],
)
def test_any_other_failure_is_blamed_on_the_segmenter_and_its_session_closed(probe, error, words):
    with Sessions() as sessions:
        probe.answer, answer = error, probe.answer
        with pytest.raises((PluginError, OutOfMemory), match=words):
            segment(IMAGE, SegmentJob("probe"), sessions=sessions)
        assert probe.closed == [""]
        probe.answer = answer
        segment(IMAGE, SegmentJob("probe"), sessions=sessions)
        assert len(probe.opened) == 2


def test_a_frame_of_a_stack_is_segmented_with_its_own_prompts(probe):
    stack = ArrayImage(np.stack([RGB, RGB, RGB]))
    prompts = tuple(Box(1, 1, 9, 9, frame=frame) for frame in (0, 2, 2))
    job = SegmentJob("probe", prompts=prompts)
    request = make_request(stack, job, frame=2)
    assert (request.frame, request.frames, request.prompts) == (2, 3, prompts[1:])
    found = segment(stack, job, frame=2)
    assert (found.frames, found.planes[0].frames) == ((2,), 3)
    with pytest.raises(ImageError, match="there is no frame 4, it has 3"):
        make_request(stack, job, frame=3)
