"""How commands start and end: help, exit codes, Ctrl-C, closed pipes, and what is not imported."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from segdesk import __version__
from segdesk.cli import COMMANDS

SLOW = """
import time
from segdesk.api import SegmenterSpec, hookimpl

class Session:
    def segment(self, request, report):
        print("running", flush=True)
        for _ in range(600):
            time.sleep(0.1)
    def close(self):
        print("closed", flush=True)

@hookimpl
def segdesk_segmenters():
    return [SegmenterSpec("slow", "Slow", "semantic", lambda *_: Session())]
"""


def start(*arguments, **settings):
    return subprocess.Popen(
        [sys.executable, "-m", "segdesk", *map(str, arguments)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | settings,
    )


def test_help_names_every_command(segdesk):
    code, out, err = segdesk("--help")
    assert (code, err) == (0, "")
    assert "segdesk [IMAGE...]" in out
    for command in COMMANDS:
        assert f"\n  {command} " in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, segdesk):
    code, out, err = segdesk(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: segdesk {command}")


def test_version(segdesk):
    assert segdesk("--version") == (0, f"segdesk {__version__}\n", "")


def test_an_unknown_flag_is_one_line_and_2(segdesk):
    code, out, err = segdesk("--fast")
    assert (code, out) == (2, "")
    assert err.startswith("segdesk: ") and "--fast" in err and err.count("\n") == 1


def test_without_a_screen_the_window_is_refused_in_one_line(segdesk, monkeypatch):
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    code, out, err = segdesk("photo.png")
    assert (code, out) == (1, "")
    assert err.startswith("segdesk: There is no screen") and err.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo terminal")
def test_the_progress_bar_is_on_stderr_and_results_on_stdout(image, tmp_path):
    import pty

    (tmp_path / "points.json").write_text(
        '{"prompts": [{"kind": "box", "x0": 1, "y0": 1, "x1": 5, "y1": 3}]}', "utf-8"
    )
    ours, theirs = pty.openpty()
    arguments = ["--segmenter", "prompts", "--prompt", tmp_path / "points.json", "--out", tmp_path]
    command = ["segment", image, *arguments]
    with start(*command, stderr=theirs, env=os.environ | {"TERM": "xterm"}) as process:
        out, _ = process.communicate(timeout=60)
    bar = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, bar
    assert out.startswith(f"{image}: 1 segment in ")
    assert "photo.png" in bar and "%" in bar


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_stops_quietly_and_leaves_no_files(image, tmp_path):
    folder = tmp_path / "home" / "data" / "plugins"
    folder.mkdir(parents=True)
    (folder / "slow.py").write_text(SLOW, "utf-8")
    out = tmp_path / "out"
    environment = os.environ | {"SEGDESK_HOME": str(tmp_path / "home")}
    arguments = ["segment", image, "--segmenter", "slow", "--out", out]
    # A shell's background jobs ignore Ctrl+C, and hand that down.
    heeding = {"preexec_fn": partial(signal.signal, signal.SIGINT, signal.SIG_DFL)}
    with start(*arguments, env=environment, **heeding) as process:
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (rest, err) == ("closed\n", "segdesk: stopped\n")
    assert not list(out.iterdir())


def test_a_reader_that_goes_away_is_no_error():
    with start("plugins", "--json") as process:
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=60)
    assert err == ""


def test_neither_help_nor_plugins_import_what_is_heavy():
    code = (
        "import sys; sys.argv = ['segdesk', 'plugins', '--json']\n"
        "from segdesk.__main__ import main; main()\n"
        "heavy = {'torch', 'transformers', 'PySide6', 'rich', 'cv2', 'PIL', 'skimage', 'scipy'}\n"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
