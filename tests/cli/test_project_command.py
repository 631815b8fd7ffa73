"""Looking at, checking, saving and exporting projects from a terminal."""

import json

import pytest

import segdesk as face
from segdesk.engine import edits
from segdesk.engine.layer import LayerState

CELL = face.Category(1, "cell", (230, 159, 0))


@pytest.fixture
def project(tmp_path, image, save_image):
    """Two images: one with an accepted layer of each of two tasks and a proposal, one without."""
    save_image(tmp_path / "other.png")
    path = tmp_path / "a.segdesk"
    with face.Project() as project:
        document = project.add(face.open_image(image))
        for name, task in (("Old", "instance"), ("Cells", "instance"), ("Tissue", "semantic")):
            layer = edits.add_layer(document, LayerState(name, task, (CELL,)))
            with document.edit("Paint") as edit:
                segment = edits.segment_to_paint(edit, layer, 1)
                edit.paint(layer, face.Window(0, 0, 2, 1 + (name == "Cells")), segment)
        edits.add_layer(document, LayerState("Guess", "panoptic", (CELL,), is_proposal=True))
        project.add(face.open_image(tmp_path / "other.png"))
        project.save_as(path)
    return path


def test_info(segdesk, project):
    code, out, _ = segdesk("project", "info", project)
    assert code == 0
    assert "photo.png, 6 x 4 pixels" in out
    assert "layer   Cells (instance), 1 segment" in out
    assert "layer   Guess (panoptic, proposal), 0 segments" in out
    code, out, _ = segdesk("project", "info", project, "--json")
    first, second = json.loads(out)["images"]
    assert first["steps"] == 7
    assert [layer["pixels"] for layer in first["layers"]] == [2, 4, 2, 0]
    assert second["layers"] == []


def test_check_and_recover(segdesk, project, tmp_path):
    code, out, _ = segdesk("project", "check", project)
    assert (code, out) == (0, f"{project} is whole.\n")
    data = bytearray(project.read_bytes())
    data[data.index(b'"Tissue"') + 1] = ord("t")
    project.write_bytes(data)
    code, out, _ = segdesk("project", "check", project, "--json")
    (finding,) = json.loads(out)["findings"]
    assert code == 1
    assert "is damaged" in finding
    out_file = tmp_path / "b.segdesk"
    code, out, _ = segdesk("project", "recover", project, "--out", out_file)
    assert code == 1
    assert "lost: 1 rows are damaged" in out
    assert project.read_bytes() == data
    assert segdesk("project", "check", out_file)[0] == 0


def test_what_cannot_be_read(segdesk, tmp_path, image):
    for arguments in (("info", tmp_path / "absent"), ("check", image), ("recover", image)):
        code, _, err = segdesk("project", *arguments)
        assert code == 1
        assert str(arguments[1]) in err
        assert err.count("\n") == 1
    assert segdesk("project", "burn", image)[0] == 2


def test_export(segdesk, project, tmp_path):
    out_folder = tmp_path / "out"
    arguments = ("export", project, "--format", "png,coco", "--out", out_folder, "--json")
    code, out, err = segdesk(*arguments)
    assert code == 1
    content = json.loads(out)
    assert [(done["image"], done["layer"]) for done in content["layers"]] == [
        ("photo.png", "Tissue"),
        ("photo.png", "Cells"),
    ]
    (error,) = content["errors"]
    assert error["image"] == "other.png"
    assert "nothing on it that was accepted" in err
    coco = json.loads((out_folder / "photo-instance_coco.json").read_text("utf-8"))
    assert [entry["area"] for entry in coco["annotations"]] == [4]
    assert (out_folder / "photo.png").is_file()


def test_export_says_which_image_is_missing(segdesk, project, tmp_path, image):
    image.unlink()
    code, _, err = segdesk("export", project, "--out", tmp_path / "out")
    assert code == 1
    assert "photo.png is missing" in err


def test_export_needs_formats_that_exist(segdesk, project, tmp_path):
    assert segdesk("export", project, "--out", tmp_path / "out", "--format", ",")[0] == 2
    assert segdesk("export", project, "--out", tmp_path / "out", "--format", "nope")[0] == 2
