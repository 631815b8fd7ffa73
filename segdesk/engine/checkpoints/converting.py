"""Turns pickled weights into safetensors, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from segdesk.core.checkpoint_folder import WEIGHTS, pickled_weights
from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report, silent

_PATIENCE = 600  # seconds


def convert_pickled(folder: Path, report: Report = silent) -> None:
    """Write the safetensors of a folder whose weights are pickles, and delete those.

    Only with the user's consent: what opens them takes tensors only, and has had holes before.
    Raises ``CheckpointError``.
    """
    report(0.0, "Converting the weights")
    pickles = pickles_of_weights(folder)
    command = [sys.executable, "-P", "-m", "segdesk.ml.unpickle", str(folder / WEIGHTS)]
    command += [str(path) for path in pickles]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CheckpointError(f"{pickles[0]}: could not be converted ({error}).") from error
    if done.returncode:
        (folder / WEIGHTS).unlink(missing_ok=True)
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CheckpointError(f"The weights could not be converted: {last:.200}.")
    for path in pickles:
        path.unlink()


def pickles_of_weights(folder: Path) -> list[Path]:
    """Return the pickles that hold the model: by transformers' own name, or the only one.

    Raises ``CheckpointError`` when there are several.
    """
    found = pickled_weights(folder)
    named = [path for path in found if path.name.startswith("pytorch_model")]
    if not named and len(found) != 1:
        names = ", ".join(path.name for path in found)
        raise CheckpointError(f"{folder}: several pickles ({names}): which is the model?")
    return named or found
