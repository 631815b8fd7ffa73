"""The first page keeps its word."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder with an image, and another one with its mask."""
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 15:45] = 1
    noise = np.random.default_rng(0).integers(0, 40, (2, 40, 60, 3))
    for name, dark in zip(("photo", "first"), noise, strict=True):
        pixels = (dark + 150 * mask[..., np.newaxis]).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    Image.fromarray(mask).save(tmp_path / "first_mask.png")
    monkeypatch.chdir(tmp_path)
    return mask


def test_the_python_example_segments_by_an_example(photos):
    (block,) = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    found = np.asarray(Image.open(names["files"]["png"][0])) == 1
    assert (found == photos).mean() > 0.95
