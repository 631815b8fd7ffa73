import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton

from segdesk.core.geometry import Window
from segdesk.engine import edits
from tests.gui.windows import open_image, shown_window, write_image

WHOLE = Window(0, 0, 64, 48)


@pytest.fixture
def window(qtbot):
    with shown_window(qtbot) as window:
        window.docks.show("display")
        yield window


@pytest.fixture
def panel(window):
    return window.docks["display"]


@pytest.fixture
def deep(window, qtbot, tmp_path):
    """A picture of 16 bits: values 1000 to 4071, and one speck of 60000."""
    pixels = (1000 + np.arange(48 * 64)).astype(np.uint16).reshape(48, 64)
    pixels[5, 5] = 60_000
    Image.fromarray(pixels).save(tmp_path / "deep.png")
    open_image(qtbot, window, tmp_path / "deep.png")
    qtbot.waitUntil(lambda: window.bench.displaying.sample is not None)
    return window.editor


def press(panel, text):
    next(b for b in panel.findChildren(QPushButton) if b.text() == text).click()


def test_deep_images_open_by_percentiles(deep, panel):
    display = deep.display
    assert 1000 < display.low[0] < 1100
    assert 4000 < display.high[0] < 4100
    assert panel.low.value() == pytest.approx(display.low[0], abs=1e-3)
    assert panel.high.value() == pytest.approx(display.high[0], abs=1e-3)


def test_range_gamma_and_reset_never_touch_the_pixels(deep, panel):
    before = deep.document.image.read(WHOLE).copy()
    first = deep.display
    press(panel, "Min-Max")
    assert (deep.display.low[0], deep.display.high[0]) == (1000, 60_000)
    panel.high.setValue(5000)
    assert deep.display.high == (5000, 5000, 5000)
    panel.gamma.setValue(panel.gamma.maximum())
    assert deep.display.gamma == pytest.approx(5)
    press(panel, "Auto")
    assert deep.display.gamma == pytest.approx(5)
    assert deep.display.high == first.high
    press(panel, "Reset")
    assert deep.display == first
    assert (deep.document.image.read(WHOLE) == before).all()
    assert deep.document.history.last is None


def test_black_cannot_pass_white(deep, panel):
    high = deep.display.high
    panel.low.setValue(high[0] + 10)
    assert deep.display.low[0] < deep.display.high[0]
    assert deep.display.high == high


def test_lines_of_the_histogram_are_dragged(deep, panel, qtbot):
    press(panel, "Min-Max")
    histogram = panel.histogram
    middle = QPoint(histogram.width() // 2, 20)
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(histogram.width() - 9, 20))
    qtbot.mouseMove(histogram, middle)
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=middle)
    assert deep.display.low[0] == 1000
    assert deep.display.high[0] == pytest.approx(30_500, rel=0.02)
    assert panel.high.value() == pytest.approx(deep.display.high[0], abs=1e-3)


def test_bands_are_exchanged(window, panel, qtbot, tmp_path):
    open_image(qtbot, window, write_image(tmp_path / "a.png"))
    red, blue = panel.bands[0], panel.bands[2]
    assert [red.itemText(n) for n in range(3)] == ["red", "green", "blue"]
    red.setCurrentIndex(2)
    blue.setCurrentIndex(0)
    red.activated.emit(2)
    assert window.editor.display.bands == (2, 1, 0)


def test_one_colour_alone(window, panel, qtbot, tmp_path):
    open_image(qtbot, window, write_image(tmp_path / "a.png"))
    panel.channel.setCurrentIndex(2)
    panel.high.setValue(128)
    assert window.editor.display.high == (255, 128, 255)


def test_each_image_keeps_its_display(window, panel, qtbot, tmp_path):
    write_image(tmp_path / "b.png")
    open_image(qtbot, window, write_image(tmp_path / "a.png"))
    document = window.editor.document
    window.editor.layer_to_paint()
    panel.gamma.setValue(40)
    chosen = window.editor.display
    with document.edit("Paint") as edit:
        segment_id = edits.segment_to_paint(edit, document.active, 1)
        edit.paint(document.active, Window(0, 0, 2, 2), segment_id)
    open_image(qtbot, window, tmp_path / "b.png")
    assert window.editor.display != chosen
    open_image(qtbot, window, tmp_path / "a.png")
    assert window.editor.display == chosen
