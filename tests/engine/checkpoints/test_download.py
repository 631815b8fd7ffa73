"""From the Hub: what is offered, fetched, gone on with, and compared with what was announced."""

import json
import shutil

import pytest

from segdesk.core.errors import Cancelled, CheckpointError, UsageError
from segdesk.core.progress import silent
from segdesk.engine.checkpoints.checking import verify
from segdesk.engine.checkpoints.download import download
from segdesk.engine.checkpoints.finding import find_checkpoint
from segdesk.engine.checkpoints.hub import Query, describe, parse_size, search
from segdesk.engine.checkpoints.store import installed
from tests.plugins.tiny_models import only_pickle

WEIGHTS = "model.safetensors"


def stop_while_downloading(fraction, message):
    """Stop once some bytes of the weights have come."""
    if message.startswith("Downloading") and fraction > 0.4:
        raise Cancelled("Stopped.")


def asked_for(hub, name):
    return [path for path in hub.asked if path.endswith(name)]


def test_task_licence_and_size_are_known_before_anything_is_fetched(hub, tiny):
    offer = describe("org/tiny")
    assert (offer.tasks, offer.licence, offer.model_type) == (
        ("semantic",),
        "apache-2.0",
        "segformer",
    )
    assert offer.size == sum(file.stat().st_size for file in tiny.iterdir())
    assert not any("resolve" in path for path in hub.asked)
    found = download(offer)
    assert (found.size, found.revision, found.source) == (offer.size, "0" * 40, "hub")
    assert verify(found.path) == len(list(tiny.iterdir()))


def test_only_what_is_needed_comes(hub, copied):
    (copied / "evil.py").write_text("1")
    (copied / "optimizer.pt").write_text("1")
    (copied / "tf_model.h5").write_text("1")
    hub.models["org/much"] = [copied]
    found = download(describe("org/much"))
    assert not {"evil.py", "optimizer.pt", "tf_model.h5"} & {f.name for f in found.path.iterdir()}
    assert asked_for(hub, "evil.py") == []


def test_a_download_goes_on_where_it_was_stopped(hub, monkeypatch):
    offer = describe("org/tiny")
    monkeypatch.setattr("segdesk.engine.checkpoints.download._CHUNK", 2**12)
    with pytest.raises(Cancelled):
        download(offer, stop_while_downloading)
    assert installed() == []
    verify(download(offer).path)
    before, after = (start for name, start in hub.starts if name == WEIGHTS)
    assert before == 0 < after
    assert [name for name, _ in hub.starts].count("config.json") == 1


def test_a_transfer_that_breaks_off_says_so_and_can_be_taken_up_again(hub, monkeypatch):
    monkeypatch.setattr("segdesk.engine.checkpoints.download._CHUNK", 2**12)
    hub.dropped.add(WEIGHTS)
    offer = describe("org/tiny")
    with pytest.raises(CheckpointError, match="try again to go on from there"):
        download(offer)
    assert installed() == []
    verify(download(offer).path)
    assert [start > 0 for name, start in hub.starts if name == WEIGHTS] == [False, True]


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_a_wrong_byte_is_found_and_not_kept(name, hub):
    hub.spoilt = {name}
    with pytest.raises(CheckpointError, match=f"{name} is not what the Hub announced"):
        download(describe("org/tiny"))
    assert installed() == []
    hub.spoilt = set()
    verify(download(describe("org/tiny")).path)
    assert [start for file, start in hub.starts if file == name] == [0, 0]


def test_a_newer_revision_takes_the_place_of_the_old_one(hub, copied):
    first = download(describe("org/tiny"))
    (copied / "README.md").write_text("---\nlicense: mit\n---\n")
    hub.models["org/tiny"].append(copied)
    hub.head = 1
    second = download(describe("org/tiny"))
    assert (first.licence, second.licence) == ("apache-2.0", "mit")
    assert installed() == [second]
    assert second.revision == f"{1:040}"


def test_what_is_here_is_not_fetched_again_unless_it_is_damaged(hub):
    offer = describe("org/tiny")
    first = download(offer)
    hub.starts.clear()
    assert download(offer).path == first.path
    assert hub.starts == []
    (first.path / WEIGHTS).write_bytes(b"")
    verify(download(offer).path)
    assert WEIGHTS in dict(hub.starts)


def test_pickles_are_fetched_and_converted_after_a_consent_only(hub, copied, tiny):
    only_pickle(copied)
    hub.models["org/pickled"] = [copied]
    with pytest.raises(CheckpointError, match="others could run code when opened"):
        describe("org/pickled")
    offer = describe("org/pickled", allow_pickled=True)
    assert offer.is_pickled
    found = download(offer)
    assert not list(found.path.glob("*.bin"))
    assert (found.path / WEIGHTS).stat().st_size == (tiny / WEIGHTS).stat().st_size
    verify(found.path)


def test_what_the_hubs_converter_offers_comes_first(hub, copied, tiny):
    only_pickle(copied)
    hub.models["org/converted"] = [copied, tiny]
    offer = describe("org/converted", allow_pickled=True)
    assert (offer.pull_request, offer.is_pickled) == ("refs/pr/1", False)
    verify(download(offer).path)


def test_a_full_disk_is_said_before_anything_is_fetched(hub, monkeypatch):
    offer = describe("org/tiny")
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(CheckpointError, match="MB are to come, and 0 MB are free"):
        download(offer)
    assert asked_for(hub, WEIGHTS) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("org/absent", "nor a public model on the Hub"),
        ("org/gated", "accept its licence"),
        ("../evil", "no id on the Hub"),
    ],
)
def test_no_is_said_in_words(name, words, hub):
    with pytest.raises(CheckpointError, match=words) as caught:
        describe(name)
    assert name in str(caught.value)


def test_a_hub_out_of_reach_is_said_in_words(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(CheckpointError, match="org/tiny: the Hub cannot be reached") as caught:
        describe("org/tiny")
    assert "\n" not in str(caught.value)


@pytest.fixture
def several(hub, copied, tmp_path):
    """A Hub with models for several tasks."""
    config = json.loads((copied / "config.json").read_text())
    (copied / "README.md").unlink()
    made = "Mask2FormerForUniversalSegmentation"
    (copied / "config.json").write_text(json.dumps(config | {"architectures": [made]}))
    hub.models["org/universal"] = [copied]
    return hub


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Query(), ["org/tiny", "org/universal"]),
        (Query("univ"), ["org/universal"]),
        (Query(task="panoptic"), ["org/universal"]),
        (Query(task="semantic", limit=1), ["org/tiny"]),
        (Query(task="prompted"), []),
        (Query(licence="apache-2.0"), ["org/tiny"]),
        (Query(largest=1000), []),
        (Query(largest=10**9), ["org/tiny", "org/universal"]),
    ],
)
def test_a_search_is_filtered_by_task_licence_and_size(query, names, several):
    assert [found.name for found in search(query)] == names
    assert not any("resolve" in path for path in several.asked)


def test_a_search_knows_size_and_licence(hub, tiny):
    (found,) = search(Query())
    assert found.licence == "apache-2.0"
    assert found.size == (tiny / WEIGHTS).stat().st_size // 4 * 4


def test_offline_mode_asks_nobody(hub, monkeypatch):
    offer = describe("org/tiny")
    hub.asked.clear()
    monkeypatch.setenv("SEGDESK_OFFLINE", "1")
    for ask in (
        lambda: describe("org/tiny"),
        lambda: download(offer),
        lambda: search(Query()),
        lambda: find_checkpoint("org/tiny", silent),
    ):
        with pytest.raises(CheckpointError, match="offline mode is on"):
            ask()
    assert hub.asked == []


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 500_000_000), ("2 gb", 2 * 10**9), ("1.5K", 1500), ("7", 7)]
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert parse_size(text) == size


def test_what_is_no_size_is_said():
    with pytest.raises(UsageError, match="'many' is no size"):
        parse_size("many")
