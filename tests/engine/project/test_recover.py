"""Damage of every kind: what is whole is saved, what is not is listed, the original stays."""

import random
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from segdesk.core.errors import ProjectError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine import edits
from segdesk.engine.project.check import check
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project
from segdesk.engine.project.recover import recover
from tests.engine.frozen import add_layer, freeze, paint
from tests.engine.project.damage import layers_of, make_project, saved, share_saved

PAGE = 4096


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a project, and what is in it."""
    path = tmp_path_factory.mktemp("whole") / "whole.segdesk"
    content = make_project(path)
    return path.read_bytes(), content


def attempt(path, data, content):
    """Recover damaged bytes; return the share that was saved, None where nothing was."""
    path.write_bytes(data)
    out = path.with_name("out.segdesk")
    out.unlink(missing_ok=True)
    try:
        found = recover(path, out)
    except ProjectError as error:
        assert "Nothing in" in str(error)
        return None, ()
    finally:
        assert path.read_bytes() == data
    assert check(out).findings == ()
    right, total = share_saved(content, saved(out))
    assert right == total or found.losses
    return right / total, found.losses


def report(what, shares):
    got = [share for share in shares if share is not None]
    print(
        f"\n{what}: {len(shares)} files, {len(got)} of which something was saved, pixels saved"
        f" {100 * min(got, default=0):.0f} % to {100 * max(got, default=0):.0f} %, on average"
        f" {100 * sum(got) / max(1, len(got)):.1f} %"
    )


def test_a_whole_project_is_recovered_whole(tmp_path, whole):
    share, losses = attempt(tmp_path / "a.segdesk", *whole)
    assert (share, losses) == (1, ())
    with open_project(tmp_path / "out.segdesk") as project:
        assert all(len(project.document(i).history.names) == 21 for i in (1, 2))


def test_truncated_at_each_percent(tmp_path, whole):
    data, content = whole
    shares = []
    for percent in range(100):
        share, losses = attempt(tmp_path / "a.segdesk", data[: len(data) * percent // 100], content)
        assert share is None or any("cut off" in loss for loss in losses)
        shares.append(share)
    report("truncated", shares)
    assert [share for share in shares if share is not None][-1] > 0.9


@pytest.mark.parametrize("count", [1, 8, 64])
def test_flipped_bytes(tmp_path, whole, count):
    data, content = whole
    chance, shares = random.Random(count), []
    for _ in range(12):
        damaged = bytearray(data)
        for place in chance.sample(range(len(data)), count):
            damaged[place] ^= 1 << chance.randrange(8)
        shares.append(attempt(tmp_path / "a.segdesk", bytes(damaged), content)[0])
    report(f"{count} flipped bytes", shares)
    assert sum(share or 0 for share in shares) / len(shares) > (0.8 if count < 64 else 0.3)


def test_zeroed_pages(tmp_path, whole):
    data, content = whole
    shares = []
    pages = range(0, len(data), PAGE)
    for start in pages[:: max(1, len(pages) // 30)]:
        damaged = data[:start] + bytes(PAGE) + data[start + PAGE :]
        shares.append(attempt(tmp_path / "a.segdesk", damaged, content)[0])
    report("a zeroed page", shares)
    assert all(share is not None and share > 0.3 for share in shares)
    assert sum(shares) / len(shares) > 0.9


def test_the_first_page_with_the_list_of_tables_is_not_needed(tmp_path, whole):
    data, content = whole
    share, _ = attempt(tmp_path / "a.segdesk", bytes(PAGE) + data[PAGE:], content)
    assert share == 1


@pytest.mark.parametrize("data", [b"", b"no project", bytes(9000), b"\x0d" * 70000])
def test_what_holds_nothing_is_said_to_hold_nothing(tmp_path, data):
    path = tmp_path / "a.segdesk"
    path.write_bytes(data)
    with pytest.raises(ProjectError, match=r"Nothing in .* can be read"):
        recover(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.segdesk"]
    assert path.read_bytes() == data


def test_what_was_not_moved_into_the_file_yet_is_recovered_too(tmp_path, whole):
    """As after a kill: the last edits are beside the file."""
    path = tmp_path / "a.segdesk"
    path.write_bytes(whole[0])
    project = open_project(path)
    document = project.document(1)
    document.undo()
    assert project.flush()
    wal = path.with_name(path.name + "-wal")
    copy = tmp_path / "copy.segdesk"
    copy.write_bytes(path.read_bytes())
    copy.with_name(copy.name + "-wal").write_bytes(wal.read_bytes())
    expected = layers_of(document)
    project.close()
    recover(copy, tmp_path / "out.segdesk")
    right, total = share_saved({1: expected}, saved(tmp_path / "out.segdesk"))
    assert right == total


def test_a_new_name_is_found_and_none_is_overwritten(tmp_path, whole):
    path = tmp_path / "a.segdesk"
    path.write_bytes(whole[0])
    assert recover(path).path.name == "a-recovered.segdesk"
    assert recover(path).path.name == "a-recovered-2.segdesk"
    with pytest.raises(ProjectError, match="there already"):
        recover(path, path)
    assert path.read_bytes() == whole[0]


@pytest.mark.parametrize("table", ["tile", "segment"])
def test_what_the_steps_tell_of_is_put_back(tmp_path, table):
    """A whole table is lost, and everything on it was painted by hand."""
    path = tmp_path / "a.segdesk"
    with Project() as project:
        document = project.add(ArrayImage(np.zeros((600, 500, 3), np.uint8)))
        layer = add_layer(document, "instance")
        for number in range(9):
            paint(document, layer, Window(40 * number, 50 * number, 90, 60), 1 + number % 2)
        edits.delete_segments(document, layer.id, {3, 4})
        document.undo()
        document.undo()
        expected, names = freeze(document), document.history.names
        project.save_as(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"DELETE FROM {table}")
        db.commit()
    assert check(path).findings
    found = recover(path, tmp_path / "out.segdesk")
    assert found.losses == ()
    with open_project(found.path) as project:
        document = project.document(1)
        assert freeze(document) == expected
        assert document.history.names == names
        assert document.redo() and document.redo()
        assert not {3, 4} & document.layers[0].segments.keys()
