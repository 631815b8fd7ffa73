"""The dialog of the checkpoints, and their list in the segmenter panel."""

import huggingface_hub.constants
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QComboBox, QFileDialog

from segdesk.engine.checkpoints.store import installed
from segdesk.engine.offline import is_offline
from segdesk.gui.checkpointing import Checkpointing
from segdesk.gui.choice import Choice
from segdesk.gui.dialogs.checkpoints import CheckpointsDialog
from segdesk.gui.panels.segmenter import CheckpointRow
from tests.gui.windows import shown_window
from tests.plugins.hub_server import running_hub
from tests.plugins.tiny_models import only_pickle, save, segformer

PATIENCE = 15_000  # ms


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = save(segformer(), tmp_path_factory.mktemp("models") / "segformer")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    return folder


@pytest.fixture
def hub(tiny, tmp_path, monkeypatch):
    with running_hub({"org/tiny": [tiny]}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("SEGDESK_OFFLINE", "0")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        yield server


@pytest.fixture
def checkpoints():
    found = Checkpointing()
    yield found
    found.close()


@pytest.fixture
def dialog(qtbot, checkpoints):
    dialog = CheckpointsDialog(checkpoints)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def rows(tree):
    items = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
    return [[item.text(column) for column in range(tree.columnCount())] for item in items]


def drop(dialog, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    nothing = Qt.KeyboardModifier.NoModifier
    button, action = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction
    dialog.dropEvent(QDropEvent(QPointF(5, 5), action, data, button, nothing))


def choose(tree, row=0):
    tree.setCurrentItem(tree.topLevelItem(row))


def says(dialog, qtbot, words):
    qtbot.waitUntil(lambda: words in dialog.outcome.text(), timeout=PATIENCE)


def test_a_folder_that_is_dropped_is_installed_checked_packed_and_removed(
    dialog, qtbot, tiny, tmp_path, monkeypatch
):
    drop(dialog, tiny)
    says(dialog, qtbot, "segformer is installed.")
    qtbot.waitUntil(lambda: bool(rows(dialog.here.list)))
    (row,) = rows(dialog.here.list)
    assert [row[0], row[1], row[3], row[4]] == ["segformer", "semantic", "apache-2.0", "folder"]
    assert row[2].endswith(" MB")
    choose(dialog.here.list)
    dialog.here.buttons["verify"].click()
    says(dialog, qtbot, "segformer: whole, all weights finite, 4 hashes compared.")
    target = tmp_path / "tiny.segpack"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    dialog.here.buttons["pack"].click()
    says(dialog, qtbot, f"{target} is written.")
    dialog.here.may_remove = lambda _: False
    dialog.here.buttons["remove"].click()
    assert len(installed()) == 1
    dialog.here.may_remove = lambda _: True
    dialog.here.buttons["remove"].click()
    says(dialog, qtbot, "segformer is removed.")
    qtbot.waitUntil(lambda: not rows(dialog.here.list))
    assert not dialog.here.buttons["remove"].isEnabled()
    drop(dialog, target)
    says(dialog, qtbot, "segformer is installed.")
    assert installed()[0].source == "pack"


def test_pickles_are_asked_for(dialog, qtbot, tmp_path):
    folder = save(segformer(), tmp_path / "old")
    only_pickle(folder)
    asked, answers = [], [False, True]
    dialog.may_open_pickle = lambda name: asked.append(name) or answers.pop(0)
    drop(dialog, folder)
    qtbot.waitUntil(lambda: asked == ["old"], timeout=PATIENCE)
    assert installed() == []
    drop(dialog, folder)
    says(dialog, qtbot, "old is installed.")
    assert asked == ["old", "old"]


def test_a_failure_is_said_and_nothing_is_installed(dialog, qtbot, tmp_path):
    (tmp_path / "config.json").write_text("{")
    drop(dialog, tmp_path)
    says(dialog, qtbot, "preprocessor_config.json, model.safetensors is missing")
    assert installed() == []
    assert not dialog.stop.isVisible()


def test_search_shows_task_size_and_licence_before_anything_is_fetched(hub, dialog, qtbot, tiny):
    dialog.tabs.setCurrentWidget(dialog.hub)
    dialog.hub.task.setCurrentText("Semantic")
    dialog.hub.search.click()
    qtbot.waitUntil(lambda: bool(rows(dialog.hub.list)), timeout=PATIENCE)
    assert rows(dialog.hub.list)[0][:2] == ["org/tiny", "semantic"]
    assert not dialog.hub.fetch.isEnabled()
    choose(dialog.hub.list)
    qtbot.waitUntil(dialog.hub.fetch.isEnabled, timeout=PATIENCE)
    size = sum(file.stat().st_size for file in tiny.iterdir()) / 1e6
    assert f"{size:.1f} MB in 4 files, licence apache-2.0" in dialog.hub.details.text()
    assert installed() == []
    dialog.hub.fetch.click()
    says(dialog, qtbot, "org/tiny is here.")
    qtbot.waitUntil(lambda: [row[0] for row in rows(dialog.here.list)] == ["org/tiny"])


def test_a_download_is_stopped_and_gone_on_with(hub, dialog, qtbot, checkpoints, monkeypatch):
    monkeypatch.setattr("segdesk.engine.checkpoints.download._CHUNK", 2**12)
    started = []
    checkpoints.job_started.connect(lambda job: started.append(job.title))
    dialog.hub.search.click()
    qtbot.waitUntil(lambda: bool(rows(dialog.hub.list)), timeout=PATIENCE)
    choose(dialog.hub.list)
    qtbot.waitUntil(dialog.hub.fetch.isEnabled, timeout=PATIENCE)
    hub.pause = 0.2
    dialog.hub.fetch.click()
    qtbot.waitUntil(lambda: "Downloading" in dialog.outcome.text(), timeout=PATIENCE)
    dialog.stop.click()
    says(dialog, qtbot, "Stopped.")
    assert installed() == []
    hub.pause = 0
    dialog.hub.fetch.click()
    says(dialog, qtbot, "org/tiny is here.")
    assert started[-2:] == ["Fetching org/tiny"] * 2


def test_offline_is_a_box_and_then_the_hub_is_not_asked(hub, dialog, qtbot):
    assert not dialog.offline.isChecked() and dialog.hub.search.isEnabled()
    dialog.offline.click()
    assert is_offline()
    assert not dialog.hub.search.isEnabled()
    assert "Offline mode is on" in dialog.hub.details.text()
    dialog.offline.click()
    assert not is_offline() and dialog.hub.search.isEnabled()
    assert hub.asked == []


def test_a_hub_out_of_reach_is_said(hub, dialog, qtbot, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    dialog.hub.search.click()
    says(dialog, qtbot, "the Hub cannot be reached")


def test_the_panel_lists_what_is_installed_for_its_segmenter(qtbot, checkpoints, dialog, tiny):
    choice = Choice()
    choice.choose("semantic")
    row = CheckpointRow(choice, checkpoints)
    qtbot.addWidget(row)
    row.show()
    drop(dialog, tiny)
    says(dialog, qtbot, "is installed.")
    combo = row.findChild(QComboBox)
    qtbot.waitUntil(lambda: combo.itemData(0) == "segformer", timeout=PATIENCE)
    assert combo.count() == 1 + len(choice.spec.checkpoints)
    assert not checkpoints.suiting("panoptic")
    combo.activated.emit(0)
    assert choice.checkpoint == "segformer"


def test_what_is_being_typed_stays(qtbot, checkpoints):
    choice = Choice()
    choice.choose("semantic")
    row = CheckpointRow(choice, checkpoints)
    qtbot.addWidget(row)
    row.show()
    line = row.findChild(QComboBox).lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "org/ti")
    with qtbot.waitSignal(checkpoints.changed, timeout=PATIENCE):
        checkpoints.refresh()
    assert line.text() == "org/ti"


def test_the_window_has_an_action_for_it(qtbot, monkeypatch):
    shown = []
    monkeypatch.setattr(CheckpointsDialog, "exec", lambda dialog: shown.append(dialog))
    with shown_window(qtbot) as window:
        window.actions_["checkpoints"].trigger()
        assert shown[0].windowTitle() == "Checkpoints"
