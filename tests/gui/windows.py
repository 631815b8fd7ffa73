"""Windows with real images for the tests of the window."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from pytestqt.qtbot import QtBot

from segdesk.core.geometry import Window
from segdesk.engine import edits
from segdesk.engine.project.project import Project
from segdesk.gui.main_window import MainWindow


@contextmanager
def shown_window(qtbot: QtBot) -> Iterator[MainWindow]:
    """Show a complete window; close it afterwards whatever is on it."""
    window = MainWindow()
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: window.is_complete)
    try:
        yield window
    finally:
        window.asking.may_discard = lambda: True
        window.close()
        window.deleteLater()
        qtbot.wait(0)


def write_image(path: Path, width: int = 64, height: int = 48, level: int = 100) -> Path:
    """Write a grey picture with a bright square."""
    pixels = np.full((height, width, 3), level, np.uint8)
    pixels[10:20, 10:20] = 250
    Image.fromarray(pixels).save(path)
    return path


def open_image(qtbot: QtBot, window: MainWindow, path: Path) -> None:
    """Open an image as a drop of its file would."""
    window.bench.opening.open([path])
    qtbot.waitUntil(lambda: window.bench.shelf.current is not None and on_show(window) == path)


def on_show(window: MainWindow) -> Path | None:
    """Return the file of the image on show."""
    entry = window.bench.shelf.current
    return entry.path if entry else None


def paint(window: MainWindow, place: Window, category: int = 1) -> int:
    """Paint a rectangle on the active layer; return its segment's id."""
    document = window.editor.document
    assert document and document.active
    with document.edit("Brush stroke") as edit:
        segment_id = edits.segment_to_paint(edit, document.active, category)
        edit.paint(document.active, place, segment_id)
    return segment_id


def saved_project(
    qtbot: QtBot,
    window: MainWindow,
    folder: Path,
    choose: Callable[[Path], None],
    names: Sequence[str] = ("a.png", "b.png"),
) -> Path:
    """Paint on images, save them as a project, and return its path."""
    path = folder / "cells.segdesk"
    for number, name in enumerate(names):
        open_image(qtbot, window, folder / name)
        paint(window, Window(number, 0, 5, 5))
    choose(path)
    assert window.asking.projects.save_as()
    return path


def open_project_in(qtbot: QtBot, window: MainWindow, path: Path, image: Path) -> None:
    """Open a project and wait until an image of it is on show."""
    window.bench.opening.open([path])
    qtbot.waitUntil(lambda: project_of(window) is not None and on_show(window) == image)


def project_of(window: MainWindow) -> Project | None:
    """Return the project behind a window."""
    return window.bench.keeping.project
