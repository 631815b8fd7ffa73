"""The examples of the two pages on the command line and Python run as they are written."""

import re
import shlex
import shutil
from importlib.resources import files
from pathlib import Path

import pytest
import skimage

import segdesk as face
from segdesk.engine import edits
from segdesk.engine.layer import LayerState
from segdesk.engine.registry import forget_plugins

DOCS = Path(__file__).parents[2] / "docs"
COIN = face.Category(1, "coin", (230, 159, 0))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with the files that the pages speak of."""
    coins = Path(skimage.__file__).parent / "data" / "coins.png"
    shutil.copy(coins, tmp_path / "coins.png")
    shutil.copy(coins, tmp_path / "next.png")
    strokes = files("segdesk_resources") / "samples" / "coins.json"
    (tmp_path / "strokes.json").write_text(strokes.read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    with face.Project() as project:
        document = project.add(face.open_image("coins.png"))
        layer = edits.add_layer(document, LayerState("Coins", "instance", (COIN,)))
        with document.edit("Coin") as edit:
            edit.paint(layer, face.Window(40, 30, 40, 40), edits.segment_to_paint(edit, layer, 1))
        project.save_as(tmp_path / "coins.segdesk")
    forget_plugins()
    yield tmp_path
    forget_plugins()


def blocks(page, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.M | re.S)


def test_commands(desk, segdesk):
    commands = [
        line.removeprefix("$ ")
        for block in blocks("command-line.md", "console")
        for line in block.splitlines()
    ]
    assert len(commands) > 5
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "segdesk"
        code, _, err = segdesk(*arguments)
        assert code == 0, f"{command}: {err}"
    assert (desk / "masks" / "next.png").is_file()
    assert (desk / "exported" / "coins_coco.json").is_file()


def test_python(desk, capsys):
    names = {}
    for block in blocks("python.md", "python"):
        exec(compile(block, "docs/python.md", "exec"), names)
    out = capsys.readouterr().out
    assert re.search(r"^\d+ segments, .*coins_coco\.json$", out, re.M)
    assert "absent.png" in out
    assert "coins.png ['Coins'] Two coins" in out
    assert (desk / "masks" / "coins_overlay.png").is_file()


def test_every_public_name_is_on_the_page_and_the_other_way_round():
    page = (DOCS / "python.md").read_text("utf-8")
    listed = {
        name
        for line in page.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)(?:\([^`]*\))?`", line.split("|")[1])
    }
    public = {name for name in dir(face) if not name.startswith("_")}
    assert listed <= public
    for name in public:
        assert getattr(face, name)
        assert f"`{name}" in page or f"segdesk.{name}" in page, name
