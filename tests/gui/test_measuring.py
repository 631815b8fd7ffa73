"""Measuring in the window: the segments panel, the lane, the clipboard and files."""

import csv
from threading import Event

import numpy as np
import pytest
import tifffile
from pyarrow import parquet
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu

from segdesk.core.geometry import Window
from segdesk.core.segmentation import Category
from segdesk.engine import edits
from segdesk.gui.panels.segment_columns import is_shown, shown_number, title_of
from tests.gui.windows import open_image, shown_window


@pytest.fixture
def window(qtbot, tmp_path):
    """A window on an image whose pixels are half a micrometre, with two segments."""
    pixels = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
    path = tmp_path / "scan.tif"
    tifffile.imwrite(path, pixels, resolution=(2e4, 2e4), resolutionunit="CENTIMETER")
    with shown_window(qtbot) as window:
        open_image(qtbot, window, path)
        put_segment(window, Window(2, 3, 10, 4))
        put_segment(window, Window(30, 20, 6, 6))
        qtbot.waitUntil(lambda: panel_of(window).model.count() == 2)
        yield window


def put_segment(window, where):
    document = window.editor.document
    edits.change_layer(document, document.active.id, "Instances", task="instance")
    with document.edit("Paint") as edit:
        new = edits.segment_to_paint(edit, document.active, 1)
        edit.paint(document.active, where, new)


def panel_of(window):
    return window.docks["segments"]


def cell(panel, row, name):
    return panel.model.index(row, panel.model.names.index(name)).data()


def measure(window, qtbot):
    panel = panel_of(window)
    panel.measure.click()
    assert panel.measure.isChecked()
    qtbot.waitUntil(lambda: not window.bench.measuring.is_running)
    return panel


def test_areas_are_live_in_units_before_anything_is_measured(window):
    panel = panel_of(window)
    assert panel.model.titles[-1] == "Area (µm²)"
    assert [cell(panel, row, "area_um2") for row in range(2)] == ["10", "9"]


def test_measured_columns_appear_and_sort(window, qtbot):
    panel = measure(window, qtbot)
    assert not panel.measure.isChecked()
    assert [cell(panel, row, "perimeter_um") for row in range(2)] == ["12", "10"]
    shown = panel.view.shown_names()
    assert {"perimeter_um", "eccentricity", "mean_band_1"} <= set(shown)
    assert not {"perimeter_px", "bbox_x_px", "score"} & set(shown)
    column = panel.model.names.index("perimeter_um")
    panel.view.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    assert panel.model.ids.tolist() == [2, 1]


def test_what_changes_is_dropped_and_the_rest_stays(window, qtbot):
    panel = measure(window, qtbot)
    document = window.editor.document
    with document.edit("Paint") as edit:
        edit.paint(document.active, Window(2, 3, 2, 2), 0)
        assert cell(panel, 0, "perimeter_um") == "12", "the stroke is not complete yet"
    qtbot.waitUntil(lambda: cell(panel, 0, "perimeter_um") == "")
    assert cell(panel, 0, "area_um2") == "9"
    assert cell(panel, 1, "perimeter_um") == "10"
    measure(window, qtbot)
    assert cell(panel, 0, "perimeter_um") != ""


def test_a_change_while_it_is_measured_counts_too(window, qtbot):
    go = hold_the_lane(window)
    panel = panel_of(window)
    panel.measure.click()
    document = window.editor.document
    with document.edit("Paint") as edit:
        edit.paint(document.active, Window(30, 20, 2, 2), 0)
    go.set()
    qtbot.waitUntil(lambda: not window.bench.measuring.is_running)
    assert [cell(panel, row, "perimeter_um") for row in range(2)] == ["12", ""]


def test_stop(window, qtbot):
    go = hold_the_lane(window)
    panel = panel_of(window)
    panel.measure.click()
    panel.measure.click()
    go.set()
    qtbot.waitUntil(lambda: not window.bench.measuring.is_running)
    assert "perimeter_um" not in panel.model.names
    assert not panel.measure.isChecked()


def test_columns_are_chosen_in_a_menu_and_remembered(window, qtbot):
    panel = measure(window, qtbot)
    menu = QMenu()
    panel.view.column_menu(menu)
    actions = {action.text(): action for action in menu.actions()}
    assert "Id" not in actions
    actions["Solidity"].trigger()
    actions["Box x (px)"].trigger()
    assert "solidity" not in panel.view.shown_names()
    assert "bbox_x_px" in panel.view.shown_names()
    names = panel.model.names
    assert (is_shown("solidity", names), is_shown("bbox_x_px", names)) == (False, True)


def test_copy(window, qtbot):
    document = window.editor.document
    layer, bad = document.active, Category(1, "=SUM(\tA1)", (1, 2, 3))
    edits.change_layer(document, layer.id, "Rename", categories=(bad,))
    panel = panel_of(window)
    panel._phrase.setText("2")
    panel.copy_table()
    clipboard = QGuiApplication.clipboard()
    qtbot.waitUntil(lambda: clipboard.text().startswith("id\t"))
    head, row = clipboard.text().splitlines()
    assert head.split("\t") == ["id", "category", "area_px", "state", "area_um2"]
    assert row.split("\t") == ["2", "'=SUM( A1)", "36", "accepted", "9"]


def test_save(window, qtbot, tmp_path, monkeypatch):
    panel = panel_of(window)
    for suffix in ("csv", "parquet"):
        path = tmp_path / f"table.{suffix}"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, p=path: (str(p), ""))
        panel.save_table()
        qtbot.waitUntil(path.exists)
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["area_px"] for row in csv.DictReader(stream)] == ["40", "36"]
    assert parquet.read_table(tmp_path / "table.parquet").num_rows == 2
    assert window.bench.shelf.current.is_unsaved, "a table is not the masks"
    failures = []
    window.editor.failed.connect(failures.append)
    window.bench.measuring.save(tmp_path / "table.xlsx")
    assert failures == ["table.xlsx must end in .csv or .parquet."]


def test_another_image_ends_it(window, qtbot, tmp_path):
    go = hold_the_lane(window)
    panel_of(window).measure.click()
    go.set()
    other = tmp_path / "other.tif"
    tifffile.imwrite(other, np.zeros((20, 20), np.uint8))
    open_image(qtbot, window, other)
    assert not window.bench.measuring.is_running
    assert panel_of(window).model.names == ("id", "category", "area_px", "score", "state")


def hold_the_lane(window):
    """Keep the lane busy until the event that is returned is set."""
    go = Event()
    window.bench.disk.submit(lambda report: go.wait(20), "Waiting")
    return go


def test_many_bands_do_not_fill_the_table():
    few, many = ([f"mean_band_{i}" for i in range(count)] for count in (4, 5))
    assert all(is_shown(name, few) for name in few)
    assert not any(is_shown(name, many) for name in many)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("id", "Id"),
        ("area_um2", "Area (µm²)"),
        ("area_ha", "Area (ha)"),
        ("equivalent_diameter_px", "Equivalent diameter (px)"),
        ("centroid_x_mm", "Centroid x (mm)"),
        ("mean_red", "Mean red"),
    ],
)
def test_titles(name, title):
    assert title_of(name) == title


@pytest.mark.parametrize(
    ("value", "text"),
    [(np.nan, ""), (12.0, "12"), (0.123456, "0.1235"), (123456.7, "123,457"), (1e-7, "1e-07")],
)
def test_numbers(value, text):
    assert shown_number(value) == text
