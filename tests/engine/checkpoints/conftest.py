"""A tiny model's folder, and a Hub on this machine that this process may ask."""

import huggingface_hub.constants
import pytest

from tests.plugins.hub_server import running_hub
from tests.plugins.tiny_models import save, segformer


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The folder of a tiny SegFormer with a model card; not to be changed."""
    folder = save(segformer(), tmp_path_factory.mktemp("models") / "segformer")
    (folder / "README.md").write_text("---\ntags:\n- vision\nlicense: apache-2.0\n---\n# Tiny\n")
    return folder


@pytest.fixture
def copied(tiny, tmp_path):
    """A copy of it that may be changed."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in tiny.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.fixture
def hub(tiny, tmp_path, monkeypatch):
    """A Hub with one model."""
    with running_hub({"org/tiny": [tiny]}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        yield server
