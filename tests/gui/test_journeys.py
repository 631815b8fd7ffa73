"""Whole journeys of a user, in a real window on a virtual screen where there is one."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdesk.engine.folders import plugin_folder
from segdesk.engine.project.check import check
from tests.gui.journeys import square

ROOT = Path(__file__).parents[2]
ENDLESS = """
import time
from segdesk.api import SegmenterSpec, hookimpl

class Session:
    def __init__(self, *args):
        pass

    def segment(self, request, report):
        while True:
            report(0.5, "Thinking")
            time.sleep(0.01)

    def close(self):
        pass

@hookimpl
def segdesk_segmenters():
    return [SegmenterSpec("endless", "Endless", "semantic", Session)]
"""


@pytest.fixture
def folder(tmp_path):
    noise = np.random.default_rng(0).integers(0, 30, (180, 240, 3))
    pixels = np.where(square()[..., np.newaxis], 200, 60) + noise
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "square.png")
    return tmp_path


def make(journey, folder, module="journeys"):
    """Make a journey, and say how long the window stood still in it."""
    done = run(journey, folder, module)
    assert done.stdout, done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    print(f"{journey}: longest pause of the window {1000 * outcome['longest_s']:.0f} ms")
    ignored = "does not support propagateSizeHints"
    assert not [text for text in outcome["warnings"] if ignored not in text]
    assert not outcome["problem"], outcome["problem"]


def run(journey, folder, module):
    """Run a journey in a process of its own until it ends."""
    command = [sys.executable, "-m", f"tests.gui.{module}", journey, str(folder)]
    environment = dict(os.environ)
    if shutil.which("xvfb-run"):
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *command]
        environment.pop("QT_QPA_PLATFORM", None)
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180
    )


def test_scribble_to_export(folder):
    make("scribble_to_export", folder)


def test_trouble(folder):
    Image.fromarray(np.full((50, 60, 3), 99, np.uint8)).save(folder / "other.png")
    plugin_folder().mkdir(parents=True)
    (plugin_folder() / "endless.py").write_text(ENDLESS)
    make("trouble", folder)


def test_nothing_is_lost(folder):
    """A window is killed; its work is recovered, saved, seen in two windows, and relinked."""
    projects = "journeys_projects"
    killed = run("paint_and_die", folder, projects)
    assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), killed.stderr
    assert not killed.stdout
    make("recover_and_save", folder, projects)
    make("reopen", folder, projects)
    (folder / "moved").mkdir()
    (folder / "square.png").rename(folder / "moved" / "square.png")
    make("relink", folder, projects)
    assert check(folder / "work.segdesk").findings == ()
