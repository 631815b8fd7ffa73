"""What a user does in a real window, run by test_journeys.py in a process of its own.

A journey is a generator: it acts, and yields conditions to wait for.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl, qInstallMessageHandler
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from segdesk.gui import app, main_window
from segdesk.gui.dialogs.export import ExportDialog
from segdesk.gui.main_window import MainWindow

Journey = Generator[Callable[[], bool], None, Any]
LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
PATIENCE = 60  # seconds for a whole journey
TICK_MS = 5


def scribble_to_export(user: "User", folder: Path) -> Journey:
    """Scribble, accept, correct by hand, undo and redo, export."""
    yield from begin(user)
    yield from scribble(user)
    found = yield from accept(user)
    corrected = correct(user, found)
    yield from export(user, folder)
    with Image.open(folder / "square-masks.png") as image:
        assert ((np.asarray(image) == 1) == corrected).all()
    coco = json.loads((folder / "square-masks_coco.json").read_text())
    assert sum(entry["area"] for entry in coco["annotations"]) == corrected.sum()


def trouble(user: "User", folder: Path) -> Journey:
    """Drop a broken file, go through a folder, stop a job; nothing painted is lost."""
    yield from begin(user)
    document = user.window.editor.document
    user.press(Qt.Key.Key_1)
    user.press(Qt.Key.Key_B)
    user.drag((30, 30), (60, 30))
    painted = mask_of(document.active)
    assert painted.any()
    yield from drop_broken_file(user, folder)
    assert user.window.editor.document is document
    yield from go_away_and_back(user, folder)
    assert user.window.editor.document is document
    assert (mask_of(document.active) == painted).all()
    user.press(Qt.Key.Key_Z, CONTROL)
    assert not mask_of(document.active).any()
    user.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    yield from start_and_stop(user)
    assert (mask_of(document.active) == painted).all()


def begin(user: "User") -> Journey:
    """Wait for the window."""
    user.window.activateWindow()  # nobody else does so on a bare screen
    yield lambda: user.window.is_complete and user.window.isActiveWindow()
    assert user.window.editor.document.image.info.width == 240


def scribble(user: "User") -> Journey:
    """Scribble on the square and beside it, and wait for the proposal."""
    bench, document = user.window.bench, user.window.editor.document
    user.press(Qt.Key.Key_S)
    user.window.editor.set_radius(4)
    user.press(Qt.Key.Key_1)
    user.drag((36, 46), (104, 114))
    user.press(Qt.Key.Key_0)
    user.drag((150, 20), (220, 150))
    user.drag((22, 30), (22, 130))
    yield user.window.actions_["accept"].isEnabled
    yield lambda: not bench.segmenting.is_busy
    assert len(document.prompts) == 3
    assert not document.layers[0].areas, "a proposal changes nothing"


def accept(user: "User") -> Journey:
    """Accept the proposal; return its mask."""
    user.press(Qt.Key.Key_Return, CONTROL)
    yield lambda: user.window.bench.proposal is None
    layer = user.window.editor.document.active
    assert layer.state.name == "Layer 1"
    found = mask_of(layer)
    overlap = (found & square()).sum() / (found | square()).sum()
    assert overlap > 0.9, overlap
    return found


def correct(user: "User", found: np.ndarray) -> np.ndarray:
    """Add a stroke of the brush, take it back and make it again; return the mask with it."""
    layer = user.window.editor.document.active
    user.press(Qt.Key.Key_1)
    user.press(Qt.Key.Key_B)
    user.drag((180, 40), (210, 40))
    corrected = mask_of(layer)
    assert corrected[40, 195]
    user.press(Qt.Key.Key_Z, CONTROL)
    assert (mask_of(layer) == found).all()
    user.press(Qt.Key.Key_Z, CONTROL | SHIFT)
    assert (mask_of(layer) == corrected).all()
    return corrected


def export(user: "User", folder: Path) -> Journey:
    """Export by the dialog."""
    QTimer.singleShot(0, user.window.actions_["export"].trigger)  # it waits for its dialog
    yield lambda: isinstance(QApplication.activeModalWidget(), ExportDialog)
    dialog = QApplication.activeModalWidget()
    for name, box in dialog.formats.items():
        box.setChecked(name in ("png", "coco"))
    dialog.folder.setText(str(folder))
    button(dialog, "Export").click()
    yield lambda: button(dialog, "Open Folder").isVisible()
    button(dialog, "Close").click()
    yield lambda: QApplication.activeModalWidget() is None


def drop_broken_file(user: "User", folder: Path) -> Journey:
    """Drop a file that breaks off, and wait for what the window says."""
    torn = folder / "torn.png"
    torn.write_bytes((folder / "square.png").read_bytes()[:300])
    user.drop(torn)
    yield lambda: bool(user.window.message_bar.text)
    assert "torn.png" in user.window.message_bar.text
    torn.unlink()


def go_away_and_back(user: "User", folder: Path) -> Journey:
    """Drop the folder, whose first image is another one, and turn the page."""
    document = user.window.editor.document
    user.drop(folder)
    yield lambda: user.window.editor.document is not document
    yield user.window.actions_["next"].isEnabled
    user.press(Qt.Key.Key_PageDown)
    yield lambda: user.window.editor.document is document


def start_and_stop(user: "User") -> Journey:
    """Run a segmenter that never ends, and stop it."""
    window, bench = user.window, user.window.bench
    bench.segmenting.choice.choose("endless")
    yield window.actions_["run"].isEnabled
    user.press(Qt.Key.Key_F5)
    yield lambda: "Thinking" in window.status.jobs.text
    user.press(Qt.Key.Key_F5, SHIFT)
    yield lambda: not bench.segmenting.is_running
    assert bench.proposal is None


class User:
    """Presses keys and moves the mouse; points are pixels of the image."""

    def __init__(self, window: MainWindow) -> None:
        self.window, self.canvas = window, window.canvas

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NO_KEY) -> None:
        """Press a key on the canvas."""
        QTest.keyClick(self.canvas, key, modifiers)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a straight stroke."""
        QTest.mousePress(self.canvas, LEFT, pos=self._at(start))
        for share in np.linspace(0, 1, 12):
            point = np.add(start, share * np.subtract(end, start))
            QTest.mouseMove(self.canvas, self._at(point))
        QTest.mouseRelease(self.canvas, LEFT, pos=self._at(end))

    def drop(self, path: Path) -> None:
        """Drop a file or a folder on the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        about = Qt.DropAction.CopyAction, data, LEFT, NO_KEY
        QApplication.sendEvent(self.window, QDragEnterEvent(QPoint(9, 9), *about))
        QApplication.sendEvent(self.window, QDropEvent(QPointF(9, 9), *about))

    def _at(self, point: tuple[float, float]) -> QPoint:
        x, y = self.canvas.view.to_device(*point)
        ratio = self.canvas.devicePixelRatioF()
        return QPoint(round(x / ratio), round(y / ratio))


class Guide:
    """Takes a user through a journey, and watches for pauses of the event loop."""

    def __init__(self, window: MainWindow, journey: Journey) -> None:
        self._window, self._journey = window, journey
        self._wait: Callable[[], bool] = lambda: True
        self._end = time.monotonic() + PATIENCE
        self._last = time.monotonic()
        self.longest = 0.0
        self.problem = ""
        self._timer = QTimer(window, interval=TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start()

    def _on_tick(self) -> None:
        now = time.monotonic()
        if self._window.is_complete:
            self.longest = max(self.longest, now - self._last)
        self._last = now
        if now > self._end:
            self._stop(f"waited in vain at line {line_of(self._journey)}")
        elif self._wait():
            try:
                self._wait = next(self._journey)
                self._last = time.monotonic()
            except StopIteration:
                self._stop("")
            except Exception:  # noqa: BLE001 - whatever it is, the test hears of it
                self._stop(traceback.format_exc())

    def _stop(self, problem: str) -> None:
        self.problem = problem
        self._timer.stop()
        self._window.asking.may_discard = lambda: True
        QApplication.closeAllWindows()


def line_of(journey: Journey) -> int:
    """Return the line at which a journey, or the part of it that it is in, waits."""
    while journey.gi_yieldfrom is not None:
        journey = journey.gi_yieldfrom
    return journey.gi_frame.f_lineno


def mask_of(layer) -> np.ndarray:
    """Return where anything is painted."""
    return layer.planes[0].read(layer.planes[0].window) > 0


def square() -> np.ndarray:
    """Return the square that is bright in the picture of the journeys."""
    mask = np.zeros((180, 240), bool)
    mask[40:120, 30:110] = True
    return mask


def button(dialog: ExportDialog, text: str) -> QPushButton:
    """Return a button by what is on it."""
    return next(b for b in dialog.findChildren(QPushButton) if b.text() == text)


def main(make: Callable[[User, Path], Journey], folder: Path, start: str = "square.png") -> int:
    """Make a journey, and print as JSON what was wrong and how long the window stood still."""
    warnings: list[str] = []
    guides: list[Guide] = []
    qInstallMessageHandler(lambda kind, context, text: warnings.append(text))

    class Guided(MainWindow):
        def __init__(self) -> None:
            super().__init__()
            journey = make(User(self), folder)
            QTimer.singleShot(0, lambda: guides.append(Guide(self, journey)))

    main_window.MainWindow = app.MainWindow = Guided
    app.run([folder / start])
    (guide,) = guides
    outcome = {"problem": guide.problem, "warnings": warnings, "longest_s": guide.longest}
    print(json.dumps(outcome))
    return 1 if guide.problem or warnings else 0


if __name__ == "__main__":
    sys.exit(main(globals()[sys.argv[1]], Path(sys.argv[2])))
