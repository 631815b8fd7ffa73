"""Checkpoints in the store: from folders, by name, removed, checked."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from segdesk.core.errors import Cancelled, CheckpointError, UsageError
from segdesk.core.progress import silent
from segdesk.engine.checkpoints import checking, store
from segdesk.engine.checkpoints.finding import find_checkpoint
from segdesk.engine.checkpoints.importing import import_checkpoint
from segdesk.engine.checkpoints.store import installed
from tests.plugins.hub_server import sibling
from tests.plugins.tiny_models import only_pickle


def flip(file, place=-1):
    """Change one bit of a file."""
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


def left_over():
    """Return what lies in the store beside the checkpoints."""
    return list((store.store_folder() / store.INCOMING).glob("*"))


def test_a_folder_is_installed_with_what_is_known_of_it(tiny):
    found = import_checkpoint(tiny, "my/tiny")
    assert installed() == [found]
    assert (found.name, found.source, found.licence) == ("my/tiny", "folder", "apache-2.0")
    assert (found.tasks, found.model_type) == (("semantic",), "segformer")
    assert found.suits("semantic") and not found.suits("panoptic")
    assert found.size == sum((found.path / f.name).stat().st_size for f in tiny.iterdir())
    described = json.loads((found.path / "segdesk.json").read_text())
    assert described["categories"][:2] == [[0, "LABEL_0"], [1, "LABEL_1"]]
    assert left_over() == []
    assert find_checkpoint("my/tiny", silent) == found.path


def test_a_name_is_taken_once_and_replaced_only_when_asked(tiny, copied):
    import_checkpoint(tiny, "tiny")
    (copied / "README.md").unlink()
    with pytest.raises(CheckpointError, match="there is a checkpoint of this name already"):
        import_checkpoint(copied, "tiny")
    assert [o.licence for o in installed()] == ["apache-2.0"]
    import_checkpoint(copied, "tiny", replace_old=True)
    assert [o.licence for o in installed()] == [""]
    assert left_over() == []


def test_the_old_one_stays_when_the_new_one_cannot_be_put_in_its_place(tiny, copied, monkeypatch):
    old = import_checkpoint(tiny, "tiny")
    (copied / "README.md").unlink()
    move = Path.replace

    def fail(path, target):
        if path.parent.name == store.INCOMING:
            raise OSError(5, "Input/output error")
        return move(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(CheckpointError, match="Input/output error"):
        import_checkpoint(copied, "tiny", replace_old=True)
    assert [o.licence for o in installed()] == ["apache-2.0"]
    checking.verify(old.path)


@pytest.mark.parametrize(
    "name", ["../tiny", "a/b/c", "/etc", ".hidden", "con", "a--b", "a\0b", "ü"]
)
def test_a_name_is_no_path(name, tiny):
    with pytest.raises(CheckpointError, match="no name for a checkpoint"):
        import_checkpoint(tiny, name)
    assert installed() == []


def test_what_is_broken_does_not_count(copied):
    flip(copied / "model.safetensors", 0)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: damaged"):
        import_checkpoint(copied)
    assert installed() == left_over() == []


def test_a_stopped_import_leaves_nothing(tiny):
    def stop(fraction, message):
        if message.startswith("Checking"):
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        import_checkpoint(tiny, report=stop)
    assert installed() == left_over() == []


def test_what_a_killed_process_left_is_removed_after_a_day(tiny):
    incoming = store.store_folder() / store.INCOMING
    for name, age in (("new-old", 2 * 86_400), ("new-young", 60)):
        (incoming / name).mkdir(parents=True)
        os.utime(incoming / name, (time.time() - age,) * 2)
    import_checkpoint(tiny)
    assert [path.name for path in left_over()] == ["new-young"]


def test_a_full_disk_is_said_before_anything_is_copied(tiny, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(CheckpointError, match="do not fit on the disk"):
        import_checkpoint(tiny)
    assert installed() == left_over() == []


def test_it_is_removed(tiny):
    found = import_checkpoint(tiny, "tiny")
    store.remove("tiny")
    assert installed() == []
    assert not found.path.exists()
    with pytest.raises(UsageError, match=r"no checkpoint 'tiny' on this machine\. Known: none"):
        store.remove("tiny")


def test_the_one_used_last_comes_first(tiny):
    import_checkpoint(tiny, "first")
    time.sleep(0.02)
    import_checkpoint(tiny, "second")
    assert [o.name for o in installed()] == ["second", "first"]
    time.sleep(0.02)
    find_checkpoint("first", silent)
    assert [o.name for o in installed()] == ["first", "second"]


def test_one_flipped_bit_is_found_and_never_used(tiny):
    found = import_checkpoint(tiny, "tiny")
    assert checking.verify(found.path) == len(list(tiny.iterdir()))
    flip(found.path / "model.safetensors")
    for check in (lambda: checking.verify(found.path), lambda: find_checkpoint("tiny", silent)):
        with pytest.raises(CheckpointError, match=r"model\.safetensors: has changed") as caught:
            check()
        assert str(found.path) in str(caught.value)


@pytest.mark.parametrize("kind", ["float64", "float32", "float16", "bfloat16", "float8_e5m2"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_weight_that_is_no_number_is_found_in_any_precision(kind, value, tmp_path):
    weights = torch.linspace(-3, 3, 1000).to(getattr(torch, kind))
    save_file({"a": torch.arange(3), "b": weights}, tmp_path / "model.safetensors")
    checking.check_weights(tmp_path)
    weights[-1] = value
    save_file({"a": torch.arange(3), "b": weights}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="the weight b is not finite"):
        checking.check_weights(tmp_path)


def test_pickles_are_converted_after_a_consent_only(copied):
    whole = load_file(copied / "model.safetensors")
    only_pickle(copied)
    torch.save({"lr": 1}, copied / "training_args.bin")
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin is a pickle"):
        import_checkpoint(copied)
    found = import_checkpoint(copied, allow_pickled=True)
    assert not list(found.path.glob("*.bin"))
    converted = load_file(found.path / "model.safetensors")
    assert converted.keys() == whole.keys()
    assert all(torch.equal(converted[name], whole[name]) for name in whole)
    checking.verify(found.path)


@pytest.mark.parametrize("name", ["README.md", "pytorch_model.bin"])
def test_a_link_out_of_a_folder_with_pickles_is_not_followed(name, copied):
    only_pickle(copied)
    secret = copied.parent / "secret"
    (copied / name).rename(secret)
    (copied / name).symlink_to(secret)
    with pytest.raises(CheckpointError, match=f"{name}: a link to a file outside the folder"):
        import_checkpoint(copied, allow_pickled=True)
    assert installed() == left_over() == []


class Bomb:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "pytorch_model.bin",
        "model.pt",
        "model.pth",
        "model.ckpt",
        "weights.pkl",
        "model.safetensors",
    ],
)
def test_a_pickle_bomb_does_not_go_off_whatever_its_name_and_the_consent(name, allowed, copied):
    canary = copied.parent / "canary"
    (copied / "model.safetensors").unlink()
    torch.save({"weight": Bomb(canary)}, copied / name)
    with pytest.raises(CheckpointError) as caught:
        import_checkpoint(copied, allow_pickled=allowed)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert installed() == left_over() == []
    assert not canary.exists()


def test_what_the_hubs_client_has_fetched_is_listed_used_checked_and_removed(
    tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--org--tiny"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for file in tiny.iterdir():
        about = sibling(file)
        blob = repository / "blobs" / about.get("lfs", {}).get("sha256", about["blobId"])
        blob.write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(Path("../../blobs") / blob.name)
    (found,) = installed()
    assert (found.name, found.source, found.licence) == ("org/tiny", "cache", "apache-2.0")
    assert checking.verify(found.path) == len(list(tiny.iterdir()))
    assert find_checkpoint("org/tiny", silent) == snapshot
    flip((snapshot / "model.safetensors").resolve())
    with pytest.raises(CheckpointError, match="not what came from the Hub"):
        find_checkpoint("org/tiny", silent)
    store.remove("org/tiny")
    assert installed() == []
    assert not repository.exists()


@pytest.mark.parametrize("name", ["processor_config.json", "video_preprocessor_config.json"])
def test_a_processor_may_be_in_a_file_of_another_name(name, copied):
    (copied / "preprocessor_config.json").rename(copied / name)
    found = import_checkpoint(copied)
    assert (found.path / name).is_file()
    (copied / name).write_text('{"size": {"height": 1000000}}')
    with pytest.raises(CheckpointError, match=f"{name}: height is 1000000 pixels"):
        import_checkpoint(copied, "other")
