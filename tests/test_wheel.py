"""The wheel, installed where nothing of this folder is to be seen."""

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
PARTS = ("segdesk", "plugins", "resources", "pyproject.toml", "setup.py", "README.md", "LICENSE")
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"


def run(*command, cwd=None):
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that nothing old in ``build/`` gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / "source" / name, ignore=ignore)
        else:
            shutil.copy(source, folder / "source" / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, folder / "source")
    return next(folder.glob("segdesk-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel in an empty environment that borrows the other libraries from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=sys.platform != "win32")
    python = folder / SCRIPTS / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return folder / SCRIPTS


def test_every_file_is_in_the_wheel(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    homes = {"segdesk": "segdesk", "plugins": "segdesk_plugins", "resources": "segdesk_resources"}
    wanted = {
        f"{home}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, home in homes.items()
        for path in (ROOT / folder).rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= packed


def test_plugins_are_found_and_are_those_of_the_wheel(installed, tmp_path):
    code = "import segdesk, segdesk_plugins, segdesk_resources as r; print(segdesk.__file__)"
    assert Path(run(installed / "python", "-c", code, cwd=tmp_path).strip()).is_relative_to(
        installed.parent
    )
    plugins = json.loads(run(installed / "segdesk", "plugins", "--json", cwd=tmp_path))["plugins"]
    assert {plugin["status"] for plugin in plugins} == {"loaded"}, plugins
    assert "masks" in {plugin["name"] for plugin in plugins}


def test_an_image_is_segmented(installed, tmp_path):
    pixels = np.full((60, 80, 3), 40, np.uint8)
    pixels[20:40, 30:60] = (220, 180, 40)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    strokes = [
        {"kind": "scribble", "xy": [[35, 30], [55, 30]], "radius": 3, "category": 1},
        {"kind": "scribble", "xy": [[5, 5], [75, 5]], "radius": 3, "category": 0},
    ]
    (tmp_path / "strokes.json").write_text(json.dumps({"prompts": strokes}), "utf-8")
    info = json.loads(run(installed / "segdesk", "info", "photo.png", "--json", cwd=tmp_path))
    assert (info["images"][0]["width"], info["images"][0]["height"]) == (80, 60)
    arguments = ("--segmenter", "scribble", "--prompt", "strokes.json", "--out", "out", "--json")
    answer = run(installed / "segdesk", "segment", "photo.png", *arguments, cwd=tmp_path)
    mask = np.asarray(Image.open(json.loads(answer)["images"][0]["files"]["png"][0]))
    expected = np.zeros((60, 80), bool)
    expected[20:40, 30:60] = True
    overlap = (expected & (mask == 1)).sum() / (expected | (mask == 1)).sum()
    assert overlap > 0.5
