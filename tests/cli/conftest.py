"""A stranger's plugin, a picture, and the command line called as it is from a terminal."""

import sys

import numpy as np
import pytest
from PIL import Image

from segdesk.__main__ import main
from segdesk.engine.folders import plugin_folder
from segdesk.engine.registry import forget_plugins

THRESHOLD = """
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from segdesk.api import Category, Example, Points, Segment, SegmenterSpec, SegmentIds, hookimpl


@dataclass(frozen=True)
class Options:
    level: int = field(default=128, metadata={"minimum": 0, "maximum": 255, "help": "Limit."})
    invert: bool = False
    task: Literal["semantic", "instance"] = "instance"


class Session:
    def segment(self, request, report):
        print("a plugin that prints")
        options, level = request.options, request.options.level
        for prompt in request.prompts:
            if isinstance(prompt, Example):
                level = prompt.rgb[..., 0][prompt.labels == 1].min()
        report(0.5, "Thresholding")
        ids = ((request.rgb[..., 0] >= level) ^ options.invert).astype(np.int32)
        if request.image_size == (13, 13):
            raise ValueError("13 is unlucky")
        categories = request.categories or (Category(1, "bright", (255, 200, 0)),)
        bright = [category for category in categories if category.id][0]
        return SegmentIds(ids, (Segment(1, bright.id),), categories, options.task)

    def close(self):
        pass


@hookimpl
def segdesk_segmenters():
    takes = frozenset({Example, Points})
    opener = lambda checkpoint, device, report: Session()
    return [SegmenterSpec("threshold", "Threshold", "in-context", opener, takes, Options)]
"""


@pytest.fixture
def threshold():
    """Make the segmenter "threshold" known."""
    folder = plugin_folder()
    folder.mkdir(parents=True)
    (folder / "threshold.py").write_text(THRESHOLD, "utf-8")
    forget_plugins()
    yield
    forget_plugins()


@pytest.fixture
def save_image():
    """Save a picture whose lower half is bright."""

    def save(path, size=(6, 4)):
        pixels = np.full((size[1], size[0], 3), 20, np.uint8)
        pixels[size[1] // 2 :] = 200
        Image.fromarray(pixels).save(path)

    return save


@pytest.fixture
def image(tmp_path, save_image):
    """A picture of 6 x 4 pixels."""
    path = tmp_path / "photo.png"
    save_image(path)
    return path


@pytest.fixture
def segdesk(monkeypatch, capsys):
    """Call the command line; gives (exit code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["segdesk", *map(str, arguments)])
        try:
            code = main()
        except SystemExit as error:
            code = error.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call
