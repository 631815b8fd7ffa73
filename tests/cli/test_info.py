import json

import numpy as np
import tifffile
from PIL import Image

from segdesk.cli.info import run


def test_info_tells_what_a_file_holds(tmp_path, capsys):
    path = tmp_path / "map.tif"
    tags = [
        (33550, 12, 3, (10.0, 10.0, 0.0), True),
        (33922, 12, 6, (0.0, 0.0, 0.0, 1000.0, 2000.0, 0.0), True),
        (42113, 2, 0, "nan", True),
    ]
    values = np.zeros((5, 20, 30), np.float32)
    tifffile.imwrite(path, values, extratags=tags, metadata=None)
    assert run([str(path)]) == 0
    shown = capsys.readouterr().out
    for word in ("30 x 20 pixels", "float32", "no data nan", "frames  5", "(1000, 2000)"):
        assert word in shown
    assert run([str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (image,) = answer["images"]
    assert answer["errors"] == []
    assert (image["image"], image["width"], image["height"]) == (str(path), 30, 20)
    assert (image["frames"], image["levels"], image["nodata"]) == (5, [[30, 20]], "nan")


def test_one_bad_file_is_one_line_and_does_not_stop_the_others(tmp_path, capsys):
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.effect_noise((30, 20), 50).save(good)
    bad.write_bytes(good.read_bytes()[:-99])
    assert run([str(bad), str(good), "--json"]) == 1
    output = capsys.readouterr()
    answer = json.loads(output.out)
    assert [image["image"] for image in answer["images"]] == [str(good)]
    assert [error["image"] for error in answer["errors"]] == [str(bad)]
    (line,) = output.err.splitlines()
    assert line.startswith(f"segdesk: {bad}: ")
