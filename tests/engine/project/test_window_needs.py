"""What the window asks of a project: late documents, other threads, forgotten histories."""

from threading import Thread

import numpy as np
import pytest

from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine import edits
from segdesk.engine.document import Document
from segdesk.engine.images import open_image
from segdesk.engine.layer import LayerState
from segdesk.engine.project.check import check
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project
from tests.engine.frozen import add_layer, freeze, paint
from tests.gui.windows import write_image


@pytest.fixture
def document():
    return Document(ArrayImage(np.zeros((300, 400, 3), np.uint8)))


@pytest.mark.parametrize("undone", [0, 1, 3])
def test_a_document_that_was_edited_before_is_kept_with_its_history(document, tmp_path, undone):
    document.put_layers((document.new_layer(LayerState("first", categories=())),))
    below = document.layers[0]
    above = add_layer(document)
    for place in range(3):
        paint(document, below, Window(20 * place, 0, 15, 9), 1)
        paint(document, above, Window(0, 20 * place, 15, 9), 1)
    edits.remove_layer(document, above.id)
    for _ in range(undone):
        document.undo()
    with Project() as project:
        project.attach(document)
        state = freeze(document)
        project.save_as(tmp_path / "a.segdesk")
    assert check(tmp_path / "a.segdesk").findings == ()
    with open_project(tmp_path / "a.segdesk") as project:
        again = project.document(1)
        assert freeze(again) == state
        assert (again.history.names, again.history.done) == (
            document.history.names,
            document.history.done,
        )
        while again.undo():
            document.undo()
            assert freeze(again) == freeze(document)
        while again.redo():
            document.redo()
            assert freeze(again) == freeze(document)


def test_a_document_is_read_in_another_thread_while_another_one_is_edited(tmp_path):
    for name in ("a.png", "b.png"):
        write_image(tmp_path / name)
    with Project() as project:
        for name in ("a.png", "b.png"):
            document = project.add(open_image(tmp_path / name))
            paint(document, add_layer(document), Window(0, 0, 9, 9), 1)
        project.save_as(tmp_path / "a.segdesk")
    with open_project(tmp_path / "a.segdesk") as project:
        first, found = project.document(1), []
        thread = Thread(target=lambda: found.append(project.read(2)))
        thread.start()
        for place in range(1, 21):
            paint(first, first.layers[0], Window(0, place, 9, 9), 1)
        thread.join()
        second = project.take(found[0])
        assert project.document(2) is second
        assert second.layers[0].areas == {1: 81}
        paint(second, second.layers[0], Window(20, 20, 3, 3), 1)
        assert project.flush()
    assert check(tmp_path / "a.segdesk").counts["step"] == 2 + 2 + 20 + 1


def test_a_forgotten_history_makes_the_file_small_and_leaves_the_work(tmp_path):
    path, rng = tmp_path / "a.segdesk", np.random.default_rng(0)
    with Project() as project:
        document = project.add(ArrayImage(np.zeros((300, 400), np.uint8)))
        layer = add_layer(document)
        whole = document.image.info.window
        for _ in range(30):
            with document.edit("Noise") as edit:
                segment = edits.segment_to_paint(edit, layer, 1)
                edit.paint(layer, whole, segment, rng.random((300, 400)) < 0.5)
                edit.paint(layer, whole, 0, rng.random((300, 400)) < 0.5)
        project.save_as(path)
        state = freeze(document)
    before = path.stat().st_size
    with open_project(path) as project:
        project.document(1).clear_history()
        assert project.document(1).history.last is None
        assert project.has_work
    assert path.stat().st_size < before / 3
    assert check(path).findings == ()
    with open_project(path) as project:
        assert freeze(project.document(1)) == state
        assert project.document(1).undo() == ""


def test_images_that_are_gone_are_told_without_opening_them(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        write_image(tmp_path / "images" / name)
    with Project() as project:
        for name in ("a.png", "b.png"):
            paint_on = project.add(open_image(tmp_path / "images" / name))
            paint(paint_on, add_layer(paint_on), Window(0, 0, 9, 9), 1)
        project.save_as(tmp_path / "a.segdesk")
    (tmp_path / "images" / "b.png").rename(tmp_path / "images" / "c.png")
    with open_project(tmp_path / "a.segdesk") as project:
        assert project.lost == ()
        problems = project.look_for_images()
        assert list(problems) == [2]
        assert "b.png is missing" in problems[2]
        project.note_problems(problems)
        assert [image.id for image in project.lost] == [2]
        (tmp_path / "elsewhere").mkdir()
        assert project.look_in(tmp_path / "elsewhere") == 0
        (tmp_path / "images" / "c.png").rename(tmp_path / "elsewhere" / "b.png")
        assert project.look_in(tmp_path / "elsewhere") == 1
        assert project.lost == ()
        assert project.document(2).image.read(Window(0, 0, 64, 48)).max() == 250
