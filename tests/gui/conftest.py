"""A canvas with a user at its mouse; no test leaves a widget behind."""

from math import floor

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from segdesk.core.display import default_display
from segdesk.core.image import ArrayImage
from segdesk.core.segmentation import Category, Segment
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.gui.canvas import Canvas
from segdesk.gui.editor import Editor

NOTHING = Category(0, "background", (128, 128, 128), is_thing=False)
RED, BLUE = Category(1, "red", (255, 0, 0)), Category(2, "blue", (0, 0, 255))
LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
NO_KEY, SHIFT, CONTROL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


@pytest.fixture(autouse=True)
def _no_widget_left(request):
    """Fail a test whose widgets are still there after it."""
    yield
    if QApplication.instance():
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        left = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
        assert not left, f"still on show: {left}"


@pytest.fixture
def choose(monkeypatch):
    """Let file dialogs return a path."""

    def choose(path):
        for name in ("getSaveFileName", "getOpenFileName"):
            monkeypatch.setattr(QFileDialog, name, lambda *_: (str(path), ""))
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(path))

    return choose


@pytest.fixture
def answer(monkeypatch):
    """Answer message boxes by the words on a button; return what was asked."""
    asked = []

    def set_answer(words):
        def execute(box):
            asked.append(box.text())
            button = next(b for b in box.buttons() if b.text().replace("&", "") == words)
            button.click()
            return box.standardButton(button)

        monkeypatch.setattr(QMessageBox, "exec", execute)
        return asked

    return set_answer


@pytest.fixture
def user(qtbot):
    """Return a user in front of an empty canvas of 400 x 300 pixels."""
    canvas = Canvas(Editor())
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.show()
    return User(canvas, qtbot)


@pytest.fixture
def painter(user):
    """A user with a semantic layer and a brush of radius 3."""
    user.open(np.full((60, 80, 3), 100, np.uint8))
    user.editor.set_tool("brush")
    user.editor.set_radius(3)
    return user


@pytest.fixture
def counter(user):
    """A user with an instance layer and a brush of radius 2."""
    user.open(np.full((60, 80, 3), 100, np.uint8), "instance")
    user.editor.set_tool("brush")
    user.editor.set_radius(2)
    return user


class User:
    """Uses a canvas; points are level-0 pixels of the image."""

    def __init__(self, canvas, qtbot):
        self.canvas, self.editor, self._qtbot = canvas, canvas.editor, qtbot
        self.messages = []
        self.editor.message.connect(self.messages.append)
        self.editor.failed.connect(self.messages.append)
        self._button = Qt.MouseButton.NoButton

    @property
    def document(self):
        return self.editor.document

    @property
    def layer(self):
        return self.document.active

    def ids(self, plane=0):
        """Return the ids of the active layer."""
        return self.layer.planes[plane].read(self.document.image.info.window)

    def open(self, image, task="semantic", scale=1.0):
        """Show pixels, or an image source, with an empty layer, from the top left corner on."""
        source = ArrayImage(image) if isinstance(image, np.ndarray) else image
        document = Document(source)
        categories = (NOTHING, RED, BLUE)
        edits.add_layer(document, LayerState("Layer", task, categories, opacity=0.5))
        self.editor.show(document, default_display(source.info))
        self.look(scale)

    def look(self, scale, x=0.0, y=0.0):
        """Show the image at a scale with a point of it in the top left corner."""
        self.canvas.zoom_by(scale / self.canvas.scale)
        view, ratio = self.canvas.view, self.canvas.devicePixelRatioF()
        self.canvas.pan_by((view.left - x * scale) / ratio, (view.top - y * scale) / ratio)
        self.wait_for_tiles()

    def wait_for_tiles(self):
        """Wait until the canvas is sharp."""
        self._qtbot.waitUntil(self._is_sharp, timeout=5000)

    def _is_sharp(self):
        self.canvas.repaint()
        return self.canvas.is_sharp

    def segment(self, ids):
        """Put segments, of category 1, on the active layer."""
        with self.document.edit("Put") as edit:
            new = {int(i): Segment(int(i), 1) for i in np.unique(ids) if i}
            edit.set_segments(self.layer, new)
            edit.paint(self.layer, self.document.image.info.window, ids)

    def see(self):
        """Return what the canvas looks like: (rows, columns, 3) of device pixels."""
        return rgb_of(self.canvas.grab().toImage())

    def at(self, x, y):
        """Return the logical pixel of the canvas in which a point of the image lies."""
        ratio = self.canvas.devicePixelRatioF()
        across, down = self.canvas.view.to_device(x, y)
        return QPointF(floor(across) / ratio, floor(down) / ratio)

    def press(self, x, y, keys=NO_KEY, button=LEFT):
        self._button = button
        self._mouse(QEvent.Type.MouseButtonPress, x, y, keys, button)

    def move(self, x, y, keys=NO_KEY):
        self._mouse(QEvent.Type.MouseMove, x, y, keys, Qt.MouseButton.NoButton)

    def release(self, x, y, keys=NO_KEY):
        button, self._button = self._button, Qt.MouseButton.NoButton
        self._mouse(QEvent.Type.MouseButtonRelease, x, y, keys, button)

    def click(self, x, y, keys=NO_KEY, button=LEFT):
        self.press(x, y, keys, button)
        self.release(x, y, keys)

    def double_click(self, x, y):
        self.click(x, y)
        self._button = LEFT
        self._mouse(QEvent.Type.MouseButtonDblClick, x, y, NO_KEY, LEFT)
        self.release(x, y)

    def drag(self, *points, keys=NO_KEY, button=LEFT):
        self.press(*points[0], keys, button)
        for point in points[1:]:
            self.move(*point, keys)
        self.release(*points[-1], keys)

    def key(self, key, keys=NO_KEY):
        """Press a key; return whether the canvas kept it from the window's shortcuts."""
        override = QKeyEvent(QEvent.Type.ShortcutOverride, key, keys)
        override.ignore()
        QApplication.sendEvent(self.canvas, override)
        QApplication.sendEvent(self.canvas, QKeyEvent(QEvent.Type.KeyPress, key, keys))
        return override.isAccepted()

    def release_key(self, key):
        QApplication.sendEvent(self.canvas, QKeyEvent(QEvent.Type.KeyRelease, key, NO_KEY))

    def wheel(self, x, y, notches, keys=NO_KEY):
        at = self.at(x, y)
        where = QPointF(self.canvas.mapToGlobal(at))
        turned, phase = QPoint(0, round(120 * notches)), Qt.ScrollPhase.NoScrollPhase
        none = Qt.MouseButton.NoButton
        event = QWheelEvent(at, where, QPoint(), turned, none, keys, phase, False)
        QApplication.sendEvent(self.canvas, event)

    def _mouse(self, kind, x, y, keys, button):
        at = self.at(x, y)
        where = QPointF(self.canvas.mapToGlobal(at))
        QApplication.sendEvent(
            self.canvas, QMouseEvent(kind, at, where, button, self._button, keys)
        )


def rgb_of(image):
    """Return the (rows, columns, 3) pixels of a picture."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return lines[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def on_image(user, picture, pixels):
    """Return what is seen of the image, and which of its pixels should be seen there."""
    view = user.canvas.view
    x, y = view.columns(0, view.width), view.rows(0, view.height)
    rows, columns = (y >= 0) & (y < len(pixels)), (x >= 0) & (x < pixels.shape[1])
    assert rows.any()
    assert columns.any()
    return picture[np.ix_(rows, columns)], pixels[np.ix_(y[rows], x[columns])]
