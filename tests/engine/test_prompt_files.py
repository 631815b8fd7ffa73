"""Prompts as JSON: a round trip, what is refused, and that a stranger's file cannot reach out."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from segdesk.core.errors import PromptError
from segdesk.core.geometry import Window
from segdesk.core.prompts import Box, Mask, Points, Scribble, Text
from segdesk.core.segmentation import Category
from segdesk.engine.prompt_files import prompts_from_json, prompts_to_json, read_prompts

numbers = st.floats(-1e6, 1e6)
ids = st.integers(0, 9)
paths = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5).map(np.array)
prompts = st.one_of(
    st.builds(lambda xy, c: Points(xy, xy[:, 0] > 0, c), paths, ids),
    st.builds(Box, numbers, numbers, numbers, numbers, ids),
    st.builds(Scribble, paths, st.floats(0.1, 99), ids),
    st.builds(Text, st.text(min_size=1).filter(str.strip), ids),
)
CATEGORIES = tuple(Category(i, f"kind {i}", (i, 20, 255), i % 2 == 0) for i in range(10))


def plain(prompt):
    return type(prompt), {k: np.asarray(v).tolist() for k, v in asdict(prompt).items()}


@given(st.lists(prompts, max_size=4))
def test_what_is_written_is_read(given_prompts):
    read, categories = prompts_from_json(prompts_to_json(given_prompts, CATEGORIES))
    assert [plain(p) for p in read] == [plain(p) for p in given_prompts]
    assert categories == CATEGORIES


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "xy", "positive", "category", "path", "x0", "radius", "phrase"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from(["points", "box", "scribble", "mask", "text"]))
def test_anything_else_is_refused_in_one_line(value, kind):
    item = {"kind": kind, **value} if isinstance(value, dict) else value
    try:
        prompts_from_json(json.dumps({"prompts": [item]}))
    except PromptError as error:
        assert "\n" not in str(error)


def test_categories_are_named_by_number_where_the_file_names_none():
    text = '{"prompts": [{"kind": "text", "phrase": "a cat", "category": 3}]}'
    (_,), (category,) = prompts_from_json(text)
    assert (category.id, category.name) == (3, "category 3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "the file must be an object, not a list of 0"),
        ("{}", "the file lacks 'prompts'"),
        ('{"prompts": [], "promts": []}', "the file holds an unknown 'promts'"),
        ('{"prompts": [1]}', r"prompts\[0\] must be an object, not 1"),
        ('{"prompts": [{"kind": "circle"}]}', '"circle"; known: points, box, scribble, mask, text'),
        ('{"prompts": [{"kind": "box", "x0": 1}]}', r"prompts\[0\] lacks 'y0'"),
        ('{"prompts": [{"kind": "points", "xy": []}]}', r"a list of \[x, y\] pairs as 'xy'"),
        ('{"prompts": [{"kind": "points", "xy": [[1, NaN]]}]}', "pairs"),
        ('{"prompts": [{"kind": "points", "xy": [[1, true]]}]}', "pairs"),
        ('{"prompts": [{"kind": "points", "xy": [[1, 2]], "positive": []}]}', "1 points and 0"),
        ('{"prompts": [{"kind": "text", "phrase": " "}]}', "needs a text as 'phrase', not \" \""),
        ('{"prompts": [{"kind": "text", "phrase": "a", "category": -1}]}', "0 to 65535"),
        ('{"prompts": [{"kind": "text", "phrase": "a", "categroy": 1}]}', "unknown 'categroy'"),
        ('{"prompts": [], "categories": [{"id": 1}]}', r"categories\[0\] lacks 'name'"),
        (
            '{"prompts": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
            "Two categories have the same id",
        ),
        (
            '{"prompts": [], "categories": [{"id": 1, "name": "a", "colour": [0, 0, 256]}]}',
            "of 0 to 255 as 'colour', not a list of 3",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, message):
    with pytest.raises(PromptError, match=message):
        prompts_from_json(text)


def test_a_mask_is_a_picture_beside_the_file(tmp_path):
    Image.fromarray(np.array([[0, 7], [1, 0]], np.uint8)).save(tmp_path / "rough.png")
    text = '{"prompts": [{"kind": "mask", "path": "rough.png", "x": 5, "category": 2}]}'
    (tmp_path / "prompts.json").write_text(text, "utf-8")
    (mask,), _ = read_prompts(tmp_path / "prompts.json")
    assert isinstance(mask, Mask)
    assert mask.mask.tolist() == [[False, True], [True, False]]
    assert (mask.window, mask.category) == (Window(5, 0, 2, 2), 2)


@pytest.mark.parametrize(
    "path", ["../secret.png", "/etc/secret.png", "link/secret.png", "a\\u0000"]
)
def test_a_mask_cannot_lie_outside_the_folder(path, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    Image.new("L", (1, 1)).save(tmp_path / "secret.png")
    with pytest.raises(PromptError, match="outside its own folder"):
        prompts_from_json(f'{{"prompts": [{{"kind": "mask", "path": "{path}"}}]}}', inside)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(PromptError, match=r"absent\.json could not be read: No such file"):
        read_prompts(tmp_path / "absent.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(PromptError, match="not UTF-8"):
        read_prompts(tmp_path / "binary.json")
    (tmp_path / "bad.json").write_text("{}", "utf-8")
    with pytest.raises(PromptError, match=r"bad\.json: the file lacks 'prompts'"):
        read_prompts(tmp_path / "bad.json")
