"""Exports: all files or none, whatever goes wrong on the way."""

import os
import resource
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdesk.api import WriterSpec
from segdesk.core.errors import Cancelled, ExportError, PluginError, UsageError
from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.engine.export import export, losses, unique_stems
from segdesk.engine.registry import registry

SOURCE = ArrayImage(np.full((40, 50, 3), 100, np.uint8), "pictures/photo.jpg")


def result_of(count=2):
    ids = np.zeros((40, 50), np.int32)
    for segment_id in range(1, count + 1):
        ids[3 * segment_id : 3 * segment_id + 2, 5:20] = segment_id
    segments = {i: Segment(i, 1) for i in range(1, count + 1)}
    categories = (Category(1, "cell", (230, 159, 0)),)
    return Segmentation("instance", (LabelMap.of_array(ids),), segments, categories)


def files_in(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.fixture
def writer(monkeypatch):
    """Register a stranger's writer made of one function."""

    def register(write, check=lambda request, files: None):
        spec = WriterSpec("strange", "Strange", write, check, lambda segmentation: [])
        monkeypatch.setitem(registry().writers, "strange", spec)

    return register


def test_all_formats_land_in_the_folder(tmp_path):
    said = []
    files = export(
        result_of(),
        SOURCE,
        ["png", "masks", "coco", "overlay"],
        tmp_path,
        "photo",
        lambda fraction, message: said.append(fraction),
    )
    assert files["png"] == [tmp_path / "photo.png", tmp_path / "photo.json"]
    assert files["coco"] == [tmp_path / "photo_coco.json"]
    assert files["overlay"] == [tmp_path / "photo_overlay.png"]
    assert [f.name for f in files["masks"]] == ["0001_cell.png", "0002_cell.png"]
    assert set(files_in(tmp_path)) == {
        f.relative_to(tmp_path).as_posix() for paths in files.values() for f in paths
    }
    assert said == sorted(said) and said[-1] == 1
    assert sorted(p.name for p in tmp_path.iterdir())[0] == "photo.json", "no hidden rest"


def test_the_overlay_shows_the_image(tmp_path):
    (file,) = export(result_of(), SOURCE, ["overlay"], tmp_path, "photo")["overlay"]
    assert np.asarray(Image.open(file))[0, 0].tolist() == [100, 100, 100]


def test_masks_of_an_earlier_export_do_not_stay(tmp_path):
    export(result_of(3), SOURCE, ["masks"], tmp_path, "photo")
    export(result_of(1), SOURCE, ["masks"], tmp_path, "photo")
    assert set(files_in(tmp_path)) == {"photo_masks/0001_cell.png"}


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    export(result_of(3), SOURCE, ["masks"], tmp_path, "photo")
    (tmp_path / "photo_masks" / "notes.txt").write_text("mine")
    before = files_in(tmp_path)
    with pytest.raises(ExportError, match=r"photo_masks also holds notes\.txt"):
        export(result_of(1), SOURCE, ["png", "masks"], tmp_path, "photo")
    assert files_in(tmp_path) == before


def fail_after(error, request, report):
    (request.folder / f"{request.stem}.png").write_bytes(b"half")
    raise error


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (ExportError("does not fit"), ExportError, "does not fit"),
        (OSError(28, "No space left on device"), ExportError, "Could not write to .*: No space"),
        (ValueError("a bug"), PluginError, "The format 'strange' failed: ValueError: a bug"),
        (Cancelled("stopped"), Cancelled, "stopped"),
        (KeyboardInterrupt("now"), KeyboardInterrupt, "now"),
    ],
)
def test_a_writer_that_fails_leaves_everything_as_it_was(error, raised, message, writer, tmp_path):
    export(result_of(), SOURCE, ["png", "coco"], tmp_path, "photo")
    before = files_in(tmp_path)
    writer(partial(fail_after, error))
    with pytest.raises(raised, match=message):
        export(result_of(1), SOURCE, ["png", "coco", "strange"], tmp_path, "photo")
    assert files_in(tmp_path) == before
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_what_does_not_read_back_is_not_kept(writer, tmp_path):
    def write(request, report):
        (request.folder / "a.txt").write_text("x")
        return [request.folder / "a.txt"]

    def check(request, files):
        raise ExportError(f"{files[0].name} did not read back as it was written.")

    writer(write, check)
    with pytest.raises(ExportError, match=r"a\.txt did not read back"):
        export(result_of(), SOURCE, ["strange"], tmp_path, "photo")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_moved_puts_the_others_back(tmp_path):
    export(result_of(), SOURCE, ["png", "coco"], tmp_path, "photo")
    (tmp_path / "photo_overlay.png").mkdir()
    before = files_in(tmp_path)
    with pytest.raises(ExportError, match=r"photo_overlay\.png is in the way"):
        export(result_of(1), SOURCE, ["png", "coco", "overlay"], tmp_path, "photo")
    assert files_in(tmp_path) == before


def test_a_move_that_fails_half_way_puts_the_others_back(tmp_path, monkeypatch):
    export(result_of(), SOURCE, ["png", "coco"], tmp_path, "photo")
    before = files_in(tmp_path)
    rename = Path.rename

    def stubborn(self, target):
        if Path(target) == tmp_path / "photo_coco.json" and "coco" in self.parent.name:
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stubborn)
    with pytest.raises(ExportError, match="Permission denied"):
        export(result_of(1), SOURCE, ["png", "coco"], tmp_path, "photo")
    assert files_in(tmp_path) == before


def test_the_image_itself_is_never_overwritten(tmp_path):
    image = tmp_path / "photo.png"
    Image.new("RGB", (50, 40)).save(image)
    before = image.read_bytes()
    source = ArrayImage(np.zeros((40, 50, 3), np.uint8), str(image))
    with pytest.raises(ExportError, match=r"photo\.png is the image itself"):
        export(result_of(), source, ["png"], tmp_path, "photo")
    assert image.read_bytes() == before
    assert unique_stems([image], tmp_path) == ["photo-2"]


def test_stems_are_unique_also_where_case_does_not_count(tmp_path):
    images = [Path("a/x.png"), Path("b/x.png"), Path("b/X.jpg"), Path("x-2.png"), Path("y.png")]
    assert unique_stems(images, tmp_path) == ["x", "x-2", "X-3", "x-2-2", "y"]


@pytest.mark.parametrize("stem", ["", "..", "a/b", "/a"])
def test_a_stem_is_no_path(stem, tmp_path):
    with pytest.raises(ExportError, match="cannot be the first part of a file name"):
        export(result_of(), SOURCE, ["png"], tmp_path, stem)


def test_a_folder_that_cannot_take_files_is_named(tmp_path):
    with pytest.raises(ExportError, match="absent is not a folder"):
        export(result_of(), SOURCE, ["png"], tmp_path / "absent", "photo")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="file is not a folder"):
        export(result_of(), SOURCE, ["png"], tmp_path / "file", "photo")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc")
def test_a_read_only_folder_is_named():
    with pytest.raises(ExportError, match="Could not write to /proc/self"):
        export(result_of(), SOURCE, ["png"], Path("/proc/self"), "photo")


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_disk_that_fills_up_leaves_everything_as_it_was(tmp_path):
    export(result_of(), SOURCE, ["png", "overlay"], tmp_path, "photo")
    before = files_in(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(ExportError, match=r"Could not write to .*: File too large"):
            export(result_of(1), SOURCE, ["png", "overlay"], tmp_path, "photo")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_in(tmp_path) == before


def test_an_unknown_format_is_a_wrong_argument(tmp_path):
    with pytest.raises(UsageError, match=r"no format 'bmp'\. Known: coco, csv, masks, ov"):
        export(result_of(), SOURCE, ["png", "bmp"], tmp_path, "photo")
    assert not list(tmp_path.iterdir())


def test_losses_are_told_by_format():
    assert losses(result_of(), ["overlay"])["overlay"]
