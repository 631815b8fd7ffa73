"""The demo: real images, real strokes, and results that are right."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdesk.core.errors import ExportError
from segdesk.core.progress import silent
from segdesk.engine.demo import SCENES, play

ROWS = (  # (x, y) of each coin in scikit-image's picture
    [(44, 53), (100, 56), (155, 51), (216, 50), (276, 53), (335, 43)],
    [(45, 125), (103, 126), (153, 127), (206, 125), (271, 120), (337, 125)],
    [(44, 198), (102, 196), (155, 198), (212, 193), (274, 193), (347, 187)],
    [(46, 260), (113, 266), (172, 262), (245, 264), (301, 263), (359, 268)],
)
COINS = [coin for row in ROWS for coin in row]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    shown = {Path(s.image).stem: s for s in play(folder, lambda number, name: silent)}
    return folder, shown


def values(folder, name):
    with Image.open(folder / f"{name}.png") as picture:
        return np.asarray(picture)


def test_every_scene_leaves_masks_and_an_overlay(played):
    folder, shown = played
    assert list(shown) == [scene.name for scene in SCENES]
    for name, scene in shown.items():
        assert scene.seconds > 0
        assert scene.files["overlay"] == [folder / f"{name}_overlay.png"]
        with Image.open(scene.image) as image, Image.open(scene.files["overlay"][0]) as overlay:
            assert image.size == overlay.size == values(folder, name).shape[::-1]


def test_every_coin_is_a_segment_of_its_own(played):
    folder, shown = played
    ids = {int(values(folder, "coins")[y, x]) for x, y in COINS}
    assert len(ids - {0}) == len(COINS)
    assert len(COINS) <= shown["coins"].segments <= len(COINS) + 2


def test_tissue_is_told_apart_also_from_the_example(played):
    folder, _ = played
    learnt = values(folder, "tissue-2")
    gland, stroma, glass = 1, 2, 3
    assert [learnt[y, x] for x, y in [(150, 60), (60, 400), (130, 250)]] == [gland] * 3
    assert [learnt[y, x] for x, y in [(230, 120), (200, 300), (60, 280)]] == [stroma] * 3
    assert learnt[130, 80] == glass


def test_nuclei_are_things_among_stuff(played):
    folder, shown = played
    ids = values(folder, "nuclei")
    assert shown["nuclei"].segments > 20
    assert (ids > 0).mean() > 0.99, "all but a few small spots"
    assert (
        len({int(ids[y, x]) for x, y in [(137, 42), (145, 30), (78, 20), (197, 81), (20, 183)]})
        == 5
    )


def test_the_head_in_the_box_is_cut_out(played):
    folder, _ = played
    head = values(folder, "astronaut") == 1
    assert all(head[y, x] for x, y in [(225, 40), (225, 100), (180, 90), (225, 160)])
    assert not any(head[y, x] for x, y in [(160, 20), (295, 180), (100, 100), (225, 215)])
    assert 15_000 < head.sum() < 22_000


def test_a_picture_of_the_user_is_not_overwritten(tmp_path):
    mine = tmp_path / "images" / "tissue.png"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(ExportError, match=r"tissue\.png is another image"):
        next(play(tmp_path, lambda number, name: silent))
    assert mine.read_bytes() == b"mine"


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="cannot be written: Not a directory"):
        next(play(tmp_path / "file", lambda number, name: silent))
