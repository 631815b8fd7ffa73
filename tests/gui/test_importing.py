"""Masks become layers of the image on show."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QFileDialog

from tests.gui.windows import open_image, shown_window, write_image


@pytest.fixture
def window(qtbot, tmp_path):
    write_image(tmp_path / "image.png")
    with shown_window(qtbot) as window:
        open_image(qtbot, window, tmp_path / "image.png")
        yield window


def choose(monkeypatch, path):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))


def test_a_mask_is_imported_and_undone(window, qtbot, tmp_path, monkeypatch):
    mask = tmp_path / "cells.png"
    Image.fromarray(np.eye(48, 64, dtype=np.uint8)).save(mask)
    choose(monkeypatch, mask)
    document = window.editor.document
    window.actions_["import"].trigger()
    qtbot.waitUntil(lambda: len(document.layers) == 2)
    assert document.active.areas == {1: 48}
    assert document.history.names == ("Import cells.png",)
    document.undo()
    assert len(document.layers) == 1


def test_what_does_not_fit_is_a_message(window, qtbot, tmp_path, monkeypatch):
    mask = tmp_path / "small.png"
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(mask)
    choose(monkeypatch, mask)
    window.actions_["import"].trigger()
    qtbot.waitUntil(lambda: "small.png is 5 x 5 pixels" in window.message_bar.text)
    assert len(window.editor.document.layers) == 1
