"""What models can run on here, asked in a process of its own: PyTorch takes seconds to start."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

_PATIENCE = 120  # seconds; a first import from a cold disk is slow


def describe() -> dict[str, Any]:
    """Return what PyTorch is and can compute on.

    Returns
    -------
    dict
        ``torch`` (version), ``auto`` (the device that "auto" stands for), ``cpu``, and ``cuda``,
        ``mps`` and ``xpu``, each with ``available`` and, where it is not, the ``reason``; ``cuda``
        with ``build``, ``driver`` and ``devices`` too. Only ``error`` when PyTorch does not start.
    """
    command = [sys.executable, "-m", "segdesk.ml.doctor"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE, check=True
        )
        found: dict[str, Any] = json.loads(answer.stdout)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
        return {"error": f"PyTorch does not start: {last}"}
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return {"error": f"PyTorch could not be asked: {error}"}
    return found
