import os
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segdesk.core.errors import ImageError, PromptError
from segdesk.core.geometry import Window
from segdesk.core.image import ImageInfo
from segdesk.engine import probe as probing
from segdesk.engine.folders import plugin_folder
from segdesk.engine.images import (
    image_files,
    image_key,
    open_image,
    overview,
    read_mask,
    thumbnail,
)
from segdesk.engine.probe import probe
from segdesk.engine.readers import open_directly
from segdesk.engine.registry import forget_plugins

GREY = np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8)

# A stranger's reader that does to its process what the file says after "WILD ".
WILD_READER = """
import os, signal, time
from pathlib import Path
import numpy as np
from segdesk.api import ArrayImage, ImageError, ReaderSpec, hookimpl

def _open(path):
    deed = path.read_text().split()[1]
    if deed == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if deed == "hang":
        time.sleep(60)
    if deed == "eat":
        np.ones(2**28)
    if deed == "raise":
        raise KeyError("oops")
    if deed == "exit":
        os._exit(0)
    if deed == "chatter":
        print("{not json}")
    if deed == "nothing":
        return ArrayImage(np.zeros((0, 5), np.uint8))
    return ArrayImage(np.zeros((4, 5), np.uint8))

def _confused(head):
    raise IndexError("what is this?")

@hookimpl
def segdesk_readers():
    confused = ReaderSpec("confused", "Confused", (), _open, _confused)
    direct = ReaderSpec(
        "direct", "Direct", (), _open, lambda head: head.startswith(b"DIRECT"), probe=False
    )
    wild = ReaderSpec("wild", "Wild", (".wild",), _open, lambda head: head.startswith(b"WILD "))
    return [confused, direct, wild]
"""


@pytest.fixture
def wild_file(tmp_path):
    """Return a maker of files that only the stranger's reader takes."""
    plugin_folder().mkdir(parents=True)
    (plugin_folder() / "wild.py").write_text(WILD_READER)
    forget_plugins()

    def make(deed):
        path = tmp_path / "image.wild"
        path.write_text(f"WILD {deed}")
        return path

    yield make
    forget_plugins()


def _png(path, values=GREY):
    Image.fromarray(values).save(path)
    return path


def test_a_file_is_known_by_its_content_not_its_name(tmp_path):
    path = _png(tmp_path / "image.png").rename(tmp_path / "image.tif")
    with closing(open_image(path)) as source:
        assert source.info.format == "PNG"
        assert np.array_equal(source.read(source.info.window)[..., 0], GREY)


def test_a_tiff_is_probed_and_opened(tmp_path):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, GREY)
    with closing(open_image(str(path))) as source:
        assert np.array_equal(source.read(Window(5, 6, 7, 8))[..., 0], GREY[6:14, 5:12])
        assert probe(path) == source.info


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "folder"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_text("hello"), "not an image of a known format.*PNG.*TIFF"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\nxxxx"), "damaged"),
    ],
)
def test_what_is_no_image_is_said_in_one_line(tmp_path, make, reason):
    path = tmp_path / "image.png"
    make(path)
    with pytest.raises(ImageError, match=rf"image\.png: .*{reason}") as caught:
        open_image(path)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="no pipes in folders on Windows")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "image.png")
    with pytest.raises(ImageError, match="pipe"):
        open_image(tmp_path / "image.png")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_an_unreadable_file_is_named(tmp_path):
    path = _png(tmp_path / "image.png")
    path.chmod(0)
    with pytest.raises(ImageError, match=r"image\.png: .*cannot be read"):
        open_image(path)


def test_a_name_that_cannot_be_is_refused():
    with pytest.raises(ImageError, match="name of a file"):
        open_image("image\0.png")


def test_files_of_a_folder_are_sorted_as_people_count(tmp_path):
    for name in ("b2.png", "b10.png", "B1.TIF", "a.jpeg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    names = [path.name for path in image_files(tmp_path)]
    assert names == ["a.jpeg", "B1.TIF", "b2.png", "b10.png"]
    with pytest.raises(ImageError, match="nowhere"):
        image_files(tmp_path / "nowhere")


def test_the_key_changes_with_the_file(tmp_path):
    path = _png(tmp_path / "image.png")
    before = image_key(path)
    assert image_key(str(path)) == before
    os.utime(path, ns=(1, 1))
    assert image_key(path) != before
    path.unlink()
    with pytest.raises(ImageError, match=r"image\.png"):
        image_key(path)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_a_reader_that_crashes_is_a_message(wild_file):
    with pytest.raises(ImageError, match=r"image\.wild: .*crash.*SIGSEGV"):
        open_image(wild_file("segfault"))


@pytest.mark.parametrize(
    ("deed", "reason"),
    [("raise", "KeyError.*oops"), ("exit", "failed"), ("nothing", "no pixels")],
)
def test_a_reader_that_fails_is_a_message(wild_file, deed, reason):
    with pytest.raises(ImageError, match=rf"image\.wild: .*{reason}"):
        open_image(wild_file(deed))


def test_a_reader_that_fails_in_this_process_is_a_message(wild_file):
    path = wild_file("raise")
    path.write_text("DIRECT raise")
    with pytest.raises(ImageError, match=r"image\.wild: the reader 'direct' failed: KeyError"):
        open_image(path)


def test_a_reader_that_cannot_look_at_a_file_does_not_hide_it_from_others(wild_file, caplog):
    with closing(open_image(wild_file("fine"))) as source:
        assert source.info.width == 5
    assert "The reader 'confused' cannot look at a file: IndexError" in caplog.text


def test_a_reader_that_hangs_is_ended(wild_file, monkeypatch):
    monkeypatch.setattr(probing, "SECONDS", 2.0)
    with pytest.raises(ImageError, match=r"image\.wild: .*within 2 s"):
        open_image(wild_file("hang"))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no limit of memory here")
def test_a_reader_that_eats_memory_is_stopped(wild_file):
    with pytest.raises(ImageError, match=r"image\.wild: .*memory"):
        open_image(wild_file("eat"))


def test_a_reader_that_prints_does_no_harm(wild_file):
    with closing(open_image(wild_file("chatter"))) as source:
        assert source.info.width == 5


def test_nothing_in_the_current_folder_is_imported(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('imported from where the images are')")
    monkeypatch.chdir(tmp_path)
    assert probe(_png(tmp_path / "image.png")).width == 60


def test_a_thumbnail_is_small_and_coloured(tmp_path):
    with closing(open_image(_png(tmp_path / "image.png"))) as source:
        small = thumbnail(source, 32)
    assert small.shape == (20, 30, 3)
    assert np.array_equal(small[..., 0], GREY[::2, ::2])


def test_a_thumbnail_takes_the_smallest_level_that_is_large_enough(tmp_path):
    path = tmp_path / "pyramid.tif"
    with tifffile.TiffWriter(path) as writer:
        for number, size in enumerate((256, 128, 64)):
            values = np.full((size, size), 10 * number, np.uint8)
            writer.write(values, subfiletype=min(number, 1), metadata=None)
    with closing(open_directly(path)) as source:
        assert [thumbnail(source, size).max() for size in (256, 128, 100, 64, 9)] == [
            0,
            10,
            10,
            20,
            20,
        ]


class _Gradient:
    """An image too large to be read whole; remembers what was read of it."""

    info = ImageInfo("gradient", 60_000, 40_000, 1, "uint16")

    def __init__(self):
        self.pixels_read = 0

    def read(self, window, level=0, frame=0):
        assert window == window.intersection(self.info.window)
        self.pixels_read += window.area
        across = np.arange(window.x, window.right, dtype=np.uint16)
        return np.broadcast_to(across, window.shape)[..., np.newaxis]


def test_what_is_too_large_is_sampled():
    source = _Gradient()
    small = overview(source, 256)
    assert small.shape == (171, 256, 1)
    assert source.pixels_read < 2**20
    assert np.abs(small[0, :, 0] - np.linspace(0, 60_000, 256)).max() < 60_000 / 16


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_mask_of_8_bits_holds_categories(tmp_path, suffix):
    path, ids = tmp_path / f"mask{suffix}", GREY % 5
    if suffix == ".png":
        _png(path, ids)
    else:
        tifffile.imwrite(path, ids, compression="deflate")
    labels = read_mask(path)
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, ids)


def test_a_mask_of_16_bits_holds_instances(tmp_path):
    ids = GREY.astype(np.uint16) * 100
    labels = read_mask(_png(tmp_path / "mask.png", ids))
    assert labels.dtype == np.int32
    assert np.array_equal(labels, ids)


def test_a_palette_mask_gives_its_indices(tmp_path):
    ids = GREY % 3
    palette = [255, 255, 255, 200, 0, 0, 0, 0, 90]
    image = Image.fromarray(ids, "P")
    image.putpalette(palette)
    image.save(tmp_path / "mask.png", transparency=0)
    assert np.array_equal(read_mask(tmp_path / "mask.png"), ids)
    colours = np.zeros((3, 256), np.uint16)
    colours[:, :3] = np.reshape(palette, (3, 3)).T * 257
    tifffile.imwrite(tmp_path / "mask.tif", ids, photometric="palette", colormap=colours)
    assert np.array_equal(read_mask(tmp_path / "mask.tif"), ids)


def test_a_mask_of_one_bit_holds_0_and_1(tmp_path):
    Image.fromarray(GREY > 99).save(tmp_path / "mask.png")
    assert np.array_equal(read_mask(tmp_path / "mask.png"), GREY > 99)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("mask.png", np.dstack([GREY] * 3), "3 bands"),
        ("mask.jpg", GREY, "JPEG changes"),
        ("mask.tif", GREY.astype(np.float32), "whole numbers"),
        ("mask.tif", GREY.astype(np.int16) - 1, "whole numbers"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path, name, values, reason):
    path = tmp_path / name
    if path.suffix == ".tif":
        tifffile.imwrite(path, values)
    else:
        Image.fromarray(values).save(path)
    with pytest.raises(PromptError, match=rf"mask\.\w+: .*{reason}"):
        read_mask(path)


@pytest.mark.parametrize("kind", ["natural", "satellite/geotiff", "nuclei/images"])
def test_real_images_open(shared_data, kind):
    """All of them; what is no picture says so."""
    paths = sorted((shared_data / kind).rglob("*.*"))
    assert paths
    for path in paths[::40] if kind.startswith("nuclei") else paths:
        try:
            with closing(open_directly(path)) as source:
                small = thumbnail(source, 128)
        except ImageError as error:
            assert path.suffix in {".csv", ".vrt", ".geojson", ".txt", ".json"}, error
            continue
        rows, columns = small.shape[:2]
        assert 0 < max(rows, columns) <= 128
        assert abs(rows * source.info.width / source.info.height - columns) <= max(
            2, columns / rows
        )
        assert small.dtype == np.uint8


@pytest.fixture
def _no_child_left():
    yield
    probing.dismiss()


@pytest.mark.usefixtures("_no_child_left")
def test_a_prepared_child_examines_the_next_file_and_no_other(tmp_path):
    path = _png(tmp_path / "image.png")
    probing.prepare()
    child = probing._spare._child
    probing.prepare()
    assert probing._spare._child is child
    assert probe(path).width == 60
    assert child.returncode == 0
    assert probe(path).width == 60  # by one that is started then
    assert probing._spare._child is None


@pytest.mark.usefixtures("_no_child_left")
def test_a_prepared_child_that_has_died_is_replaced(tmp_path):
    probing.prepare()
    probing._spare._child.kill()
    probing._spare._child.wait()
    assert probe(_png(tmp_path / "image.png")).width == 60


def test_a_prepared_child_can_be_dismissed():
    probing.prepare()
    child = probing._spare._child
    probing.dismiss()
    assert child.returncode is not None
    probing.dismiss()
