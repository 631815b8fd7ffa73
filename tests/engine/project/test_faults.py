"""Whatever the disk does: one message, no edit lost, and work goes on."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from segdesk.core.errors import ProjectError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine.project import store
from segdesk.engine.project.check import check
from segdesk.engine.project.journal import discard_unsaved, list_unsaved, unsaved_folder
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project
from tests.engine.frozen import add_layer, freeze, paint


def started(path=None, size=(300, 280)):
    """Return a project with a layer, its document, and the list of what it complains about."""
    project = Project()
    document = project.add(ArrayImage(np.zeros((*size[::-1], 3), np.uint8)))
    problems = []
    project.problems.connect(problems.append)
    add_layer(document, "instance")
    if path:
        project.save_as(path)
    return project, document, problems


def stroke(document, number):
    paint(document, document.layers[0], Window(number * 7, number * 5, 90, 60), 1)


def reopened(path):
    with open_project(path) as project:
        return freeze(project.document(1))


def test_edits_are_kept_in_the_order_in_which_they_are_told(tmp_path):
    project, document, problems = started(tmp_path / "a.segdesk")
    kept = []
    project.kept.connect(kept.append)
    for number in range(5):
        stroke(document, number)
    assert project.flush()
    assert kept == sorted(kept)
    assert kept[-1] == project.sequence
    state = freeze(document)
    project.close()
    assert problems == []
    assert reopened(tmp_path / "a.segdesk") == state


@pytest.mark.parametrize("fault", ["full", "broken"])
def test_an_error_while_writing_is_told_once_and_tried_again(tmp_path, monkeypatch, fault):
    project, document, problems = started(tmp_path / "a.segdesk")
    assert project.flush()
    with monkeypatch.context() as patch:

        def fail(*_):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error if fault == "full" else OSError(5, "Input/output error")

        patch.setattr(store, "transaction", fail)
        for number in range(3):
            stroke(document, number)
            assert not project.flush()
        (problem,) = problems
        assert ("disk is full" if fault == "full" else "Input/output error") in problem
        assert "kept in memory" in project.problem
        with pytest.raises(ProjectError, match="could not be written"):
            project.close()
    project.retry()
    assert project.flush()
    assert project.problem == ""
    state = freeze(document)
    project.close()
    assert reopened(tmp_path / "a.segdesk") == state


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_in_the_program_does_not_stop_the_writing(tmp_path, monkeypatch):
    project, document, problems = started(tmp_path / "a.segdesk")
    with monkeypatch.context() as patch:
        patch.setattr(store, "transaction", lambda db: 1 / 0)
        stroke(document, 1)
        assert not project.flush()
    assert "ZeroDivisionError" in problems[0]
    stroke(document, 2)
    assert project.flush()
    assert project.problem == ""
    state = freeze(document)
    project.close()
    assert reopened(tmp_path / "a.segdesk") == state


def test_an_error_at_the_nth_statement_loses_nothing(tmp_path, monkeypatch):
    """The n-th write fails, n from the first to the last of an edit; the next attempt works."""
    project, document, problems = started(tmp_path / "a.segdesk")
    left = [0]

    class Failing:
        def __init__(self, db):
            self._db = db

        def __getattr__(self, name):
            attribute = getattr(self._db, name)
            if name not in ("execute", "executemany"):
                return attribute

            def call(*arguments):
                left[0] -= 1
                if left[0] == 0:
                    raise sqlite3.OperationalError("disk I/O error")
                return attribute(*arguments)

            return call

    connect = store.connect_writer
    monkeypatch.setattr(store, "connect_writer", lambda path: Failing(connect(path)))
    project._store.reopen()
    failures = number = 0
    while True:
        number += 1
        left[0] = number
        told = len(problems)
        stroke(document, number % 20)
        assert project.flush() or project.flush()
        if len(problems) == told:
            break
        failures += 1
        assert check(project.path).findings == ()
    print(f"\n{failures} failures at each statement of a write, nothing lost")
    assert failures >= 10
    assert len(problems) == failures
    left[0] = 0
    state = freeze(document)
    project.close()
    assert reopened(tmp_path / "a.segdesk") == state


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk")
def test_a_disk_that_is_really_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=700k", "segdesk", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        project, document, problems = started(disk / "a.segdesk", (2000, 2000))
        assert project.flush()
        (disk / "ballast").write_bytes(b"x" * 100_000)
        noise, strokes = np.random.default_rng(0), 0
        while not problems:
            ids = noise.integers(0, 2, (300, 300))
            segment = paint(document, document.layers[0], Window(0, 0, 5, 5), 1)
            with document.edit("Noise") as edit:
                edit.paint(document.layers[0], Window(50, 50, 300, 300), ids * segment)
            strokes += 1
            project.flush()
        print(f"\nfull after {strokes} strokes: {problems[0]}")
        assert "the disk is full" in problems[0]
        stroke(document, 3)
        state = freeze(document)
        project.save_as(tmp_path / "elsewhere.segdesk")
        project.close()
        assert reopened(tmp_path / "elsewhere.segdesk") == state
        assert check(disk / "a.segdesk").findings == ()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.skipif(os.name == "nt", reason="a file that is open cannot be deleted there")
@pytest.mark.parametrize("fault", ["deleted", "replaced", "folder deleted"])
def test_a_file_that_is_deleted_or_replaced_is_written_anew(tmp_path, fault):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "a.segdesk"
    project, document, problems = started(path)
    for number in range(4):
        stroke(document, number)
    assert project.flush()
    document.history.budget = 0
    stroke(document, 5)
    other = tmp_path / "other"
    other.write_bytes(b"somebody else's")
    take_away = {"deleted": path.unlink, "replaced": lambda: other.replace(path)}
    take_away.get(fault, lambda: shutil.rmtree(folder))()
    stroke(document, 6)
    assert project.flush()
    (problem,) = problems
    assert str(path) in problem
    assert (project.path == path) == (fault == "deleted")
    state = freeze(document)
    while document.undo():
        pass
    while document.redo():
        pass
    assert freeze(document) == state
    project.close()
    assert reopened(project.path) == state
    if fault == "replaced":
        assert path.read_bytes() == b"somebody else's"


def test_unsaved_work_is_offered_once_its_process_is_gone(tmp_path):
    code = (
        "import os, numpy as np\n"
        "from tests.engine.project.test_faults import started, stroke\n"
        "project, document, _ = started()\n"
        "stroke(document, 1)\n"
        "assert project.flush()\n"
        "os._exit(9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 9, ended.stderr
    (found,) = list_unsaved()
    assert (found.images, found.steps, found.problem) == (("array",), 2, "")
    project = open_project(found.path)
    assert project.is_unsaved
    assert list_unsaved() == []  # it is open
    document = project.document(1)
    assert document.history.names == ("Add layer", "Brush stroke")
    project.save_as(tmp_path / "mine.segdesk")
    project.close()
    assert list(unsaved_folder().iterdir()) == []


def test_work_that_is_discarded_leaves_nothing(tmp_path):
    project, _, _ = started()
    project.close(discard=True)
    assert list(unsaved_folder().iterdir()) == []
    project, document, _ = started()
    stroke(document, 1)
    project.close()
    (found,) = list_unsaved()
    discard_unsaved(found.path)
    assert list(unsaved_folder().iterdir()) == []


def test_looking_at_an_image_leaves_nothing():
    with Project() as project:
        document = project.add(ArrayImage(np.zeros((9, 9, 3), np.uint8)))
        project.set_view(1, {"zoom": 2})
        assert project.image_of(document).view == {"zoom": 2}
    assert not unsaved_folder().exists()


def test_the_clock_does_not_matter(tmp_path, monkeypatch):
    project, document, _ = started(tmp_path / "a.segdesk")
    for number, now in enumerate((0.0, 4e9, -1e9, 1e9)):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        stroke(document, number)
        project.flush()
    names, state = document.history.names, freeze(document)
    project.close()
    with open_project(tmp_path / "a.segdesk") as project:
        assert project.document(1).history.names == names
        assert freeze(project.document(1)) == state
