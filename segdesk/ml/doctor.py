"""Prints what PyTorch can compute on, as one JSON object: for ``engine.devices``."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from typing import Any

import torch

from segdesk.ml.device import choose_device, known_devices, memory_of, why_first

_NONE = "no NVIDIA driver was found"


def describe() -> dict[str, Any]:
    """Return the versions and devices of PyTorch here."""
    return {
        "torch": torch.__version__,
        "auto": str(choose_device("auto")),
        "why": why_first(),
        "memory": {name: _memory(name) for name in known_devices()},
        "cpu": {"available": True, "reason": "", "threads": torch.get_num_threads()},
        "cuda": _cuda(),
        "mps": {"available": torch.backends.mps.is_available(), "reason": _mps_reason()},
        "xpu": {
            "available": torch.xpu.is_available(),
            "reason": "" if torch.xpu.is_available() else "no Intel GPU, or PyTorch without XPU",
        },
    }


def _memory(name: str) -> dict[str, float]:
    """Return the memory of a device in GiB; empty where it cannot be asked."""
    try:
        free, total = memory_of(torch.device(name))
    except RuntimeError:  # a device that does not count
        return {}
    return {"free_gib": round(free / 2**30, 1), "total_gib": round(total / 2**30, 1)}


def _cuda() -> dict[str, Any]:
    driver, newest = _driver()
    reason = _cuda_reason(driver, newest)
    count = 0 if reason else torch.cuda.device_count()
    return {
        "available": not reason,
        "reason": reason,
        "build": torch.version.cuda or torch.version.hip or "",
        "driver": driver,
        "driver_supports": newest,
        "devices": [_cuda_device(index) for index in range(count)],
    }


def _cuda_device(index: int) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(index)
    return {
        "name": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "capability": f"{properties.major}.{properties.minor}",
    }


def _cuda_reason(driver: str, newest: str) -> str:
    """Return why CUDA is not used; empty when it is."""
    if torch.version.cuda is None and torch.version.hip is None:
        return "this build of PyTorch is for processors only: install one for CUDA to use a GPU"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides all GPUs"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0]
        return (too_old(driver, newest, torch.version.cuda or "") or reason) if driver else _NONE
    return ""


def too_old(driver: str, newest: str, build: str) -> str:
    """Return what to do about a driver that is older than PyTorch's build; empty when it is not.

    Builds for later versions of the same major one work (NVIDIA's "minor version compatibility").
    """
    if not newest or not build or int(newest.split(".")[0]) >= int(build.split(".")[0]):
        return ""
    return (
        f"the driver {driver} supports CUDA up to {newest}, and this PyTorch is built for {build}:"
        f" update the driver, or install a build of PyTorch for CUDA {newest.split('.')[0]}"
    )


def _driver() -> tuple[str, str]:
    """Return the NVIDIA driver's version and the newest CUDA it supports; empty for none."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return "", ""
    try:
        answer = subprocess.run([command], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "", ""
    return _first(r"Driver Version: ([\d.]+)", answer.stdout), _first(
        r"CUDA Version: ([\d.]+)", answer.stdout
    )


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _mps_reason() -> str:
    if torch.backends.mps.is_available():
        return ""
    if platform.system() != "Darwin":
        return "only on Apple computers"
    return "needs macOS 14 on Apple silicon, and PyTorch built with MPS"


if __name__ == "__main__":
    json.dump(describe(), sys.stdout)
