import subprocess
import sys

import pytest

HIDPI = """
import numpy as np
from PySide6.QtWidgets import QApplication
from PySide6.QtTest import QTest
from PySide6.QtCore import Qt, QPoint
app = QApplication([])
from tests.gui.conftest import NOTHING, RED, rgb_of
from segdesk.core.display import Display
from segdesk.core.image import ArrayImage
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.layer import LayerState
from segdesk.gui.canvas import Canvas
from segdesk.gui.editor import Editor
canvas = Canvas(Editor())
canvas.resize(300, 200)
canvas.show()
pixels = np.random.default_rng(0).integers(0, 256, (300, 500, 3), dtype=np.uint8)
document = Document(ArrayImage(pixels))
layer = edits.add_layer(document, LayerState("Layer", categories=(NOTHING, RED), opacity=1.0))
canvas.editor.show(document, Display())
canvas.actual_size()
canvas.repaint()
while not canvas.is_sharp:
    app.processEvents()
    canvas.repaint()
ratio, view = canvas.devicePixelRatioF(), canvas.view
seen = rgb_of(canvas.grab().toImage())
assert seen.shape[:2] == (view.height, view.width), (seen.shape, view)
rows, columns = view.rows(0, view.height), view.columns(0, view.width)
y, x = (rows >= 0) & (rows < 300), (columns >= 0) & (columns < 500)
shown = seen[np.ix_(y, x)]
np.testing.assert_array_equal(shown, pixels[np.ix_(rows[y], columns[x])])
canvas.editor.set_tool("brush")
canvas.editor.set_radius(0.5)
QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(101, 73))
painted = np.argwhere(layer.planes[0].read(document.image.info.window))
assert painted.tolist() == [[view.top + int(73 * ratio), view.left + int(101 * ratio)]], painted
canvas.editor.set_tool("pan")
red = np.argwhere((rgb_of(canvas.grab().toImage()) == (255, 0, 0)).all(axis=2))
assert red.tolist() == [[int(73 * ratio), int(101 * ratio)]], red
canvas.end_jobs()
print("exact")
"""


@pytest.mark.parametrize("ratio", ["2", "1.5"])
def test_on_a_fine_screen_pixels_are_as_exact(ratio, monkeypatch):
    monkeypatch.setenv("QT_SCALE_FACTOR", ratio)
    monkeypatch.setenv("QT_SCALE_FACTOR_ROUNDING_POLICY", "PassThrough")
    done = subprocess.run([sys.executable, "-c", HIDPI], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "exact", done.stderr
