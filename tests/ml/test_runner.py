"""Quicker ways to run a model are used after they have agreed with PyTorch, and never otherwise."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import transformers

from segdesk.core.own_folders import own_folder
from segdesk.core.progress import silent
from segdesk.ml import openvino_model, runner
from segdesk.ml.loading import load_model
from segdesk.ml.query_model import INSTANCE_MODELS, QueryModel
from segdesk.ml.runner import Runner
from tests.plugins import tiny_models, tiny_query_models
from tests.plugins.tiny_models import save
from tests.plugins.tiny_query_models import save as save_query_model

DENSE = transformers.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tiny_models.segformer(), tmp_path_factory.mktemp("models") / "segformer")


def pixels(seed=0, shape=(64, 96)):
    torch.manual_seed(seed)
    return {"pixel_values": torch.randn(1, 3, *shape)}


class Running:
    """A model that is run, with all that it reports."""

    def __init__(self, folder):
        self.loaded = load_model(str(folder), "cpu", DENSE, "semantic segmentation", silent)
        self.runner = Runner(self.loaded, ("logits",))
        self.told = []

    def __call__(self, inputs, speed="exact"):
        self.told.clear()
        tell = lambda _, message: self.told.append(message)  # noqa: E731
        return self.runner(inputs, speed, tell)["logits"].numpy()

    def eager(self, inputs):
        with torch.inference_mode():
            return self.loaded.model(**inputs).logits.numpy()


@pytest.fixture
def running(folder):
    return Running(folder)


def with_openvino():
    pytest.importorskip("openvino", reason="OpenVINO is not installed (segdesk[openvino])")


def test_the_second_image_of_a_size_gets_openvino_ready_and_later_runs_find_it(folder, running):
    with_openvino()
    running(pixels(0))
    assert running.told == ["Running the model"]
    found = running(pixels(1))
    assert running.told[0].startswith("Getting the model ready for OpenVINO")
    assert "agrees with PyTorch" in running.told[1]
    third = running(pixels(2))
    assert running.told == ["Running the model with OpenVINO"]
    running(pixels(3, (96, 64)))
    assert running.told == ["Running the model"], "another size begins anew"
    np.testing.assert_allclose(found, running.eager(pixels(1)), atol=1e-3)
    np.testing.assert_allclose(third, running.eager(pixels(2)), atol=1e-3)
    later = Running(folder)
    np.testing.assert_array_equal(later(pixels(2)), third)
    assert later.told == ["Running the model with OpenVINO"], "at once, from the cache folder"


def test_a_stored_model_that_is_damaged_is_made_again(folder, running):
    with_openvino()
    for seed in range(2):
        running(pixels(seed))
    (blob,) = (own_folder("cache") / "models").glob("*.blob")
    blob.write_bytes(b"nonsense")
    later = Running(folder)
    later(pixels(0))
    assert later.told == ["Running the model"]
    np.testing.assert_allclose(later(pixels(1)), later.eager(pixels(1)), atol=1e-3)
    assert "agrees" in later.told[1]


def test_other_weights_in_the_same_folder_are_another_model(running, tmp_path):
    with_openvino()
    folder = save(tiny_models.segformer(), tmp_path / "changing")
    first = Running(folder)
    for seed in range(2):
        first(pixels(seed))
    model = first.loaded.model
    model.decode_head.classifier.weight.data.neg_()
    model.save_pretrained(folder)
    second = Running(folder)
    np.testing.assert_allclose(second(pixels(2)), second.eager(pixels(2)), atol=1e-5)
    assert second.told == ["Running the model"]


@pytest.mark.parametrize("half", [False, True])
def test_what_disagrees_is_not_used_says_so_and_is_remembered(half, folder, running, monkeypatch):
    with_openvino()
    if half and not openvino_model.half_precision():
        pytest.skip("this processor has no half precision")
    convert = openvino_model.convert

    def wrong(*about):
        right = convert(*about)
        return lambda inputs: {name: -scores for name, scores in right(inputs).items()}

    monkeypatch.setattr(openvino_model, "convert", wrong)
    if half:
        running.runner.use_half()
    running(pixels(0))
    found = running(pixels(1))
    words = "OpenVINO in half precision" if half else "OpenVINO"
    assert running.told[-1].startswith(f"Running the model without {words}: ")
    assert "of its labels differed from PyTorch's" in running.told[-1]
    np.testing.assert_allclose(found, running.eager(pixels(1)), atol=0.5 if half else 1e-6)
    monkeypatch.setattr(openvino_model, "convert", convert)
    later = Running(folder)
    if half:
        later.runner.use_half()
    later(pixels(0))
    assert later.told == running.told[-1:], "it is not tried again"


def test_what_cannot_be_converted_runs_with_pytorch(running, monkeypatch):
    with_openvino()

    def fail(*_):
        raise RuntimeError("no such operation: aten::surprise")

    monkeypatch.setattr(openvino_model, "_compile", fail)
    running(pixels(0))
    found = running(pixels(1))
    assert "aten::surprise" in running.told[-1]
    np.testing.assert_array_equal(found, running.eager(pixels(1)))


def test_a_lack_of_memory_is_not_a_verdict(running, monkeypatch):
    with_openvino()

    def fail(*_):
        raise MemoryError

    running(pixels(0))
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(openvino_model, "_compile", fail)
        running(pixels(1))
    running(pixels(1))
    assert "agrees" in running.told[1]


def test_half_precision_is_another_one_and_agrees(running):
    with_openvino()
    if not openvino_model.half_precision():
        pytest.skip("this processor has no half precision")
    running.runner.use_half()
    running(pixels(0))
    running(pixels(1))
    found = running(pixels(2))
    assert running.told == ["Running the model with OpenVINO in half precision"]
    expected = running.eager(pixels(2))
    assert np.abs(found - expected).max() > 1e-4
    assert (found.argmax(1) == expected.argmax(1)).mean() > 0.98


def test_plain_is_pytorch_and_so_is_a_machine_without_openvino(running, monkeypatch):
    for _ in range(3):
        found = running(pixels(0), "plain")
        assert running.told == ["Running the model"]
    np.testing.assert_array_equal(found, running.eager(pixels(0)))
    monkeypatch.setattr(openvino_model, "is_installed", lambda: False)
    for _ in range(3):
        np.testing.assert_array_equal(running(pixels(0)), found)
        assert running.told == ["Running the model"]


def test_the_least_recently_used_models_go_when_there_are_too_many(running, monkeypatch):
    with_openvino()
    monkeypatch.setattr(openvino_model, "_MOST_KEPT", 1)
    for side in (64, 96):
        for seed in range(2):
            running(pixels(seed, (side, side)))
    assert len(list((own_folder("cache") / "models").glob("*.blob"))) == 1


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_compiled_model_is_used_when_it_agrees(backend, running, monkeypatch):
    monkeypatch.setattr(runner, "_BACKEND", backend)
    running(pixels(0), "compiled")
    running(pixels(1), "compiled")
    assert running.told[0].startswith("Getting the model ready for torch.compile")
    assert " s and agrees with PyTorch" in running.told[1]
    found = running(pixels(2), "compiled")
    assert running.told == ["Running the model with torch.compile"]
    np.testing.assert_allclose(found, running.eager(pixels(2)), atol=1e-4)


def test_a_compiler_that_fails_is_done_without(running, monkeypatch):
    def broken(*_):
        raise RuntimeError("no compiler here")

    monkeypatch.setattr(runner, "_BACKEND", broken)
    running(pixels(0), "compiled")
    found = running(pixels(1), "compiled")
    assert "without torch.compile" in running.told[-1]
    assert "no compiler here" in running.told[-1]
    np.testing.assert_array_equal(found, running.eager(pixels(1)))


AGREE = ["maskformer", "mask2former", "eomt", "eomt_dinov3", "videomt", "detr"]
MAY_DISAGREE = ["rf_detr", "oneformer"]  # some masks of these random weights are all but 0


@pytest.mark.parametrize("name", AGREE + MAY_DISAGREE)
def test_models_of_queries_answer_the_same_with_openvino(name, tmp_path):
    with_openvino()
    folder = save_query_model(getattr(tiny_query_models, name)(), tmp_path / name)
    loaded = load_model(str(folder), "cpu", INSTANCE_MODELS, "instance segmentation", silent)
    model, told = QueryModel(loaded, "instance"), []
    rgb = tiny_models.picture().read(tiny_models.picture().info.window)

    def answer(speed):
        options = type("Options", (), {"resolution": "standard", "speed": speed})
        (found,) = model.answer(rgb, options, lambda _, words: told.append(words)).answers
        return found

    expected = answer("plain")
    for _ in range(2):
        answer("exact")
    told.clear()
    found = answer("exact")
    print(f"\n{name}: {told[1]}")
    kinds = (found.kinds.argmax(-1) == expected.kinds.argmax(-1)).float().mean()
    masks = ((found.masks > 0) == (expected.masks > 0)).float().mean()
    assert min(kinds, masks) >= 0.9999
    assert told[1].startswith("Running the model with OpenVINO") or name in MAY_DISAGREE


def test_openvino_is_imported_without_what_would_report_its_use():
    with_openvino()
    code = (
        "import json, sys; from segdesk.ml import openvino_model; openvino_model.version();"
        "print(json.dumps([name for name in sys.modules if 'openvino_telemetry' in name]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == []
