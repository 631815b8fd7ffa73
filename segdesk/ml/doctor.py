"""Prints what PyTorch can compute on, as one JSON object: for ``engine.devices``."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from typing import Any

import torch

from segdesk.ml.device import choose_device


def describe() -> dict[str, Any]:
    """Return the versions and devices of PyTorch here."""
    return {
        "torch": torch.__version__,
        "auto": str(choose_device("auto")),
        "cpu": {"available": True, "reason": "", "threads": torch.get_num_threads()},
        "cuda": _cuda(),
        "mps": {"available": torch.backends.mps.is_available(), "reason": _mps_reason()},
        "xpu": {
            "available": torch.xpu.is_available(),
            "reason": "" if torch.xpu.is_available() else "no Intel GPU, or PyTorch without XPU",
        },
    }


def _cuda() -> dict[str, Any]:
    driver = _driver()
    reason = _cuda_reason(driver)
    count = 0 if reason else torch.cuda.device_count()
    return {
        "available": not reason,
        "reason": reason,
        "build": torch.version.cuda or torch.version.hip or "",
        "driver": driver,
        "devices": [_cuda_device(index) for index in range(count)],
    }


def _cuda_device(index: int) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(index)
    return {
        "name": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "capability": f"{properties.major}.{properties.minor}",
    }


def _cuda_reason(driver: str) -> str:
    """Return why CUDA is not used; empty when it is."""
    if torch.version.cuda is None and torch.version.hip is None:
        return "this build of PyTorch is for processors only: install one for CUDA to use a GPU"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides all GPUs"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0]
        return reason if driver else "no NVIDIA driver was found"
    return ""


def _driver() -> str:
    """Return the version of the NVIDIA driver; empty when there is none."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ""
    query = [command, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.partition("\n")[0].strip()


def _mps_reason() -> str:
    if torch.backends.mps.is_available():
        return ""
    if platform.system() != "Darwin":
        return "only on Apple computers"
    return "needs macOS 14 on Apple silicon, and PyTorch built with MPS"


if __name__ == "__main__":
    json.dump(describe(), sys.stdout)
