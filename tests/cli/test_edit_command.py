"""``segdesk edit``, as called from a terminal."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def mask(tmp_path):
    """A ring with a hole, and a dot."""
    values = np.zeros((20, 30), np.uint8)
    values[2:10, 2:10], values[4:8, 4:8], values[15, 15] = 1, 0, 1
    path = tmp_path / "mask.png"
    Image.fromarray(values).save(path)
    return path


def test_operations_are_done_in_their_order(segdesk, mask, tmp_path):
    out = tmp_path / "out.png"
    code, lines, _ = segdesk(
        "edit", mask, "--remove-small", 5, "--fill-holes", "--grow", 1, "--out", out
    )
    assert code == 0
    assert [line.split(":")[0] for line in lines.splitlines()] == [
        "Remove Small",
        "Fill Holes",
        "Grow",
    ]
    found = np.asarray(Image.open(out))
    expected = np.zeros((20, 30), np.uint8)
    expected[2:10, 1:11] = expected[1:11, 2:10] = 1
    assert (found == expected).all()
    first = segdesk("edit", mask, "--grow", 1, "--remove-small", 5, "--out", out)
    assert first[0] == 0
    assert np.asarray(Image.open(out))[15, 15] == 1


def test_conversion_gives_each_object_an_id(segdesk, mask, tmp_path):
    out = tmp_path / "out.png"
    assert segdesk("edit", mask, "--convert", "instance", "--out", out)[0] == 0
    assert set(np.unique(np.asarray(Image.open(out)))) == {0, 1, 2}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "give an operation"),
        (("--grow", "x"), 2, "takes a number"),
        (("--melt",), 2, "no option '--melt'"),
        (("--split-parts",), 1, "convert it to instances first"),
    ],
)
def test_what_is_wrong_is_one_line(segdesk, mask, tmp_path, arguments, code, words):
    out = tmp_path / "out.png"
    found, _, err = segdesk("edit", mask, *arguments, "--out", out)
    assert (found, out.exists()) == (code, False)
    assert words in err
    assert err.count("\n") == 1


def test_a_mask_is_written_as_png(segdesk, mask, tmp_path):
    code, _, err = segdesk("edit", mask, "--fill-holes", "--out", tmp_path / "out.jpg")
    assert (code, "a mask is a PNG" in err) == (2, True)
