"""How long the window's thread is busy with a segment table of 100,000 rows.

Each act is done in a shown panel, with the painting that follows; the time is that of the
processor, so that other programs do not count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit

from segdesk.core.display import Display
from segdesk.core.image import ArrayImage
from segdesk.core.measure import measure
from segdesk.core.segmentation import Segment
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.measured import Measured
from segdesk.gui.editor import Editor, default_categories
from segdesk.gui.lanes import Lane
from segdesk.gui.measuring import Measuring
from segdesk.gui.panels.segments import SegmentsPanel
from segdesk.gui.shelf import Shelf

LIMIT_MS = 50.0
ROWS, RUNS = 100_000, 7
QUICK_ROWS, QUICK_RUNS = 20_000, 3
SIDE = 1000  # pixels of the image; segments are of single pixels


def main() -> None:
    """Measure, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and runs")
    quick = parser.parse_args().quick
    rows, runs = (QUICK_ROWS, QUICK_RUNS) if quick else (ROWS, RUNS)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEGDESK_HOME"] = folder
        app, lane, editor = QApplication([]), Lane("disk"), Editor()
        measuring = Measuring(editor, Shelf(), lane)
        panel = SegmentsPanel(editor, measuring, [])
        panel.resize(760, 600)
        panel.show()
        _fill(editor, measuring, rows)
        found = {name: _times(app, acts, runs) for name, acts in _acts(panel, editor, rows)}
        lane.close()
    _report(rows, found)


def _fill(editor: Editor, measuring: Measuring, rows: int) -> None:
    """Show a document with measured segments of one pixel each."""
    random = np.random.default_rng(0)
    document = Document(ArrayImage(random.integers(0, 256, (SIDE, SIDE, 1), np.uint8)))
    layer = edits.add_layer(document, LayerState("a", "instance", default_categories()))
    ids = np.zeros(SIDE * SIDE, np.int32)
    ids[random.permutation(len(ids))[:rows]] = np.arange(1, rows + 1)
    states = ("proposed", "accepted")
    segments = {
        i: Segment(i, i % 2, float(random.random()), states[i % 3 == 0]) for i in range(1, rows + 1)
    }
    with document.edit("Fill") as edit:
        edit.set_segments(layer, dict(segments))
        edit.paint(layer, document.image.info.window, ids.reshape(SIDE, SIDE))
    editor.show(document, Display())
    _measure(measuring, layer, document)


def _measure(measuring: Measuring, layer: Layer, document: Document) -> None:
    segmentation = layer.segmentation()
    table = measure(segmentation, document.image)
    measuring._measured[layer.id] = Measured(segmentation, table)
    measuring.changed.emit()


def _acts(
    panel: SegmentsPanel, editor: Editor, rows: int
) -> list[tuple[str, list[Callable[[], object]]]]:
    """Return what is done in turn, by name."""
    view, phrase = panel.view, panel.findChild(QLineEdit)
    up, down = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
    columns = {name: panel.model.names.index(name) for name in ("id", "category", "area_px")}
    columns |= {name: panel.model.names.index(name) for name in ("score", "state", "mean_band_1")}
    sorts = [
        (f"sort by {name}", [lambda c=c, o=o: view.sortByColumn(c, o) for o in (down, up)])
        for name, c in columns.items()
    ]
    filters = [
        (f"filter {word!r}", [lambda w=word: phrase.setText(w), phrase.clear])
        for word in ("7", "obj", "accepted", "obj 77")
    ]
    every, some = (frozenset(range(1, rows + 1, step)) for step in (1, 3))
    selects = [
        (f"select {what}", [lambda i=ids: editor.select(i), lambda: editor.select(frozenset())])
        for what, ids in (("all", every), ("one", frozenset({rows // 2})), ("each third", some))
    ]
    back = ("back to ids", [lambda: view.sortByColumn(columns["id"], up)])
    return [("refresh", [panel._refresh]), *sorts, back, *filters, *selects]


def _times(app: QApplication, acts: list[Callable[[], object]], runs: int) -> list[float]:
    """Return milliseconds of each act."""
    times = []
    for _ in range(runs):
        for act in acts:
            start = time.process_time()
            act()
            app.processEvents()
            times.append((time.process_time() - start) * 1000)
    return times


def _report(rows: int, found: dict[str, list[float]]) -> None:
    print(f"{rows:,} rows, milliseconds")
    print(f"{'':22}{'median':>8}{'min':>8}{'max':>8}")
    for name, times in found.items():
        print(f"{name:22}{statistics.median(times):8.1f}{min(times):8.1f}{max(times):8.1f}")
    medians = {name: round(statistics.median(times), 2) for name, times in found.items()}
    worst = max(medians.values())
    print(f"longest {worst:.1f} ms, limit {LIMIT_MS:.0f} ms")
    summary = {"rows": rows, "median_ms": medians, "limit_ms": LIMIT_MS, "met": worst < LIMIT_MS}
    print(json.dumps({"benchmark": "segment_table", **summary}))


if __name__ == "__main__":
    main()
