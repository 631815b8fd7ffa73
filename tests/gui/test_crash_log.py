import sys

import pytest
from PySide6.QtWidgets import QMessageBox

from segdesk.engine.folders import cache_folder
from segdesk.gui.crash_log import CrashLog


@pytest.fixture
def told(qtbot, monkeypatch):
    """What the user was told; and an open log."""
    texts = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: texts.append(box.text()))
    log = CrashLog()
    log.open()
    yield texts
    log.close()


def raised(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def test_an_unforeseen_error_is_told_and_written_down(told):
    sys.excepthook(*raised(ZeroDivisionError("by nothing")))
    (text,) = told
    assert "ZeroDivisionError: by nothing" in text
    written = (cache_folder() / "segdesk.log").read_text("utf-8")
    assert "Traceback" in written
    assert "by nothing" in written


def test_errors_while_the_user_reads_are_only_written_down(told, monkeypatch):
    def exec_(box):
        told.append(box.text())
        if len(told) < 5:
            sys.excepthook(*raised(ValueError("again")))

    monkeypatch.setattr(QMessageBox, "exec", exec_)
    sys.excepthook(*raised(ValueError("first")))
    assert len(told) == 1
    assert "again" in (cache_folder() / "segdesk.log").read_text("utf-8")


def test_the_hook_goes_with_the_window(told):
    hook = sys.excepthook
    log = CrashLog()
    log.open()
    log.close()
    assert sys.excepthook is sys.__excepthook__
    sys.excepthook = hook
