"""``segdesk segment`` in tiles: flags, a part of an image, stop and go on."""

import json

import numpy as np
import pytest
from PIL import Image

from segdesk.engine.folders import plugin_folder
from segdesk.engine.registry import forget_plugins

TILED = """
import os
from pathlib import Path

import numpy as np

from segdesk.api import Category, Segment, SegmenterSpec, SegmentIds, hookimpl

ASKED = Path(os.environ["SEGDESK_HOME"]) / "asked"


class Session:
    def segment(self, request, report):
        with ASKED.open("a") as file:
            file.write(f"{request.window.x},{request.window.y} ")
        if len(ASKED.read_text().split()) == 5 and request.image_size == (300, 200):
            raise KeyboardInterrupt
        ids = (request.rgb[..., 0] > 100).astype(np.int32)
        return SegmentIds(ids, (Segment(1, 1),), (Category(1, "bright", (9, 9, 9)),), "instance")

    def close(self):
        pass


@hookimpl
def segdesk_segmenters():
    return [SegmenterSpec("tiled", "Tiled", "instance", lambda *_: Session(), tile=64)]
"""


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Make the segmenter "tiled" known; give the file in which it notes what it is asked."""
    folder = plugin_folder()
    folder.mkdir(parents=True)
    (folder / "tiled.py").write_text(TILED, "utf-8")
    forget_plugins()
    yield folder.parents[1] / "asked"
    forget_plugins()


@pytest.fixture
def picture(tmp_path):
    """An image of 300 x 200 pixels with a bright bar across."""
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[70:130, 20:280] = 200
    Image.fromarray(pixels).save(tmp_path / "bar.png", dpi=(25_400, 25_400))  # a pixel is 1 um
    return tmp_path / "bar.png"


@pytest.fixture
def segment(segdesk, picture, tmp_path):
    def call(*arguments):
        return segdesk(
            *("segment", picture, "--segmenter", "tiled", "--out", tmp_path / "out", *arguments)
        )

    return call


def values(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_stop_keeps_the_tiles_and_resume_goes_on(segment, asked, tmp_path):
    code, _, err = segment("--tile", "64")
    assert (code, err) == (130, "segdesk: stopped\n")
    state = tmp_path / "out" / "bar.tiles"
    assert state.is_file()
    code, out, err = segment("--tile", "64", "--resume")
    assert (code, err) == (0, "")
    assert "bar.png: 1 segment " in out
    mask = values(tmp_path / "out" / "bar.png") > 0
    assert mask[70:130, 20:280].all()
    assert mask.sum() == 60 * 260
    assert not state.exists()
    windows = asked.read_text().split()
    assert len(windows) - len(set(windows)) <= 4, "only what was under way is asked for again"


def test_another_tiling_cannot_go_on(segment, asked, tmp_path):
    assert segment("--tile", "64")[0] == 130
    code, _, err = segment("--tile", "96", "--resume")
    assert code == 2
    assert "of another image, segmenter or tiling: run without --resume" in err


def test_a_part_at_another_size_of_pixels(segment, asked, tmp_path):
    code, out, err = segment("--roi", "100,60,90,80", "--pixel-size", "0.5x", "--json")
    assert (code, err) == (0, "")
    (result,) = json.loads(out)["images"]
    assert result["details"][0]["area"] == 90 * 60
    code, _, err = segment("--pixel-size", "2um")
    assert code in (0, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--roi", "1,2,3"), "--roi takes four whole numbers x,y,width,height, not '1,2,3'."),
        (("--roi", "1,2,0,9"), "a width and a height above 0"),
        (("--tile", "9"), "A tile needs 64 pixels along its side or more, not 9."),
        (("--pixel-size", "9 parsecs"), "No size of a pixel: '9 parsecs'. Examples: 0.5um"),
        (("--overlap", "60"), "can share 0 to 32, not 60"),
    ],
)
def test_what_makes_no_sense_is_said(segment, asked, arguments, words):
    code, _, err = segment(*arguments)
    assert code == 2
    assert words in err


def test_half_precision_is_asked_of_segmenters_that_know_it(segdesk, picture, asked, tmp_path):
    text = (plugin_folder() / "tiled.py").read_text("utf-8")
    half = "    def use_half(self):\n        ASKED.write_text('half ')\n\n"
    text = text.replace("    def close", half + "    def close")
    (plugin_folder() / "tiled.py").write_text(text.replace("tile=64", "tile=512, half=True"))
    forget_plugins()
    arguments = ("--segmenter", "tiled", "--out", tmp_path / "out")
    assert segdesk("segment", picture, *arguments)[0] == 0
    assert "half" not in asked.read_text()
    assert segdesk("segment", picture, *arguments, "--half")[0] == 0
    assert asked.read_text().startswith("half ")
