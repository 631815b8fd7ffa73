"""Tests run without a display, a network or the user's own settings."""

import os
import shutil
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program itself does

_DATA = Path(os.environ.get("SEGDESK_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """Every test has settings, caches and user plugins of its own."""
    monkeypatch.setenv("SEGDESK_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images that lies beside the project on some machines."""
    if not _DATA.is_dir():
        pytest.skip(f"no real images: {_DATA} is absent (set SEGDESK_TEST_DATA)")
    return _DATA


@pytest.fixture
def wild():
    """Install a stranger's segmenter that breaks on demand; return the type of its options."""
    from segdesk.engine.folders import plugin_folder
    from segdesk.engine.registry import forget_plugins, registry

    plugin_folder().mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "engine" / "wild_plugin.py", plugin_folder() / "wild.py")
    forget_plugins()
    yield registry().segmenter("wild").options
    forget_plugins()
