"""``segdesk doctor``: versions, devices with reasons, folders, broken plugins."""

import json
import os

import pytest

from segdesk.cli import doctor
from segdesk.engine.folders import plugin_folder
from segdesk.engine.registry import forget_plugins


@pytest.fixture
def broken_plugin():
    plugin_folder().mkdir(parents=True)
    (plugin_folder() / "mine.py").write_text("import nowhere", "utf-8")
    forget_plugins()
    yield
    forget_plugins()


@pytest.mark.usefixtures("broken_plugin")
def test_the_state_of_this_machine(segdesk):
    code, out, err = segdesk("doctor", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["versions"]["torch"] and found["versions"]["segdesk"]
    assert found["devices"]["cpu"]["available"]
    cuda = found["devices"]["cuda"]
    assert cuda["available"] or cuda["reason"]
    assert found["folders"]["plugins"] == {"path": str(plugin_folder()), "writable": True}
    assert found["machine"]["processors"] == os.cpu_count()
    assert "No module named 'nowhere'" in found["broken_plugins"]["mine"]


def test_lines_say_why_a_device_is_not_used(segdesk, monkeypatch):
    facts = {
        "versions": {"torch": None},
        "devices": {
            "auto": "cuda",
            "cuda": {"available": True, "reason": "", "devices": [{"name": "A1", "gib": 24}]},
            "mps": {"available": False, "reason": "only on Apple computers", "build": ""},
        },
        "folders": {"cache": {"path": "/somewhere", "writable": False}},
        "broken_plugins": {},
    }
    monkeypatch.setattr(doctor, "diagnose", lambda: facts)
    code, out, _ = segdesk("doctor")
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines == [
        "versions",
        "torch not installed",
        "devices",
        "auto cuda",
        "cuda yes; devices A1 24",
        "mps no: only on Apple computers",
        "folders",
        "cache /somewhere (read-only)",
        "broken plugins",
        "none",
    ]


def test_figures_come_when_asked_for(segdesk, monkeypatch):
    figures = {"cpu": {"float32": {"megapixels_per_second": 1.5, "gflops": 80.0}}}
    monkeypatch.setattr(doctor, "diagnose", lambda: {"versions": {"torch": "2"}})
    monkeypatch.setattr(doctor, "self_test", lambda report: figures)
    assert json.loads(segdesk("doctor", "--test", "--json")[1])["self_test"] == figures
    last = segdesk("doctor", "--test")[1].splitlines()[-1]
    assert last.split() == ["cpu", "float32", "1.500", "megapixels/s", "80", "GFLOP/s"]
