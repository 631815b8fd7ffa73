"""Writes that fail, one after the other: one clear message, the work goes on, and is kept later."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPILER = shutil.which("cc") or shutil.which("gcc")


@pytest.fixture(scope="session")
def failing_io(tmp_path_factory):
    library = tmp_path_factory.mktemp("faults") / "failing_io.so"
    source = HERE / "failing_io.c"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or not COMPILER, reason="needs Linux and a C compiler")
@pytest.mark.parametrize(
    ("error", "count", "words"),
    [
        (errno.EIO, 1, "could not be written"),
        (errno.ENOSPC, 1_000_000, "could not be written"),
    ],
    ids=["once", "until there is room again"],
)
def test_every_write_may_fail(failing_io, tmp_path, capsys, error, count, words):
    benchmarks = HERE.parents[1] / "benchmarks"
    environment = os.environ | {
        "LD_PRELOAD": str(failing_io),
        "PYTHONPATH": os.pathsep.join([str(benchmarks), str(HERE.parents[1])]),
    }
    command = [sys.executable, str(HERE / "io_session.py"), str(tmp_path), str(error), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    failed = [o for o in outcomes if o.get("problems")]
    with capsys.disabled():
        print(f"\n{len(outcomes)} sessions, a message in {len(failed)}")
    assert [o for o in outcomes if "error" in o] == []
    assert all(o["kept"] and o["same"] and not o["findings"] for o in outcomes)
    assert len(failed) > 20
    for outcome in failed:
        assert len(outcome["problems"]) == 1
        assert words in outcome["problems"][0]
        assert "work.segdesk" in outcome["problems"][0]
