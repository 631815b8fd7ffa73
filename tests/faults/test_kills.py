"""Sessions that are killed: the small version of ``benchmarks/kills.py``, which does 4,000."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a session is a fork")
def test_200_kills_lose_nothing(capsys):
    command = [sys.executable, str(ROOT / "benchmarks" / "kills.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout, done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{counts['kills']} kills, {counts['acknowledged']} acknowledged edits, ", end="")
        print(f"{counts['lost']} lost, {counts['unreadable']} unreadable, {counts['torn']} torn")
    assert counts["kills"] == 200
    assert counts["acknowledged"] > 500
    assert counts["reasons"] == []
