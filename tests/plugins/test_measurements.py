"""The tables of measurements as the csv module and pyarrow read them."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from pyarrow import parquet
from segdesk_plugins.measurements import segdesk_writers

from segdesk.api import (
    ArrayImage,
    Category,
    ExportError,
    ExportRequest,
    LabelMap,
    Segment,
    Segmentation,
    Window,
)
from segdesk.core.measure import measure
from segdesk.core.progress import silent
from segdesk.engine.export import export, losses
from segdesk.engine.registry import registry

WRITERS = {writer.id: writer for writer in segdesk_writers()}
PIXELS = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)


def request_of(folder, *names):
    ids = np.zeros((30, 40), np.int32)
    segments = {}
    for number, _ in enumerate(names, 1):
        ids[number * 4 : number * 4 + 3, 5:20] = number
        segments[number] = Segment(number, number, 0.1 if number == 1 else None)
    segments[99] = Segment(99, 1)  # without a pixel
    categories = tuple(Category(i, name, (0, 0, 0)) for i, name in enumerate(names, 1))
    segmentation = Segmentation("instance", (LabelMap.of_array(ids),), segments, categories)
    return ExportRequest(segmentation, ArrayImage(PIXELS), folder, "cells", lambda w: None)


def written(writer_id, request):
    (file,) = WRITERS[writer_id].write(request, silent)
    WRITERS[writer_id].check(request, [file])
    WRITERS[writer_id].check(request, [file])  # on its own, it measures anew
    assert file.name == f"cells.{writer_id}"
    return file


def rows_of(file, encoding="utf-8"):
    with file.open(newline="", encoding=encoding) as stream:
        return list(csv.DictReader(stream))


def test_csv_holds_every_number_exactly(tmp_path):
    request = request_of(tmp_path, "cell", "nucleus")
    table = measure(request.segmentation, request.image).columns
    rows = rows_of(written("csv", request))
    assert list(rows[0]) == list(table)
    for name, column in table.items():
        cells = [row[name] for row in rows]
        if column.dtype.kind == "U":
            assert cells == column.tolist()
        else:
            np.testing.assert_array_equal([float(cell or "nan") for cell in cells], column, name)
    assert (rows[0]["area_px"], rows[0]["score"], rows[1]["score"]) == ("45", "0.1", "")
    assert (rows[2]["id"], rows[2]["area_px"], rows[2]["perimeter_px"]) == ("99", "0", "")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_runs_the_name_of_a_category(tmp_path, name):
    rows = rows_of(written("csv", request_of(tmp_path, name)))
    assert rows[0]["category"] == f"'{name}"


def test_csv_quotes_what_it_must(tmp_path):
    names = 'a,b "c"', "two\nlines", "="
    rows = rows_of(written("csv", request_of(tmp_path, *names)))
    assert [row["category"] for row in rows[:3]] == [*names[:2], "'="]


def test_csv_says_that_it_is_utf_8_where_that_matters(tmp_path):
    file = written("csv", request_of(tmp_path, "Zelle ä"))
    assert file.read_bytes().startswith(b"\xef\xbb\xbfid,")
    assert rows_of(file, "utf-8-sig")[0]["category"] == "Zelle ä"
    assert written("csv", request_of(tmp_path, "cell")).read_bytes().startswith(b"id,")


def test_parquet_has_types_and_nulls(tmp_path):
    request = request_of(tmp_path, "=cell")
    table = parquet.read_table(written("parquet", request))
    assert table.column_names == list(measure(request.segmentation, request.image).columns)
    assert str(table.schema.field("area_px").type) == "int64"
    assert table["category"].to_pylist()[0] == "=cell"
    assert table["score"].to_pylist() == [0.1, None]
    assert table["solidity"].to_pylist() == [1.0, None]


@pytest.mark.parametrize("writer_id", WRITERS)
def test_nothing_to_measure_is_a_head_without_rows(tmp_path, writer_id):
    request = request_of(tmp_path)
    del request.segmentation.segments[99]
    file = written(writer_id, request)
    rows = rows_of(file) if writer_id == "csv" else parquet.read_table(file).to_pylist()
    assert rows == []


@pytest.mark.parametrize("writer_id", WRITERS)
@pytest.mark.parametrize("change", ["longer", "other"])
def test_what_reads_back_different_is_an_error(tmp_path, writer_id, change):
    request = request_of(tmp_path, "cell", "nucleus")
    writer = WRITERS[writer_id]
    (file,) = writer.write(request, silent)
    names = ("cell", "nucleus", "more") if change == "longer" else ("cell", "core")
    other = request_of(tmp_path / "other", *names)
    (tmp_path / "other").mkdir()
    file.write_bytes(writer.write(other, silent)[0].read_bytes())
    with pytest.raises(ExportError, match=f"{file.name} did not read back"):
        writer.check(request, [file])


def test_by_way_of_an_export(tmp_path):
    request = request_of(tmp_path, "cell")
    files = export(request.segmentation, request.image, ["csv", "parquet"], tmp_path, "x")
    assert [[f.name for f in some] for some in files.values()] == [["x.csv"], ["x.parquet"]]
    (lost,) = losses(request.segmentation, ["csv"])["csv"]
    assert "where the segments are" in lost


def test_a_stack_is_one_table(tmp_path):
    labels = LabelMap(40, 30, 3)
    for frame in (0, 2):
        labels.write(Window(1, 1, 5, 5), 1, frame=frame)
    segmentation = Segmentation("instance", (labels,), {1: Segment(1, 1)}, ())
    image = ArrayImage(np.stack([PIXELS] * 3))
    files = export(segmentation, image, ["csv"], tmp_path, "x")["csv"]
    (row,) = rows_of(*files)
    assert (row["area_px"], row["frames"], row["first_frame"]) == ("50", "2", "0")


def test_a_stack_gives_other_formats_one_frame_at_a_time(tmp_path, monkeypatch):
    seen = []
    spec = replace(WRITERS["csv"], takes_stacks=False)
    monkeypatch.setattr(registry(), "writer", lambda name: spec)
    image = ArrayImage(PIXELS)
    monkeypatch.setattr(
        image, "read", lambda w, level, frame: seen.append(frame) or PIXELS[w.slices]
    )
    image.info = replace(image.info, frames=3)
    labels = LabelMap(40, 30, 3)
    labels.write(Window(1, 1, 5, 5), 1, frame=2)
    segmentation = Segmentation("instance", (labels,), {1: Segment(1, 1)}, ())
    (file,) = export(segmentation, image, ["csv"], tmp_path, "x")["csv"]
    assert (file.name, seen) == ("x_f3.csv", [2])
