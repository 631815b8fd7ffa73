"""Painting where pixels lie in a range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdesk.core.display import Display
from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.raster import capsule
from segdesk.engine import edits, threshold
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.engine.threshold import Place, Range, Stroke, paint_range
from tests.core.maps import small_tiles, stack_of
from tests.engine.frozen import CATEGORIES, freeze

ALL = Window(0, 0, 23, 19)


def document_of(task="instance", seed=0):
    """Return a document of two frames and bands of noise, with segments 1 and 2 side by side."""
    pixels = np.random.default_rng(seed).integers(0, 1000, (2, 19, 23, 2)).astype(np.uint16)
    document = Document(ArrayImage(pixels))
    layer = edits.add_layer(document, LayerState("By hand", task, CATEGORIES))
    with document.edit("Paint") as edit:
        for x, category in ((2, 1), (9, 2)):
            segment_id = edits.segment_to_paint(edit, layer, category)
            edit.paint(layer, Window(x, 3, 7, 9), segment_id, None, 0, 1)
    return document, layer, pixels


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 999),
    st.integers(0, 999),
    st.sampled_from([None, frozenset({1}), frozenset({1, 2})]),
    st.booleans(),
    st.sampled_from([0, 1]),
    st.tuples(*[st.integers(-3, 20)] * 4),
)
def test_it_paints_what_a_plain_comparison_finds(low, high, inside, over, category, sides):
    with small_tiles(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(threshold, "_SIDE", 8)
        document, layer, pixels = document_of()
        before, frozen = stack_of(layer.planes[0]), freeze(document)
        window = Window(*sides)
        place = Place(layer.id, window, 1, inside, over)
        segment_id = paint_range(document, place, Range(low, high, 1), category)
        expected = before.copy()
        where = (pixels[1, ..., 1] >= low) & (pixels[1, ..., 1] <= high)
        seen = np.zeros(ALL.shape, bool)
        seen[window.intersection(ALL).slices] = True
        if inside is not None:
            where &= np.isin(before[1], list(inside))
        elif category and not over:
            where &= before[1] == 0
        expected[1][where & seen] = segment_id
        assert (stack_of(layer.planes[0]) == expected).all()
        if len(document.history.names) > 2:
            document.undo()
        assert freeze(document) == frozen
        assert (stack_of(layer.planes[0]) == before).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-3, 26), st.floats(-3, 22)), min_size=1, max_size=4),
    st.floats(0.5, 6),
)
def test_under_a_stroke_it_paints_no_more_than_the_brush_does(path, radius):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threshold, "_SIDE", 8)
        document, layer, pixels = document_of()
        stroke = Stroke(np.array(path), radius)
        place = Place(layer.id, stroke.window(), 0, stroke=stroke, segment_id=1)
        paint_range(document, place, Range(300, 999), 1)
    brushed = np.zeros(ALL.shape, bool)
    for start, end in zip(path, path[1:] or path, strict=False):
        window, mask = capsule(start, end, radius, ALL)
        brushed[window.slices] |= mask
    found = stack_of(layer.planes[0])[0] == 1
    assert (found == (brushed & (pixels[0, ..., 0] >= 300))).all()


def test_displayed_brightness_is_compared():
    document, layer, pixels = document_of()
    display = Display((0, 0, 0), (0.0,) * 3, (1000.0,) * 3)
    paint_range(document, Place(layer.id, ALL), Range(128, 255, 0, display), 1)
    shown = display.apply(pixels[0]).mean(2) >= 128
    assert ((stack_of(layer.planes[0])[0] > 0) == shown).all()


def test_the_same_key_makes_one_step_in_a_semantic_layer():
    document, layer, _ = document_of("semantic")
    steps = len(document.history.names)
    for high in (300, 600):
        paint_range(document, Place(layer.id, ALL), Range(0, high), 1, key="slider")
    assert len(document.history.names) == steps + 1


def test_a_band_that_is_not_there_is_refused_and_nothing_changes():
    document, layer, _ = document_of()
    before = freeze(document)
    with pytest.raises(SegdeskError, match="no band 3: the image has 2"):
        paint_range(document, Place(layer.id, ALL), Range(0, 9, 2), 1)
    assert freeze(document) == before
