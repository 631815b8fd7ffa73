"""What the segment table asks of the window."""

from segdesk.core.geometry import Window
from segdesk.core.segmentation import Category
from segdesk.engine import edits
from tests.gui.windows import open_image, paint, shown_window, write_image


def test_selected_segments_get_the_chosen_category(qtbot, tmp_path):
    with shown_window(qtbot) as window:
        open_image(qtbot, window, write_image(tmp_path / "image.png"))
        document = window.editor.document
        layer = document.active
        categories = (*layer.state.categories, Category(2, "nucleus", (0, 0, 255)))
        edits.set_categories(document, layer.id, categories)
        segment_id = paint(window, Window(0, 0, 5, 5))
        window.editor.select(frozenset({segment_id}))
        window.docks["segments"].category_chosen.emit(2)
        assert layer.segments[segment_id].category == 2
        window.bench.undo()
        assert layer.segments[segment_id].category == 1
