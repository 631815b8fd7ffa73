"""``segdesk segment``: results, options, examples, prompts, and what is wrong in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.usefixtures("threshold")


@pytest.fixture
def segment(segdesk, image, tmp_path):
    """Segment the picture with the stranger's plugin."""

    def call(*arguments, images=(image,), segmenter="threshold"):
        out = tmp_path / "out"
        return segdesk("segment", *images, "--segmenter", segmenter, "--out", out, *arguments)

    return call


def values(path):
    with Image.open(path) as picture:
        return np.asarray(picture).tolist()


def test_masks_and_one_object_on_stdout(segment, image, tmp_path):
    code, out, err = segment("--format", "png,coco", "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "a plugin that prints\n")
    (result,) = answer["images"]
    assert (result["image"], result["segments"]) == (str(image), 1)
    assert result["seconds"] > 0
    out_folder = tmp_path / "out"
    assert result["files"] == {
        "png": [str(out_folder / "photo.png"), str(out_folder / "photo.json")],
        "coco": [str(out_folder / "photo_coco.json")],
    }
    assert result["details"] == [
        {"id": 1, "category": 1, "name": "bright", "score": None, "area": 12}
    ]
    assert (answer["segmenter"], answer["errors"]) == ("threshold", [])
    assert values(out_folder / "photo.png") == [[0] * 6] * 2 + [[1] * 6] * 2


def test_a_line_for_each_image(segment):
    code, out, err = segment()
    assert code == 0
    assert "photo.png: 1 segment in 0." in out
    assert not err


def test_options_of_the_segmenter_are_flags(segment, tmp_path):
    assert segment("--level", "201", "--format", "png")[0] == 0
    assert not np.any(values(tmp_path / "out" / "photo.png"))
    assert segment("--level=201", "--invert", "--task", "semantic", "--format", "png")[0] == 0
    assert np.all(values(tmp_path / "out" / "photo.png"))
    code, out, _ = segment("--help")
    assert code == 0
    assert "options of the segmenter threshold" in out
    assert "--level INT" in out
    assert "Limit (a whole number from 0 to 255; default 128)" in " ".join(out.split())
    assert "--task semantic|instance" in out


def test_images_of_one_name_do_not_overwrite_each_other(segment, image, save_image, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    save_image(other / "photo.png", (8, 8))
    _, out, _ = segment("--json", images=(image, other / "photo.png"))
    files = [result["files"]["png"][0] for result in json.loads(out)["images"]]
    assert [np.shape(values(file)) for file in files] == [(4, 6), (8, 8)]


def test_an_image_that_fails_does_not_stop_the_others(segment, image, save_image, tmp_path):
    save_image(tmp_path / "unlucky.png", (13, 13))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nonsense")
    images = [tmp_path / "absent.png", tmp_path / "broken.png", tmp_path / "unlucky.png", image]
    code, out, err = segment("--json", images=images)
    answer = json.loads(out)
    assert code == 1
    assert [result["image"] for result in answer["images"]] == [str(image)]
    assert [error["image"] for error in answer["errors"]] == [str(path) for path in images[:3]]
    lines = [line for line in err.splitlines() if line != "a plugin that prints"]
    assert len(lines) == 3 and all(line.startswith("segdesk: ") for line in lines)
    assert "absent.png" in lines[0] and "broken.png" in lines[1]
    assert "unlucky.png: The segmenter 'threshold' failed: ValueError: 13 is unlucky" in lines[2]


def test_an_example_teaches_and_names_its_categories(segment, image, tmp_path):
    Image.fromarray(np.array([[0] * 6] * 2 + [[1] * 6] * 2, np.uint8)).save(tmp_path / "mask.png")
    code, out, err = segment("--example", image, tmp_path / "mask.png", "--json")
    assert code == 0, err
    assert json.loads(out)["images"][0]["details"][0]["name"] == "category 1"
    about = {"id": 1, "name": "moon", "colour": [1, 2, 3], "is_thing": True}
    sidecar = {"pixel": "category", "nothing": 0, "categories": [about]}
    (tmp_path / "mask.json").write_text(json.dumps(sidecar), "utf-8")
    code, out, _ = segment("--example", image, tmp_path / "mask.png", "--json")
    assert json.loads(out)["images"][0]["details"][0]["name"] == "moon"


def test_the_result_of_one_image_is_the_example_of_the_next(segment, image, tmp_path):
    assert segment("--task", "semantic")[0] == 0
    pair = ("--example", image, tmp_path / "out" / "photo.png")
    code, out, err = segment(*pair, *pair, "--json")
    assert code == 0, err
    assert json.loads(out)["images"][0]["details"][0]["name"] == "bright"


def test_prompts_come_from_a_file(segment, tmp_path):
    path = tmp_path / "prompts.json"
    path.write_text('{"prompts": [{"kind": "points", "xy": [[1, 1]], "category": 4}]}', "utf-8")
    code, out, err = segment("--prompt", path, "--json")
    assert code == 0, err
    assert json.loads(out)["images"][0]["details"][0]["category"] == 4


def test_an_input_is_never_overwritten(segdesk, image):
    before = image.read_bytes()
    code, out, _ = segdesk(
        "segment", image, "--segmenter", "threshold", "--out", image.parent, "--json"
    )
    assert code == 0
    assert image.read_bytes() == before
    assert json.loads(out)["images"][0]["files"]["png"][0].endswith("photo-2.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--format", "png,bmp"],
            "There is no format 'bmp'. Known: coco, csv, masks, overlay, parquet, png.",
        ),
        (["--format", ","], "--format needs some of"),
        (["--level", "300"], "'level' takes a whole number from 0 to 255, not '300'"),
        (["--task", "fast"], "'task' takes one of semantic, instance, not 'fast'"),
        (["--lvel", "3"], "There is no option '--lvel'. Known: --help, --segmenter"),
        (["--lev", "3"], "There is no option '--lev'"),
        (["--example", "a.png"], "expected 2 arguments"),
    ],
)
def test_a_wrong_argument_is_one_line_and_2(arguments, message, segment, tmp_path):
    code, out, err = segment(*arguments, "--json")
    assert (code, out) == (2, "")
    assert err.startswith("segdesk: ") and message in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_unknown_segmenter_is_one_line_and_2(segment):
    code, _, err = segment(segmenter="thresold")
    assert code == 2
    assert "There is no segmenter 'thresold'. Known: " in err and "threshold" in err


@pytest.mark.parametrize("missing", [["--segmenter", "threshold"], ["--out", "somewhere"]])
def test_what_cannot_be_left_out_is_named(missing, segdesk, image):
    code, _, err = segdesk("segment", image, *missing)
    assert code == 2
    assert "required: --" in err and err.count("\n") == 1


def test_prompts_that_do_not_fit_are_one_line_and_1(segment, image, tmp_path):
    Image.new("L", (3, 3), 1).save(tmp_path / "small.png")
    path = tmp_path / "prompts.json"
    for arguments, message in [
        (["--example", image, tmp_path / "small.png"], "small.png is 3 x 3 pixels"),
        (["--example", image, tmp_path / "absent.png"], "absent.png"),
        (["--prompt", path], "prompts.json could not be read"),
    ]:
        code, out, err = segment(*arguments, "--json")
        assert (code, out) == (1, "")
        assert err.startswith("segdesk: ") and message in err and err.count("\n") == 1
    path.write_text('{"prompts": [{"kind": "points", "xy": [[70, 1]]}]}', "utf-8")
    code, _, err = segment("--prompt", path)
    assert code == 1 and "The point (70, 1) lies outside" in err


def test_a_folder_that_cannot_be_made_is_named(segdesk, image):
    code, _, err = segdesk("segment", image, "--segmenter", "threshold", "--out", image / "out")
    assert code == 1
    assert "photo.png/out cannot be made: Not a directory" in err and err.count("\n") == 1


def test_one_frame_of_a_stack(segment, tmp_path):
    stack = tmp_path / "stack.tif"
    frames = [Image.fromarray(np.full((4, 6, 3), value, np.uint8)) for value in (0, 250, 0)]
    frames[0].save(stack, save_all=True, append_images=frames[1:])
    code, out, _ = segment("--frame", "2", "--format", "png", "--json", images=(stack,))
    assert code == 0
    (result,) = json.loads(out)["images"]
    assert [Path(file).name for file in result["files"]["png"]] == ["stack_f2.png", "stack_f2.json"]
    assert np.all(values(tmp_path / "out" / "stack_f2.png"))
    code, _, err = segment("--frame", "4", images=(stack,))
    assert code == 1
    assert "stack.tif: there is no frame 4, it has 3" in err
