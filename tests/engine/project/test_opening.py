"""Who may write to a project, and which files are opened at all."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from segdesk.core.errors import ProjectError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine.images import open_image
from segdesk.engine.project import schema
from segdesk.engine.project.check import check
from segdesk.engine.project.journal import list_unsaved, unsaved_folder
from segdesk.engine.project.lock import Lock, Locked, is_free, lock_path
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project
from tests.engine.frozen import add_layer, freeze, paint


@pytest.fixture
def path(tmp_path):
    """A project with one layer on a blank image."""
    path = tmp_path / "a.segdesk"
    save(path)
    return path


def save(path):
    with Project() as project:
        add_layer(project.add(ArrayImage(np.zeros((40, 50, 3), np.uint8))), "instance")
        project.save_as(path)


def test_a_second_window_gets_a_copy_and_says_so(path, tmp_path):
    first = open_project(path)
    paint(first.document(1), first.document(1).layers[0], Window(0, 0, 9, 9), 1)
    assert first.flush()
    second = open_project(path)
    assert second.read_only_origin == f"it is open in another window (process {os.getpid()})"
    assert second.is_unsaved
    assert not second.has_work
    assert freeze(second.document(1)) == freeze(first.document(1))
    paint(second.document(1), second.document(1).layers[0], Window(9, 9, 9, 9), 2)
    state = freeze(second.document(1))
    with pytest.raises(ProjectError, match="open in another window"):
        second.save_as(path)
    second.save_as(tmp_path / "b.segdesk")
    assert (second.read_only_origin, second.is_unsaved) == ("", False)
    second.close()
    first.close()
    with open_project(path) as project:
        assert project.read_only_origin == ""
        assert freeze(project.document(1)) != state
    with open_project(tmp_path / "b.segdesk") as project:
        assert freeze(project.document(1)) == state


def test_a_copy_that_nobody_edits_goes_away(path):
    with open_project(path), open_project(path) as second:
        assert second.read_only_origin
        assert second.document(1).layers
    assert list(unsaved_folder().iterdir()) == []


def test_a_lock_ends_with_its_process(path):
    code = f"""
import sys
from pathlib import Path
from segdesk.engine.project.lock import Lock
lock = Lock(Path({str(path)!r}))
print("locked", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "locked\n"
        assert not is_free(path)
        with pytest.raises(Locked, match=f"process {child.pid}"):
            Lock(path)
        child.kill()
        child.wait()
    assert lock_path(path).exists()
    assert is_free(path)
    with open_project(path) as project:
        assert not project.read_only_origin
    assert not lock_path(path).exists()


def test_one_of_many_processes_gets_the_lock(path):
    code = f"""
import time
from pathlib import Path
from segdesk.engine.project.lock import Lock, Locked
wins = 0
while wins < 60:
    try:
        lock = Lock(Path({str(path)!r}))
    except Locked:
        time.sleep(0.0003)
        continue
    inside = Path({str(path)!r} + ".inside")
    inside.touch(exist_ok=False)
    inside.unlink()
    lock.release()
    wins += 1
"""
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a read-only folder")
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_read_only_folder(path, tmp_path, is_killed):
    """Also with edits that a killed process has left beside the file."""
    folder = tmp_path / "folder"
    folder.mkdir()
    inside = folder / path.name
    shutil.copyfile(path, inside)
    if is_killed:
        project = open_project(path)
        paint(project.document(1), project.document(1).layers[0], Window(0, 0, 9, 9), 1)
        assert project.flush()
        for ending in ("", "-wal"):
            shutil.copyfile(f"{path}{ending}", f"{inside}{ending}")
        project.close()
    bind = ["mount", "--bind", folder, folder]
    if shutil.which("mount") is None or subprocess.run(bind, capture_output=True).returncode:
        pytest.skip("a folder cannot be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        with open_project(inside) as project:
            assert "read-only" in project.read_only_origin
            layer = project.document(1).layers[0]
            assert sum(layer.areas.values()) == (81 if is_killed else 0)
            paint(project.document(1), layer, Window(20, 20, 5, 5), 1)
            project.save_as(tmp_path / "b.segdesk")
        assert check(inside).findings == ()
        with pytest.raises(ProjectError, match="cannot be written"):
            Project().save_as(inside)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
    assert check(tmp_path / "b.segdesk").findings == ()


def test_a_read_only_file(path):
    path.chmod(0o444)
    if os.access(path, os.W_OK):
        pytest.skip("this user may write to every file")
    with open_project(path) as project:
        assert project.read_only_origin == "the file is read-only"


def test_a_newer_project_is_refused(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="newer SegDesk"):
        open_project(path)
    with pytest.raises(ProjectError, match="newer SegDesk"):
        check(path)
    assert path.read_bytes() == before


def test_all_frames_of_a_stack_that_is_in_no_file_are_kept(tmp_path):
    stack = np.random.default_rng(0).integers(0, 255, (3, 40, 50, 2), dtype=np.uint8)
    with Project() as project:
        add_layer(project.add(ArrayImage(stack, "stack")))
        project.save_as(tmp_path / "stack.segdesk")
    assert check(tmp_path / "stack.segdesk").findings == ()
    with open_project(tmp_path / "stack.segdesk") as project:
        image = project.document(1).image
        for frame, pixels in enumerate(stack):
            np.testing.assert_array_equal(image.read(image.info.window, 0, frame), pixels)


def test_an_older_project_is_brought_up_to_date(path):
    """The next version of the program opens a file of this one, and keeps all that is in it."""
    added = 'CREATE TABLE bookmark (image INTEGER PRIMARY KEY, "window" TEXT, crc INTEGER);'
    with patch.object(schema, "MIGRATIONS", (*schema.MIGRATIONS, added)):
        with open_project(path) as project:
            assert [layer.state.name for layer in project.document(1).layers] == ["By hand"]
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (2,)
            assert db.execute("SELECT count(*) FROM bookmark").fetchone() == (0,)
        assert check(path).findings == ()
    with pytest.raises(ProjectError, match="newer SegDesk"):
        open_project(path)


def test_a_migration_that_fails_changes_nothing(path):
    broken = "CREATE TABLE bookmark (image INTEGER);\nINSERT INTO nowhere VALUES (1);"
    with (
        patch.object(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken)),
        pytest.raises(ProjectError, match="damaged"),
    ):
        open_project(path)
    assert check(path).findings == ()
    with open_project(path) as project:
        assert len(project.document(1).layers) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"P5 no project", "is no SegDesk project"),
        (None, "there is no such file"),
    ],
)
def test_what_is_no_project(tmp_path, data, message):
    path = tmp_path / "a.segdesk"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ProjectError, match=message):
        open_project(path)
    assert [p.name for p in tmp_path.iterdir()] == ([] if data is None else ["a.segdesk"])


def test_a_strange_database_and_strange_tables_are_refused(tmp_path, path):
    other = tmp_path / "other.segdesk"
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE t (a)")
    with pytest.raises(ProjectError, match="is no SegDesk project"):
        open_project(other)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON step BEGIN DELETE FROM tile; END")
    with pytest.raises(ProjectError, match="other tables"):
        open_project(path)


def test_long_and_foreign_names(tmp_path):
    name = "Präparat 肝 🔬 " + "x" * 150
    folder = tmp_path / ("ordner é" + "y" * 60)
    folder.mkdir()
    path = folder / f"{name}.segdesk"
    long = folder / ("z" * 239 + ".segdesk")
    for file in (path, long):
        save(file)
        with open_project(file) as project:
            paint(project.document(1), project.document(1).layers[0], Window(0, 0, 9, 9), 1)
        assert check(file).findings == ()
    assert sorted(p.name for p in folder.iterdir()) == sorted([path.name, long.name])


def test_a_path_that_is_too_long_is_said_to_be(tmp_path):
    path = tmp_path / ("x" * 200) / ("y" * 200) / ("z" * 200 + ".segdesk")
    path.parent.mkdir(parents=True)
    with pytest.raises(ProjectError, match="too long"):
        save(path)
    assert list(path.parent.iterdir()) == []
    path.write_bytes(b"SQLite format 3\0")
    with pytest.raises(ProjectError, match="too long"):
        open_project(path)


def test_a_link_to_a_project_is_the_project(path, tmp_path):
    link = tmp_path / "links" / "link.segdesk"
    link.parent.mkdir()
    try:
        link.symlink_to(path)
    except OSError:
        pytest.skip("links cannot be made here")
    with open_project(link) as project:
        assert project.path == path
        with open_project(path) as second:
            assert second.read_only_origin
        project.save_as(link)
    assert link.is_symlink()
    assert list_unsaved() == []


def test_images_are_found_where_they_were_or_where_they_went(tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    Image.fromarray(np.full((40, 50, 3), 7, np.uint8)).save(here / "photo.png")
    path = here / "a.segdesk"
    with Project() as project:
        add_layer(project.add(open_image(here / "photo.png")))
        project.save_as(path)
    moved = tmp_path / "there"
    here.rename(moved)
    with open_project(moved / "a.segdesk") as project:
        assert (project.document(1).image.read(Window(0, 0, 2, 2)) == 7).all()
        assert project.images[0].problem == ""
        assert project.images[0].link.path == str(moved / "photo.png")
    (moved / "photo.png").rename(tmp_path / "renamed.png")
    with open_project(moved / "a.segdesk") as project:
        document = project.document(1)
        assert "photo.png is missing" in project.images[0].problem
        assert len(document.layers) == 1
        assert not document.image.read(Window(0, 0, 2, 2)).any()
        project.relink(1, tmp_path / "renamed.png")
        assert (document.image.read(Window(0, 0, 2, 2)) == 7).all()
    with open_project(moved / "a.segdesk") as project:
        project.document(1)
        assert project.images[0].problem == ""


def test_another_image_in_its_place_is_taken_only_when_asked_for(tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.full((40, 50, 3), 7, np.uint8)).save(photo)
    path = tmp_path / "a.segdesk"
    with Project() as project:
        add_layer(project.add(open_image(photo)))
        project.save_as(path)
    Image.fromarray(np.full((40, 50, 3), 9, np.uint8)).save(photo)
    with open_project(path) as project:
        document = project.document(1)
        assert "has changed since" in project.images[0].problem
        with pytest.raises(ProjectError, match="content differs"):
            project.relink(1, photo)
        project.relink(1, photo, changed=True)
        assert (document.image.read(Window(0, 0, 2, 2)) == 9).all()
        Image.fromarray(np.full((41, 50, 3), 9, np.uint8)).save(photo)
        with pytest.raises(ProjectError, match=r"50 x 41 pixels, and .* 50 x 40"):
            project.relink(1, photo, changed=True)


def test_several_images_have_documents_of_their_own(tmp_path):
    path = tmp_path / "a.segdesk"
    with Project() as project:
        for number in (1, 2, 3):
            document = project.add(ArrayImage(np.full((30, 20), number, np.uint8), f"n{number}"))
            layer = add_layer(document, "instance")
            paint(document, layer, Window(0, 0, number, number), 1)
        project.remove(2)
        project.save_as(path)
    with open_project(path) as project:
        assert [image.name for image in project.images] == ["n1", "n3"]
        for image in project.images:
            document = project.document(image.id)
            assert document is project.document(image.id)
            assert document.image.read(Window(0, 0, 1, 1)).item() == image.id
            assert sum(document.layers[0].areas.values()) == image.id**2
            assert document.undo() == "Brush stroke"
    assert check(path).findings == ()
