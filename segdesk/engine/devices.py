"""What models can run on here, asked in a process of its own: PyTorch takes seconds to start."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from segdesk.core.progress import Report, silent

_PATIENCE = 120  # seconds; a first import from a cold disk is slow
_TICK = 0.1  # seconds between two looks at the stop button
_USUAL = 15.0  # seconds that a self-test takes as a rule


def describe() -> dict[str, Any]:
    """Return what PyTorch is and can compute on.

    Returns
    -------
    dict
        ``torch`` (version), ``auto`` (the device that "auto" stands for) and ``why``, ``memory``
        by device in GiB, ``cpu``, and ``cuda``, ``mps`` and ``xpu``, each with ``available`` and,
        where it is not, the ``reason``; ``cuda`` with ``build``, ``driver`` and ``devices`` too.
        Only ``error`` when PyTorch does not start.
    """
    return _ask("segdesk.ml.doctor", silent)


def self_test(report: Report = silent) -> dict[str, Any]:
    """Measure each device in each precision; takes some ten seconds a device.

    Returns
    -------
    dict
        By device and precision: ``megapixels_per_second`` of a small SegFormer and ``gflops`` of a
        matrix product, or the ``reason`` why it does not work. Only ``error`` when PyTorch does
        not start.
    """
    return _ask("segdesk.ml.self_test", report)


def _ask(module: str, report: Report) -> dict[str, Any]:
    try:
        code, out, err = _run([sys.executable, "-m", module], report)
        if code:
            last = (err.strip().splitlines() or [f"exit code {code}"])[-1]
            return {"error": f"PyTorch does not start: {last}"}
        found: dict[str, Any] = json.loads(out)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return {"error": f"PyTorch could not be asked: {error}"}
    return found


def _run(command: list[str], report: Report) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr; ends the process when ``report`` raises."""
    start = time.monotonic()
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            while True:
                passed = time.monotonic() - start
                try:
                    out, err = process.communicate(timeout=_TICK)
                except subprocess.TimeoutExpired:
                    if passed > _PATIENCE:
                        raise
                    report(passed / (passed + _USUAL), "Measuring the devices")
                    continue
                return process.returncode, out, err
        except BaseException:
            process.kill()
            raise
