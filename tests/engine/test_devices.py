import subprocess
import sys

from segdesk.engine import devices
from segdesk.ml.device import choose_device, known_devices
from segdesk.ml.doctor import describe


def test_what_pytorch_says_of_itself_comes_from_a_process_of_its_own():
    found = devices.describe()
    assert found == describe()
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
