"""What a hostile, damaged or wrong checkpoint may do: be refused, in words."""

import json
from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file

from segdesk.core.errors import CheckpointError, UsageError
from segdesk.engine.job import SegmentJob
from segdesk.engine.segment import segment
from tests.plugins.tiny_models import job_of, only_pickle, picture, save, segformer


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The folder of a tiny SegFormer."""
    return save(segformer(), tmp_path_factory.mktemp("models") / "segformer")


@pytest.fixture(scope="module")
def image():
    return picture()


@pytest.fixture
def copied(checkpoint, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def cut_weights(folder):
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])


def change_weights(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def change_config(folder, name="config.json", **changes):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def index_to(folder, target):
    (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
    index = {"metadata": {}, "weight_map": dict.fromkeys(["a", "b"], target)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def foreign_code(folder, **changes):
    (folder / "evil.py").write_text(
        f"open({str(folder / 'canary')!r}, 'w')\n"
        "from transformers import SegformerConfig as Config\n"
        "from transformers import SegformerForSemanticSegmentation as Model\n"
        "from transformers import SegformerImageProcessor as Processor\n"
    )
    change_config(folder, **changes)


AUTO_MAP = {
    "AutoConfig": "evil.Config",
    "AutoModelForSemanticSegmentation": "evil.Model",
    "AutoImageProcessor": "evil.Processor",
}
CLASSIFIER = "decode_head.classifier.bias"
BAD_FOLDERS = {
    "truncated": (cut_weights, "model.safetensors: damaged"),
    "text": (lambda f: (f / "model.safetensors").write_text("hello"), "damaged"),
    "missing tensor": (partial(change_weights, change=lambda w: w.pop(CLASSIFIER)), CLASSIFIER),
    "other shape": (
        partial(change_weights, change=lambda w: w.update({CLASSIFIER: torch.zeros(3)})),
        f"shapes than {CLASSIFIER}",
    ),
    "not a number": (
        partial(change_weights, change=lambda w: w[CLASSIFIER].fill_(torch.nan)),
        f"{CLASSIFIER} is not finite",
    ),
    "pickle": (only_pickle, "pytorch_model.bin is a pickle"),
    "no config": (lambda f: (f / "config.json").unlink(), "config.json is missing"),
    "no processor": (lambda f: (f / "preprocessor_config.json").unlink(), "preprocessor_config"),
    "bad json": (lambda f: (f / "config.json").write_text("{"), "config.json: cannot be read"),
    "list": (lambda f: (f / "config.json").write_text("[]"), "no description of a model"),
    "other task": (
        partial(change_config, model_type="resnet", architectures=["ResNetForImageClassification"]),
        "holds ResNetForImageClassification, which is not for semantic segmentation",
    ),
    "unknown model": (partial(change_config, model_type="frobnicator"), "frobnicator"),
    "wrong config": (partial(change_config, hidden_sizes="many"), "cannot be loaded"),
    "index out": (partial(index_to, target="../model.safetensors"), "no name of a safetensors"),
    "index absolute": (partial(index_to, target="/etc/passwd"), "no name of a safetensors file"),
    "index to nothing": (partial(index_to, target="a.safetensors"), "a.safetensors is missing"),
    "index of numbers": (partial(index_to, target=3), "'3' is no name"),
    "adapter": (lambda f: (f / "adapter_config.json").write_text("{}"), "adapter"),
    "kernel": (partial(change_config, attn_implementation="evil/kernel"), "evil/kernel"),
    "fusion": (partial(change_config, fusion_config={"a": {}}), "foreign code"),
    "backbone": (partial(change_config, backbone="evil/backbone"), "'evil/backbone'"),
    "quantised": (partial(change_config, quantization_config={"quant_method": "x"}), "quantised"),
    "code": (partial(foreign_code, model_type="evil", auto_map=AUTO_MAP), "custom code"),
    "processor code": (
        partial(
            foreign_code,
            name="preprocessor_config.json",
            image_processor_type="Evil",
            auto_map=AUTO_MAP,
        ),
        "cannot be loaded",
    ),
}


@pytest.mark.parametrize("kind", BAD_FOLDERS)
def test_a_bad_folder_is_refused_in_words(kind, copied, image):
    damage, words = BAD_FOLDERS[kind]
    damage(copied)
    with pytest.raises(CheckpointError) as caught:
        segment(image, job_of(copied))
    message = str(caught.value)
    assert words in message
    assert str(copied) in message
    assert "\n" not in message
    assert not (copied / "canary").exists()


def test_code_that_is_not_needed_is_not_run_either(copied, image):
    foreign_code(copied, auto_map=AUTO_MAP)
    assert segment(image, job_of(copied)).segments
    assert not (copied / "canary").exists()


def test_weights_in_several_files_are_read(copied, image):
    whole = segment(image, job_of(copied)).planes[0].areas()
    weights = load_file(copied / "model.safetensors")
    names = sorted(weights)
    shards = {"model-1-of-2.safetensors": names[::2], "model-2-of-2.safetensors": names[1::2]}
    for file, members in shards.items():
        save_file({name: weights[name] for name in members}, copied / file, {"format": "pt"})
    index = {name: file for file, members in shards.items() for name in members}
    (copied / "model.safetensors").unlink()
    (copied / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    assert segment(image, job_of(copied)).planes[0].areas() == whole


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("org/not-here", "not on this machine, and offline mode is on"),
        ("./not/a/folder", "there is no such folder"),
        (__file__, "a file; a checkpoint is a folder or a Hub id"),
    ],
)
def test_what_is_not_on_this_machine_is_named(ref, words, image):
    with pytest.raises(CheckpointError, match=words) as caught:
        segment(image, job_of(ref))
    assert ref in str(caught.value)


def test_a_device_that_is_not_there_is_named(checkpoint, image):
    with pytest.raises(UsageError, match="no device 'tpu'"):
        segment(image, SegmentJob("semantic", str(checkpoint), "tpu"))
