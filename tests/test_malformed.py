"""Hostile files: each is a picture or one clear line, within limits."""

import csv
import json
import subprocess
import sys

import pytest

GIB = 2**30

# Runs the command as its script does, and tells on the last line the peak memory of its children.
SCRIPT = """
import resource, sys
from segdesk.cli.info import run
code = run(["--json", *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are of Linux")
def test_hostile_files_are_pictures_or_one_line(shared_data):
    folder = shared_data / "malformed"
    with (folder / "index.csv").open(newline="") as file:
        names = {row["file"] for row in csv.DictReader(file)}
    paths = [str(folder / name) for name in sorted(names)]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *paths], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 1, done.stderr
    output, peak = done.stdout.splitlines()
    answer = json.loads(output)
    errors = {error["image"]: error["message"] for error in answer["errors"]}
    assert {image["image"] for image in answer["images"]} | set(errors) == set(paths)
    assert len(answer["images"]) > 20
    for path, message in errors.items():
        assert message.startswith(f"{path}: ")
        assert message.endswith(".")
    assert done.stderr.splitlines() == [f"segdesk: {errors[path]}" for path in errors]
    assert "Traceback" not in done.stdout + done.stderr
    assert not [message for message in errors.values() if "reader" in message]
    assert int(peak) * 1024 < GIB
