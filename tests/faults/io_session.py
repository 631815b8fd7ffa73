"""A session in which the n-th write to the project fails, for n = 1, 2, ... until none is left.

Runs with ``failing_io.c`` loaded before the C library; prints what happened as JSON.
"""

import ctypes
import json
import os
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
from kills import act, freeze

from segdesk.core.image import ArrayImage
from segdesk.engine.project.check import check
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project

EDITS = 8
faults = ctypes.CDLL(None)


def main():
    folder, error, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    outcomes = []
    for number in range(10_000):
        place = folder / f"{number}"
        place.mkdir()
        os.environ["SEGDESK_HOME"] = str(place / "home")
        reading, writing = os.pipe()
        if os.fork() == 0:
            try:
                outcome = session(place, number, error, count)
            except BaseException as failure:  # noqa: BLE001 - the child must not go on
                outcome = {"error": repr(failure)}
            os.write(writing, json.dumps(outcome).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            outcomes.append(json.loads(pipe.read()))
        os.wait()
        if outcomes[-1].get("writes", number + 1) <= number:
            break
    print(json.dumps(outcomes))


def session(folder, after, error, count):
    """Edit; when a write fails go on, and try again at the end."""
    problems = []
    project = Project()
    project.problems.connect(problems.append)
    document = project.add(ArrayImage(np.zeros((600, 700), np.uint8), "made"))
    acts = np.random.default_rng(3)
    path = folder / "work.segdesk"
    project.save_as(path)
    faults.fault_arm(ctypes.c_long(after), ctypes.c_long(count), error)
    for _ in range(EDITS):
        act(document, acts)
        project.flush()
    writes = faults.fault_seen()
    faults.fault_arm(ctypes.c_long(-1), ctypes.c_long(0), 0)
    project.retry()
    is_kept, state = project.flush(), freeze(document)
    project.close()
    findings = check(path).findings
    with closing(open_project(path)) as again:
        is_same = freeze(again.document(1)) == state
    return {
        "writes": writes,
        "problems": problems,
        "kept": is_kept,
        "same": is_same,
        "findings": list(findings),
    }


if __name__ == "__main__":
    main()
