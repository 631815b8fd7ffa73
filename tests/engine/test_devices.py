import subprocess
import sys

import pytest
import torch

from segdesk.core.errors import Cancelled
from segdesk.engine import devices
from segdesk.engine.diagnosis import test_in_words as lines_of_test
from segdesk.ml import self_test
from segdesk.ml.device import choose_device, known_devices, memory_of
from segdesk.ml.doctor import describe, too_old


def test_what_pytorch_says_of_itself_comes_from_a_process_of_its_own():
    found = devices.describe()
    here = describe()
    assert {**found, "memory": 0} == {**here, "memory": 0}
    assert found["memory"].keys() == here["memory"].keys() == set(known_devices())
    assert found["why"]
    assert found["cpu"]["available"]
    for device in ("cuda", "mps", "xpu"):
        assert bool(found[device]["reason"]) != found[device]["available"]
    assert found["auto"] in known_devices()


def test_auto_is_the_first_device_and_all_that_are_known_can_be_chosen():
    assert [str(choose_device(name)) for name in known_devices()] == known_devices()
    assert str(choose_device("auto")) == known_devices()[0]


def test_hidden_gpus_are_the_reason_why_cuda_is_not_used(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    cuda = devices.describe()["cuda"]
    assert cuda["build"] == "" or "CUDA_VISIBLE_DEVICES hides all GPUs" in cuda["reason"]


def test_a_pytorch_that_does_not_start_is_an_answer_too(monkeypatch, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so is missing')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert devices.describe() == {
        "error": "PyTorch does not start: ImportError: libtorch.so is missing"
    }


def test_the_engine_itself_does_not_import_pytorch():
    code = (
        "import sys, segdesk.engine.devices, segdesk.engine.worker; print('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "False"


def test_a_driver_that_is_older_than_the_build_is_told_what_to_do():
    assert "update the driver, or install a build of PyTorch for CUDA 12" in too_old(
        "535.1", "12.2", "13.0"
    )
    assert too_old("535.1", "12.2", "12.8") == too_old("", "", "13.0") == ""


def test_memory_is_known_of_every_device():
    for name in known_devices():
        free, total = memory_of(torch.device(name))
        assert 0 < free <= total


def test_figures_of_every_device_and_precision(monkeypatch):
    monkeypatch.setattr(self_test, "_SECONDS", 0.01)
    monkeypatch.setattr(self_test, "_SIDES", (32,))
    found = self_test.measure()
    assert list(found) == known_devices()
    for precisions in found.values():
        assert precisions.keys() == {"float32", "bfloat16", "float16"}
        assert precisions["float32"]["megapixels_per_second"] > 0
        assert precisions["float32"]["gflops"] > 0
    lines = list(lines_of_test(found))
    assert len(lines) == 1 + 3 * len(found)
    assert "megapixels/s" in lines[1] and "GFLOP/s" in lines[1]


def test_a_precision_that_does_not_work_has_a_reason(monkeypatch):
    def fail(*arguments):
        raise RuntimeError("not implemented for 'Half'")

    monkeypatch.setattr(self_test, "_products", fail)
    monkeypatch.setattr(self_test, "_SECONDS", 0.0)
    monkeypatch.setattr(self_test, "_SIDES", (32,))
    monkeypatch.setattr(self_test, "PRECISIONS", {"float32": torch.float32})
    found = self_test.measure()
    assert found["cpu"] == {"float32": {"reason": "not implemented for 'Half'"}}
    assert "no: not implemented" in list(lines_of_test(found))[-1]
    assert list(lines_of_test({"error": "PyTorch does not start"}))[-1].strip().startswith("PyT")


def test_a_measurement_is_stopped_at_once():
    def stop(fraction, message):
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        devices.self_test(stop)
