"""Which device a model runs on."""

from __future__ import annotations

import gc

import torch

from segdesk.core.errors import UsageError


def known_devices() -> list[str]:
    """Return the names of the devices that work here, the fastest first."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return ["cpu"]
    count = torch.accelerator.device_count()
    return [*(f"{accelerator.type}:{index}" for index in range(count)), "cpu"]


def choose_device(name: str) -> torch.device:
    """Return the device of a name: "auto", "cpu", "cuda", "cuda:1", "mps", ...

    Raises ``UsageError`` for one that this machine, or this build of PyTorch, does not have.
    """
    known = known_devices()
    if name == "auto":
        return torch.device(known[0])
    if name in known or f"{name}:0" in known:
        return torch.device(name)
    raise UsageError(
        f"There is no device {name!r} here, only {', '.join(known)}; `segdesk doctor` says why."
    )


def half_type(device: torch.device) -> torch.dtype:
    """Return the type of half precision that a device computes in: bfloat16 where it can."""
    if device.type == "mps":
        return torch.float16
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16


def free_memory() -> None:
    """Give back the memory of what is no longer used."""
    gc.collect()
    if torch.accelerator.is_available():
        torch.accelerator.empty_cache()
