"""``segdesk checkpoints``: from a folder to a pack to another machine; the Hub; what is refused."""

import io
import json
import sys

import huggingface_hub.constants
import pytest

from segdesk.engine.checkpoints.store import installed
from tests.plugins.hub_server import running_hub
from tests.plugins.tiny_models import only_pickle, save, segformer


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
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        yield server


@pytest.fixture
def call(segdesk):
    """Call ``segdesk checkpoints`` with --json; gives what it prints."""

    def call(*arguments):
        code, out, err = segdesk("checkpoints", *arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return call


def test_a_pack_goes_to_another_machine_and_is_used_there_by_name(
    tiny, tmp_path, monkeypatch, segdesk, call, image
):
    pack = tmp_path / "tiny.segpack"
    told = call("pack", tiny, "--out", pack, "--name", "org/tiny")
    assert told == {"file": str(pack), "size": pack.stat().st_size}
    monkeypatch.setenv("SEGDESK_HOME", str(tmp_path / "other"))
    assert call("import", pack)["name"] == "org/tiny"
    (listed,) = call("list", "--task", "semantic")["checkpoints"]
    assert (listed["licence"], listed["source"]) == ("apache-2.0", "pack")
    assert call("list", "--task", "panoptic") == {"checkpoints": []}
    (checked,) = call("verify")["checkpoints"]
    assert checked == {"name": "org/tiny", "error": "", "hashes": len(list(tiny.iterdir()))}
    arguments = ("--segmenter", "semantic", "--checkpoint", "org/tiny", "--device", "cpu")
    code, _, err = segdesk("segment", image, *arguments, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert (tmp_path / "out" / "photo.png").is_file()
    call("remove", "org/tiny", "--yes")
    assert installed() == []


def test_tables_for_people(tiny, segdesk):
    assert segdesk("checkpoints", "import", tiny, "--name", "my/tiny")[1].startswith(
        "my/tiny is installed (semantic, "
    )
    _, out, _ = segdesk("checkpoints", "list")
    assert [row.split()[0] for row in out.splitlines()] == ["name", "my/tiny"]
    assert "apache-2.0" in out and "semantic" in out and "folder" in out
    _, out, _ = segdesk("checkpoints", "verify", "my/tiny")
    assert out == "my/tiny: whole, all weights finite, 4 hashes compared\n"


def test_damage_is_an_error_for_the_one_and_no_end_for_the_others(tiny, segdesk):
    for name in ("good", "bad"):
        segdesk("checkpoints", "import", tiny, "--name", name)
    (damaged,) = [o.path / "model.safetensors" for o in installed() if o.name == "bad"]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    code, out, err = segdesk("checkpoints", "verify")
    assert code == 1
    assert out.startswith("good: whole")
    assert str(damaged) in err and err.count("\n") == 1


def test_from_the_hub(hub, call, segdesk):
    (found,) = call("search", "tiny", "--task", "semantic", "--largest", "1GB")["models"]
    assert (found["name"], found["licence"]) == ("org/tiny", "apache-2.0")
    assert "org/tiny" in segdesk("checkpoints", "search")[1]
    assert installed() == []
    code, out, _ = segdesk("checkpoints", "get", "org/tiny")
    first, last = out.splitlines()
    assert code == 0
    assert first.startswith("org/tiny: semantic, ") and first.endswith(" MB, licence apache-2.0")
    assert last.startswith("org/tiny is here")
    assert installed()[0].revision == "0" * 40


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 130), ("\n", 130)])
def test_it_asks_before_it_fetches_or_deletes(answer, code, hub, segdesk, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert segdesk("checkpoints", "get", "org/tiny")[0] == code
    assert len(installed()) == (code == 0)
    segdesk("checkpoints", "get", "org/tiny", "--yes")
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert segdesk("checkpoints", "remove", "org/tiny")[0] == code
    assert len(installed()) == (code != 0)


def test_nothing_is_deleted_where_nobody_can_be_asked(tiny, segdesk, monkeypatch):
    segdesk("checkpoints", "import", tiny, "--name", "tiny")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    code, _, err = segdesk("checkpoints", "remove", "tiny")
    assert (code, "add --yes" in err, len(installed())) == (2, True, 1)


def test_pickles_need_a_flag(tmp_path, segdesk):
    folder = save(segformer(), tmp_path / "old")
    only_pickle(folder)
    code, _, err = segdesk("checkpoints", "import", folder)
    assert code == 1
    assert "pytorch_model.bin is a pickle" in err and "--allow-pickled" in err
    assert segdesk("checkpoints", "import", folder, "--allow-pickled")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("frobnicate",), "no action 'frobnicate'. Known: list, search"),
        (("get",), "required: HUB_ID"),
        (("remove", "absent", "--yes"), "no checkpoint 'absent'"),
        (("verify", "absent"), "no checkpoint 'absent'"),
        (("search", "--largest", "huge"), "'huge' is no size"),
        (("list", "--task", "none"), "invalid choice"),
    ],
)
def test_wrong_usage_is_one_line(arguments, words, segdesk):
    code, _, err = segdesk("checkpoints", *arguments)
    assert code == 2
    assert words in err and err.count("\n") == 1


def test_help_names_the_actions(segdesk):
    code, out, _ = segdesk("checkpoints", "--help")
    assert code == 0
    assert all(f"\n  {name} " in out for name in ("list", "search", "verify"))
    assert segdesk("checkpoints")[:2] == (code, out)
