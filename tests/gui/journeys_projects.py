"""What becomes of a user's work in real windows that crash, that share a project, or lack an image.

Run by test_journeys.py, each journey in a process of its own.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit

from segdesk.gui.dialogs.unsaved import UnsavedDialog
from tests.gui.journeys import CONTROL, SHIFT, Journey, User, begin, main, mask_of

PROJECT = "work.segdesk"
START = {"reopen": PROJECT, "see_copy": PROJECT, "relink": PROJECT}


def paint_and_die(user: User, folder: Path) -> Journey:
    """Paint two strokes, and be killed once they are kept."""
    yield from begin(user)
    user.press(Qt.Key.Key_1)
    user.press(Qt.Key.Key_B)
    user.drag((30, 30), (60, 30))
    user.drag((30, 60), (60, 60))
    yield lambda: user.window.status.kept.text() == "Kept"
    os.kill(os.getpid(), signal.SIGKILL)


def recover_and_save(user: User, folder: Path) -> Journey:
    """Recover the work of the window that was killed, undo and redo, give it a name."""
    yield from begin(user)
    window = user.window
    bar = window.project_bars.unsaved
    yield lambda: "square.png (2 steps" in bar.text
    QTimer.singleShot(0, bar.buttons["Show…"].click)
    yield lambda: isinstance(QApplication.activeModalWidget(), UnsavedDialog)
    QApplication.activeModalWidget().recover.click()
    yield lambda: window.bench.undoable == "Brush stroke"
    assert not bar.text
    layer = window.editor.document.active
    both = mask_of(layer)
    assert both[30, 45]
    assert both[60, 45]
    user.press(Qt.Key.Key_Z, CONTROL)
    user.press(Qt.Key.Key_Z, CONTROL)
    assert not mask_of(layer).any()
    user.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    user.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    assert (mask_of(layer) == both).all()
    assert window.isWindowModified()
    QTimer.singleShot(0, window.actions_["save_project"].trigger)
    yield from choose_file(folder / PROJECT)
    yield lambda: window.windowTitle() == "square.png[*] - work - SegDesk"
    yield lambda: not window.isWindowModified()
    assert (folder / PROJECT).exists()


def reopen(user: User, folder: Path) -> Journey:
    """Have the project open, while a second window sees a copy of it; paint on."""
    yield from begin_with_work(user)
    command = [sys.executable, "-m", "tests.gui.journeys_projects", "see_copy", str(folder)]
    second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield lambda: second.poll() is not None
    assert second.returncode == 0, second.communicate()[0]
    assert not user.window.project_bars.copy.text
    user.window.activateWindow()
    yield user.window.isActiveWindow
    user.press(Qt.Key.Key_1)
    user.press(Qt.Key.Key_B)
    user.drag((30, 90), (60, 90))
    yield lambda: user.window.status.kept.text() == "Kept"
    assert user.window.editor.document.history.names == ("Brush stroke",) * 3


def see_copy(user: User, folder: Path) -> Journey:
    """Open the project of the first window: a copy that says so, with all work on it."""
    yield from begin_with_work(user)
    text = user.window.project_bars.copy.text
    assert text.startswith(f"{PROJECT}: it is open in another window (process {os.getppid()})"), (
        text
    )
    user.press(Qt.Key.Key_Z, CONTROL)
    assert mask_of(user.window.editor.document.active).any()
    yield lambda: user.window.status.kept.text() == "Kept"


def relink(user: User, folder: Path) -> Journey:
    """Say where the image is, which was moved."""
    yield from begin_with_work(user)
    bars = user.window.project_bars
    assert "square.png is missing" in bars.image.text
    QTimer.singleShot(0, bars.image.buttons["Locate…"].click)
    yield from choose_file(folder / "moved" / "square.png")
    yield lambda: not bars.image.text
    document = user.window.editor.document
    yield lambda: user.window.canvas.is_sharp
    assert document.image.read(document.image.info.window).max() > 150
    assert document.history.names == ("Brush stroke",) * 3


def begin_with_work(user: User) -> Journey:
    """Wait for a window with a project on show."""
    user.window.activateWindow()
    yield lambda: user.window.is_complete and user.window.isActiveWindow()
    yield lambda: bool(user.window.bench.undoable)
    assert user.window.editor.document.image.info.width == 240


def choose_file(path: Path) -> Journey:
    """Type a path into the file dialog that comes up."""
    yield lambda: isinstance(QApplication.activeModalWidget(), QFileDialog)
    dialog = QApplication.activeModalWidget()
    dialog.findChild(QLineEdit).setText(str(path))
    dialog.accept()
    yield lambda: not isinstance(QApplication.activeModalWidget(), QFileDialog)


if __name__ == "__main__":
    name = sys.argv[1]
    sys.exit(main(globals()[name], Path(sys.argv[2]), START.get(name, "square.png")))
