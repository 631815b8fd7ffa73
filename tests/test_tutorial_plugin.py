"""The tutorial is true: its plugin is installed as a stranger's, its examples load and run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdesk.engine.export import export
from segdesk.engine.folders import plugin_folder
from segdesk.engine.images import open_image
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import forget_plugins, registry
from segdesk.engine.segment import segment

DOCS = Path(__file__).parents[1] / "docs"
TUTORIAL = DOCS / "tutorial-plugin"
PAGE = (DOCS / "write-a-plugin.md").read_text("utf-8")
BLOCKS = {
    language: re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    for language in ("python", "toml")
}


def test_the_plugin_has_25_lines_and_the_page_shows_it_as_it_is():
    text = (TUTORIAL / "segdesk_otsu.py").read_text("utf-8")
    assert len(text.splitlines()) <= 25
    assert BLOCKS["python"][0] == text
    assert BLOCKS["toml"] == [(TUTORIAL / "pyproject.toml").read_text("utf-8")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Install the tutorial's package where no other package is."""
    folder = tmp_path_factory.mktemp("stranger")
    shutil.copytree(TUTORIAL, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--target", folder / "site"]
    subprocess.run([*pip, *options, folder / "source"], check=True, capture_output=True)
    return folder / "site"


@pytest.fixture
def segdesk(site, tmp_path):
    """Run the command line with the stranger's package, away from the project's folder."""

    def run(*arguments):
        code = "import sys; from segdesk.__main__ import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": str(site)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def image(tmp_path):
    """A dark picture with a bright square."""
    pixels = np.full((40, 50, 3), 30, np.uint8)
    pixels[10:20, 5:25] = 220
    Image.fromarray(pixels).save(tmp_path / "square.png")
    return tmp_path / "square.png"


def square(inside, outside):
    ids = np.full((40, 50), outside)
    ids[10:20, 5:25] = inside
    return ids


def test_the_installed_package_is_listed_as_what_it_is(segdesk):
    plugins = {plugin["name"]: plugin for plugin in segdesk("plugins", "--json")["plugins"]}
    otsu = plugins["otsu"]
    assert (otsu["source"], otsu["status"]) == ("segdesk-otsu 0.1.0", "loaded")
    assert otsu["offers"] == ["segmenter otsu"]


@pytest.mark.parametrize(("flags", "expected"), [([], square(1, 0)), (["--invert"], square(0, 1))])
def test_the_installed_package_segments_from_the_command_line(
    segdesk, image, tmp_path, flags, expected
):
    answer = segdesk(
        "segment", image, "--segmenter", "otsu", *flags, "--out", tmp_path / "out", "--json"
    )
    (result,) = answer["images"]
    np.testing.assert_array_equal(np.asarray(Image.open(result["files"]["png"][0])), expected)
    assert result["segments"] == 1


@pytest.fixture
def page_plugins():
    """Drop every example of the page that is a plugin into the user's folder."""
    plugin_folder().mkdir(parents=True)
    examples = [block for block in BLOCKS["python"] if "@hookimpl" in block]
    for number, block in enumerate(examples):
        (plugin_folder() / f"page_{number}.py").write_text(block, "utf-8")
    forget_plugins()
    yield len(examples)
    forget_plugins()
    for name in [name for name in sys.modules if name.startswith("segdesk_user_")]:
        del sys.modules[name]


def test_every_plugin_on_the_page_loads(page_plugins):
    found = [plugin for plugin in registry().plugins if plugin.name.startswith("page_")]
    assert len(found) == page_plugins == 4
    assert [plugin.reason for plugin in found] == [""] * 4
    offers = [offer for plugin in found for offer in plugin.offers]
    assert offers == ["segmenter otsu", "reader npy", "writer areas", "trainer otsu-tuner"]


def test_the_reader_segmenter_and_writer_of_the_page_work_together(page_plugins, tmp_path):
    pixels = square(200, 10).astype(np.uint8)
    np.save(tmp_path / "square.npy", pixels)
    source = open_image(tmp_path / "square.npy")
    found = segment(source, SegmentJob("otsu"))
    (path,) = export(found, source, ["areas"], tmp_path, "square")["areas"]
    assert path.read_text("utf-8").splitlines() == ["segment,category,pixels", "1,object,200"]
