import csv
import json

import numpy as np
import pytest
import tifffile
from PIL import Image
from pyarrow import parquet


@pytest.fixture
def files(tmp_path, monkeypatch):
    """An image with a known size of a pixel, and a mask of two segments."""
    monkeypatch.chdir(tmp_path)
    pixels = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    tifffile.imwrite("scan.tif", pixels, resolution=(2e4, 2e4), resolutionunit="CENTIMETER")
    ids = np.zeros((20, 30), np.uint16)
    ids[2:6, 3:13], ids[10:12, 10:12] = 300, 4
    Image.fromarray(ids).save("mask.png")
    return tmp_path


def test_a_table_on_the_screen(files, segdesk):
    code, out, err = segdesk("measure", "scan.tif", "mask.png")
    assert (code, err) == (0, "")
    head, first, second = (line.split() for line in out.splitlines())
    assert head[:3] == ["id", "category", "category_id"]
    assert (first[0], second[0]) == ("4", "300")
    assert {"area_px", "area_um2", "perimeter_um", "mean_band_1"} <= set(head)


def test_json(files, segdesk):
    code, out, _ = segdesk("measure", "scan.tif", "mask.png", "--json")
    small, large = json.loads(out)["segments"]
    assert code == 0
    assert (large["id"], large["area_px"], large["area_um2"]) == (300, 40, 10)
    assert small["score"] is None
    assert small["mean_band_1"] == pytest.approx(10.5 * 30 + 10.5)


def test_files(files, segdesk):
    code, out, _ = segdesk("measure", "scan.tif", "mask.png", "--out", "t.csv")
    assert (code, out) == (0, "2 segments -> t.csv\n")
    with (files / "t.csv").open(newline="") as stream:
        assert [row["area_px"] for row in csv.DictReader(stream)] == ["4", "40"]
    code, out, _ = segdesk("measure", "scan.tif", "mask.png", "--out", "t.parquet", "--json")
    assert (code, json.loads(out)["file"]) == (0, str(files / "t.parquet"))
    assert parquet.read_table("t.parquet")["area_px"].to_pylist() == [4, 40]


def test_what_is_wrong_is_one_line(files, segdesk):
    code, _, err = segdesk("measure", "scan.tif", "mask.png", "--out", "t.xlsx")
    assert (code, err.count("\n")) == (2, 1)
    assert "must end in .csv or .parquet" in err
    Image.fromarray(np.ones((3, 3), np.uint8)).save("small.png")
    code, _, err = segdesk("measure", "scan.tif", "small.png")
    assert (code, "small.png is 3 x 3 pixels" in err) == (1, True)
    code, _, err = segdesk("measure", "scan.tif", "mask.png", "--out", "absent/t.csv")
    assert (code, "absent is not a folder" in err) == (1, True)
