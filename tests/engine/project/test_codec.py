"""Records survive as bytes; whatever else the bytes are, nothing but an error comes of them."""

import json

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from segdesk.core.errors import ProjectError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo
from segdesk.core.prompts import Box, Example, Mask, Points, Scribble, Text
from segdesk.core.segmentation import Category, Provenance
from segdesk.engine.layer import LayerState
from segdesk.engine.project.codec import pack, record_of, text_of, unpack
from segdesk.engine.project.rows import prompt_of

CELL = Category(1, "cell \0 ü 🔬", (1, 2, 3), is_thing=False)
RECORDS = [
    ImageInfo("a.tif", 5, 6, 3, "uint16", levels=((5, 6), (2, 3)), spacing=(0.5, 2), nodata=-1.5),
    ImageInfo("b", 1, 1, 1, "float32", affine=(1, 0, 3.5, 0, -1, 2), palette=((0, 1, 2),)),
    LayerState("x", "panoptic", (CELL,), False, 0.25, (9, 8, 7), "contour", True, True),
    Provenance("sam", "hub/id", "1.0", "points", "2026-01-01T00:00:00Z"),
]
PROMPTS = [
    Points(np.array([[1.5, 2.5], [3, 4]]), np.array([True, False]), 2, 3),
    Box(0, 1.5, 20, 30.25, 4, 1),
    Scribble(np.array([[1.0, 2.0]]), 2.5, 0),
    Mask(np.eye(5, 4, dtype=bool), Window(7, 8, 4, 5)),
    Text("a cell, ü"),
    Example(
        np.arange(24, dtype=np.uint16).reshape(2, 4, 3),
        np.zeros((2, 4, 3), np.uint8),
        np.ones((2, 4), np.int32),
        (CELL,),
        True,
        "first.png",
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_as_text(record):
    assert record_of(type(record), text_of(record)) == record


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: type(prompt).__name__)
def test_a_prompt_as_bytes(prompt):
    found = prompt_of(pack([type(prompt).__name__, prompt]))
    assert type(found) is type(prompt)
    for name, value in vars(prompt).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(vars(found)[name], value)
            assert vars(found)[name].dtype == value.dtype
        else:
            assert vars(found)[name] == value


def test_fields_of_a_later_program_get_their_defaults():
    values = json.loads(text_of(RECORDS[2]))
    del values["opacity"]
    values["shadow"] = True
    assert record_of(LayerState, json.dumps(values)).opacity == LayerState("").opacity


@pytest.mark.parametrize(
    "change", [{"name": 5}, {"task": "magic"}, {"categories": [{}]}, {"colour": [1, 2]}]
)
def test_a_value_of_another_kind_is_refused(change):
    with pytest.raises(ProjectError):
        record_of(LayerState, json.dumps(json.loads(text_of(RECORDS[2])) | change))


@given(st.integers(0), st.integers(0, 255), st.sampled_from(PROMPTS))
def test_a_changed_byte_is_noticed(place, value, prompt):
    data = bytearray(pack([type(prompt).__name__, prompt]))
    place %= len(data)
    if data[place] != value:
        data[place] = value
        with pytest.raises(ProjectError):
            prompt_of(bytes(data))


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_refused(data, packed):
    with pytest.raises(ProjectError):
        prompt_of(zstandard.compress(data) if packed else data)


def test_a_record_that_would_fill_the_memory_is_refused():
    bomb = zstandard.ZstdCompressor(write_content_size=True)
    huge = bomb.compress(bytes(1000)).replace(bytes(0), b"")
    frame = huge[:4] + b"\xe0" + (2**40).to_bytes(8, "little") + huge[7:]
    with pytest.raises(ProjectError):
        unpack(frame)


@pytest.mark.parametrize(
    "tree",
    [
        {"array of": "object", "shape": [1]},
        {"array of": "uint8", "shape": [-1]},
        {"array of": "uint8", "shape": [2**40]},
        {"array of": "uint8"},
    ],
)
def test_arrays_that_lie_are_refused(tree):
    text = json.dumps(tree).encode()
    data = len(text).to_bytes(4, "little") + text
    with pytest.raises(ProjectError):
        unpack(zstandard.compress(data))
