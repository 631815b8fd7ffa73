"""Offline mode opens no socket, in this process and in its children; nor does anything unasked."""

import json
import os
import socket
import subprocess
import sys

import pytest

from segdesk.engine.folders import change_settings
from segdesk.engine.offline import is_offline, keep_private, set_offline
from tests.plugins.tiny_models import save, segformer

# Every process that Python starts with this folder on its path writes down each use of the network.
RECORDER = """
import json, os, sys

def record(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        address = arguments[1] if event == "socket.connect" else arguments[0]
        if not (event == "socket.connect" and arguments[0].family == 1):  # within this machine
            with open(os.environ["RECORD"], "a") as log:
                log.write(f"{event} {address}\\n")

sys.addaudithook(record)
with open(os.environ["RECORD"] + ".started", "a") as log:
    log.write(f"{os.getpid()}\\n")
"""
WORKER = """
import sys
from segdesk.engine.images import open_image
from segdesk.engine.segment import SegmentJob, make_request
from segdesk.engine.worker import Worker
if __name__ == "__main__":
    job, worker = SegmentJob("semantic", sys.argv[2], "cpu"), Worker()
    request = make_request(open_image(sys.argv[1]), job)
    for _ in range(3):  # OpenVINO, where it is installed, is ready the second time
        found = worker.run(job, request)
    print(len(found.segments))
    worker.close()
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save(segformer(), tmp_path_factory.mktemp("models") / "segformer")


@pytest.fixture
def child(tmp_path):
    """Run Python in a process whose network is watched; gives (output, what it did)."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(RECORDER)
    record = tmp_path / "record"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_HUB")}
    environment |= {"PYTHONPATH": str(tmp_path / "watch"), "RECORD": str(record)}
    environment |= {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "hf")}

    def run(*arguments, code=0, **variables):
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(
            command, env=environment | variables, capture_output=True, text=True, cwd=tmp_path
        )
        assert done.returncode == code, done.stderr
        assert record.with_suffix(".started").exists()  # it was watched
        return done.stdout + done.stderr, record.read_text() if record.exists() else ""

    return run


@pytest.fixture
def photo(tmp_path):
    import skimage.data
    from PIL import Image

    path = tmp_path / "photo.png"
    Image.fromarray(skimage.data.astronaut()[:96, :128]).save(path)
    return path


@pytest.mark.parametrize("offline", ["1", "0"])
def test_work_with_what_is_here_asks_nobody_in_offline_mode_or_not(
    offline, child, tiny, photo, tmp_path
):
    run = ("-m", "segdesk")
    variables = {"SEGDESK_OFFLINE": offline}
    model = ("--segmenter", "semantic", "--checkpoint", "org/tiny")
    for command in (
        ("checkpoints", "import", tiny, "--name", "org/tiny"),
        ("checkpoints", "list"),
        ("checkpoints", "verify"),
        ("checkpoints", "pack", "org/tiny", "--out", tmp_path / "tiny.segpack"),
        ("segment", photo, *model, "--out", tmp_path / "masks"),
    ):
        _, used = child(*run, *command, **variables)
        assert used == "", command
    (tmp_path / "worker.py").write_text(WORKER)
    output, used = child(tmp_path / "worker.py", photo, "org/tiny", **variables)
    assert int(output) > 0
    assert used == ""


def test_a_hub_id_is_asked_for_only_when_not_offline(child, photo, tmp_path):
    command = ("-m", "segdesk", "segment", photo, "--segmenter", "semantic")
    command += ("--checkpoint", "org/absent", "--out", tmp_path / "masks")
    output, used = child(*command, "--offline", code=1)
    assert "offline mode is on" in output
    assert used == ""
    output, used = child(*command, code=1)
    assert "the Hub cannot be reached" in output
    assert "socket.connect" in used  # else the recorder does not record


def test_whoever_tries_is_refused_in_offline_mode(child):
    code = (
        "import socket; from segdesk.engine.offline import keep_private; keep_private()\n"
        "for use in (lambda: socket.create_connection(('127.0.0.1', 9)),"
        " lambda: socket.getaddrinfo('example.org', 80),"
        " lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))):\n"
        "    try: use()\n"
        "    except ConnectionRefusedError as error: print(error)\n"
    )
    output, _ = child("-c", code, SEGDESK_OFFLINE="1")
    assert output.splitlines() == ["SegDesk is in offline mode: nothing may use the network."] * 3


def test_the_setting_holds_until_it_is_changed(monkeypatch):
    monkeypatch.setenv("SEGDESK_OFFLINE", "0")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert not is_offline()
    set_offline(True)
    assert is_offline() and os.environ["SEGDESK_OFFLINE"] == "1"
    with pytest.raises(ConnectionRefusedError):
        keep_private()
        socket.create_connection(("127.0.0.1", 9))
    set_offline(False)
    assert not is_offline()
    change_settings(offline="no")  # only a clear yes is one
    assert not is_offline()


def test_libraries_are_told_not_to_tell(child):
    names = ["HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY", "HF_HUB_OFFLINE"]
    code = (
        "import json, os; from segdesk.engine.offline import keep_private; keep_private()\n"
        f"print(json.dumps([os.environ.get(n) for n in {[*names, 'TRUST_REMOTE_CODE']}]))"
    )
    output, _ = child("-c", code, SEGDESK_OFFLINE="1", TRUST_REMOTE_CODE="1")
    assert json.loads(output) == ["1"] * len(names) + [None]
