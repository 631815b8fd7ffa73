"""A checkpoint that wants too much, or elsewhere: refused from its description, in one line.

Nothing of it is run, nothing is asked of the network, and no memory is taken for it.
"""

import json
import socket
import sys
from functools import partial

import huggingface_hub.constants
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from segdesk.core.checkpoint_config import category_names, tasks_of
from segdesk.core.errors import CheckpointError
from segdesk.core.weights import check_finite, tensors_in
from segdesk.engine.checkpoints.importing import import_checkpoint
from segdesk.engine.checkpoints.store import installed
from segdesk.engine.segment import segment
from tests.plugins.tiny_models import job_of, picture, save, segformer

resource = pytest.importorskip("resource")  # not on Windows

PROCESSOR = "preprocessor_config.json"
BIG = 10**9


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return save(segformer(), tmp_path_factory.mktemp("models") / "segformer")


@pytest.fixture
def copied(checkpoint, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.fixture
def no_network(monkeypatch):
    """Fail a test in which anything looks up a host or connects to one, though it is online."""
    used = []

    def refuse(*arguments, **settings):
        used.append(arguments)
        raise OSError("no network")

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert used == []


def config(folder, name="config.json", **changes):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def ids(folder, table):
    config(folder, id2label=table)


def twin_ids(folder):
    text = json.dumps(json.loads((folder / "config.json").read_text()) | {"id2label": {"0": "a"}})
    (folder / "config.json").write_text(text.replace('"0": "a"', '"0": "a", "0": "b"'))


def link_out(folder, name):
    (folder / name).rename(folder.parent / name)
    (folder / name).symlink_to(folder.parent / name)


def weights(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors["decode_head.classifier.bias"])
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def header(folder, change):
    file = folder / "model.safetensors"
    content = file.read_bytes()
    size = int.from_bytes(content[:8], "little")
    described = json.loads(content[8 : 8 + size])
    change(described)
    text = json.dumps(described).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])


def overlap(described):
    first, second = [name for name in described if name != "__metadata__"][:2]
    described[second] = described[first]


BIAS = "decode_head.classifier.bias"
HOSTILE = {
    "10^9 categories": (partial(config, num_labels=BIG), "num_labels is 1000000000"),
    "2^20 hidden": (partial(config, hidden_sizes=[8, 8, 16, 2**20]), "hidden_sizes is 1048576"),
    "2^20 in a part": (partial(config, backbone_config={"dim": 2**20}), "dim is 1048576"),
    "10^5 layers": (partial(config, depths=[1, 1, 1, 10**5]), "depths is 100000"),
    "more than the files": (
        partial(config, hidden_sizes=[8, 8, 16, 2**19], decoder_hidden_size=2**16),
        "describes a model of",
    ),
    "deep": (
        lambda f: (f / "config.json").write_text('{"a":' * 10**5 + "1" + "}" * 10**5),
        "config.json: cannot be read",
    ),
    "huge": (
        lambda f: (f / "config.json").write_bytes(b" " * (2**24 + 1)),
        "larger than any description",
    ),
    "huge number": (
        lambda f: (f / "config.json").write_text('{"a": ' + "1" * 5000 + "}"),
        "config.json",
    ),
    "negative id": (partial(ids, table={"-1": "a"}), "'-1' is no id of a category"),
    "word for an id": (partial(ids, table={"cat": "a"}), "'cat' is no id of a category"),
    "two ways to write 1": (partial(ids, table={"1": "a", "01": "b"}), "'01' is no id"),
    "same id twice": (twin_ids, "names '0' twice"),
    "huge id": (partial(ids, table={str(BIG): "a"}), "'1000000000' is no id"),
    "number for a name": (partial(ids, table={"0": 7}), "category 0 is 7, no text"),
    "list for names": (partial(ids, table=["a"]), "id2label is no table"),
    "10^5 names": (partial(ids, table={str(i): "a" for i in range(10**5)}), "id2label is no table"),
    "weights elsewhere": (partial(link_out, name="model.safetensors"), "outside the folder"),
    "config elsewhere": (partial(link_out, name="config.json"), "outside the folder"),
    "processor elsewhere": (partial(link_out, name=PROCESSOR), "outside the folder"),
    "link to itself": (
        lambda f: [(f / PROCESSOR).unlink(), (f / PROCESSOR).symlink_to(PROCESSOR)],
        f"{PROCESSOR} is missing",
    ),
    "infinite": (partial(weights, change=lambda w: w.fill_(torch.inf)), f"{BIAS} is not finite"),
    "one NaN": (partial(weights, change=lambda w: w[1].fill_(torch.nan)), f"{BIAS} is not finite"),
    "overlapping": (partial(header, change=overlap), "damaged, or no safetensors file"),
    "huge tensor": (
        partial(header, change=lambda h: h[BIAS].update(shape=[2**60])),
        "another size than its shape",
    ),
    "input of 10^9 pixels": (
        partial(config, name=PROCESSOR, size={"height": BIG, "width": BIG}),
        f"{PROCESSOR}: width is 1000000000 pixels",
    ),
    "input in a part": (
        partial(config, name=PROCESSOR, image_processor={"size": {"shortest_edge": BIG}}),
        "shortest_edge is 1000000000 pixels",
    ),
    "adapter": (
        lambda f: (f / "adapter_config.json").write_text(
            '{"base_model_name_or_path": "evil/model"}'
        ),
        "adapter_config.json is there",
    ),
    "processor that fetches": (
        partial(
            config,
            name=PROCESSOR,
            image_processor_type="OneFormerImageProcessor",
            repo_path="evil/data",
            class_info_file="names.json",
        ),
        "cannot be loaded",
    ),
    "kernel in a part": (
        partial(config, backbone_config={"_attn_implementation": "evil/kernel"}),
        "asks for evil/kernel, which is foreign code",
    ),
}


ONLY_LOADING_TELLS = ("more than the files", "processor that fetches")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("kind", HOSTILE)
def test_it_is_neither_loaded_nor_installed(kind, copied):
    damage, words = HOSTILE[kind]
    damage(copied)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for use in (partial(segment, picture(), job_of(copied)), partial(import_checkpoint, copied)):
        if kind in ONLY_LOADING_TELLS and use.func is import_checkpoint:
            continue
        with pytest.raises(CheckpointError) as caught:
            use()
        assert words in str(caught.value)
        assert str(copied) in str(caught.value)
        assert "\n" not in str(caught.value)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 2**19 * (1024 if sys.platform == "darwin" else 1)  # KiB or bytes: half a GiB
    assert installed() == []


@pytest.fixture(scope="module")
def content(checkpoint):
    return (checkpoint / "model.safetensors").read_bytes()


@given(data=st.data())
def test_a_damaged_header_is_an_error_of_ours_or_harmless(data, content, tmp_path_factory):
    size = int.from_bytes(content[:8], "little")
    place = data.draw(st.integers(0, 8 + size - 1))
    damaged = bytearray(content)
    damaged[place] ^= data.draw(st.integers(1, 255))
    file = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    file.write_bytes(damaged)
    try:
        found = tensors_in(file)
    except CheckpointError as error:
        assert str(file) in str(error)
    else:
        assert found[-1].stop == len(content)


def test_what_it_holds_is_what_the_formats_own_library_says(checkpoint):
    file = checkpoint / "model.safetensors"
    expected = {name: tuple(tensor.shape) for name, tensor in load_file(file).items()}
    assert {tensor.name: tensor.shape for tensor in tensors_in(file)} == expected
    check_finite(file)


@pytest.mark.parametrize(
    ("made", "tasks"),
    [
        ("SegformerForSemanticSegmentation", ("semantic",)),
        ("MaskFormerForInstanceSegmentation", ("semantic", "instance", "panoptic")),
        ("OneFormerForUniversalSegmentation", ("semantic", "instance", "panoptic")),
        ("RfDetrForInstanceSegmentation", ("instance",)),
        ("DetrForSegmentation", ("instance", "panoptic")),
        ("Sam2Model", ("prompted",)),
        ("ViTForImageClassification", ()),
    ],
)
def test_what_a_model_is_for_is_read_from_its_architecture(made, tasks):
    assert tasks_of({"architectures": [made]}) == tasks
    assert tasks_of({}) == tasks_of({"architectures": "x"}) == ()
    assert category_names({"id2label": {"2": "b", "0": "a"}}) == {0: "a", 2: "b"}
