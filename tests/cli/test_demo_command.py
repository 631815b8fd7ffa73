"""``segdesk demo``: a table, files, and no window where nobody looks."""

from pathlib import Path

import pytest

from segdesk.cli import demo
from segdesk.engine.demo import SCENES


@pytest.mark.usefixtures("quick")
def test_the_table_names_every_result(segdesk, tmp_path):
    code, out, err = segdesk("demo", "--out", tmp_path / "new" / "demo")
    assert (code, err) == (0, "")
    head, row, end = out.splitlines()
    assert head.split() == ["image", "how", "segments", "seconds", "overlay"]
    assert row.startswith("tissue.png") and "semantic, from strokes" in row
    overlay = Path(row.split()[-1])
    assert overlay == tmp_path / "new" / "demo" / "tissue_overlay.png" and overlay.is_file()
    assert end.endswith(str(tmp_path / "new" / "demo"))


@pytest.mark.usefixtures("quick")
def test_the_window_opens_on_the_images_where_there_is_a_screen(segdesk, tmp_path, monkeypatch):
    opened = []

    def open_window(command, check):
        opened.append(command)
        return demo.subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(demo.subprocess, "run", open_window)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    assert segdesk("demo", "--out", tmp_path, "--no-window")[0] == 0
    assert not opened
    assert segdesk("demo", "--out", tmp_path)[0] == 0
    assert opened[0][1:] == ["-m", "segdesk", str(tmp_path / "images" / "tissue.png")]


@pytest.fixture
def quick(monkeypatch):
    """Play the first scene only."""
    monkeypatch.setattr("segdesk.engine.demo.SCENES", SCENES[:1])
