"""``segdesk plugins``: the list, and switching plugins off and on."""

import json

import pytest

from segdesk.engine.folders import plugin_folder
from segdesk.engine.registry import forget_plugins


@pytest.fixture
def plugins(segdesk):
    """Call ``segdesk plugins --json``; gives the plugins by name."""
    forget_plugins()

    def call(*arguments):
        code, out, err = segdesk("plugins", "--json", *arguments)
        assert (code, err) == (0, "")
        return {plugin["name"]: plugin for plugin in json.loads(out)["plugins"]}

    yield call
    forget_plugins()


def test_own_plugins_are_listed_with_what_they_offer(plugins):
    masks = plugins()["masks"]
    assert masks["status"] == "loaded"
    assert masks["source"].startswith("segdesk ")
    assert masks["offers"] == ["writer png", "writer masks", "writer coco", "writer overlay"]


def test_a_broken_plugin_is_named_with_its_reason(plugins, segdesk):
    plugin_folder().mkdir(parents=True)
    (plugin_folder() / "mine.py").write_text("import nowhere", "utf-8")
    mine = plugins()["mine"]
    assert mine["status"] == "broken"
    assert mine["reason"] == "ModuleNotFoundError: No module named 'nowhere'"
    code, out, _ = segdesk("plugins")
    assert code == 0
    assert "No module named 'nowhere'" in out
    assert str(plugin_folder()) in out


def test_plugins_are_disabled_and_enabled(plugins):
    off = plugins("--disable", "masks")["masks"]
    assert (off["status"], off["offers"]) == ("disabled", [])
    assert plugins("--enable", "masks")["masks"]["status"] == "loaded"


def test_a_plugin_that_is_not_there(segdesk):
    code, _, err = segdesk("plugins", "--disable", "nowhere")
    assert code == 2
    assert "There is no plugin 'nowhere'" in err and err.count("\n") == 1
