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


def why_first() -> str:
    """Return in words why "auto" stands for the device that it stands for."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return "no accelerator works here, so models run on the processor"
    count = torch.accelerator.device_count()
    more = f", the first of {count}" if count > 1 else ""
    return f"PyTorch finds {accelerator.type.upper()}{more}"


def memory_of(device: torch.device) -> tuple[int, int]:
    """Return (free, total) bytes of a device's memory, as far as it can be asked for them.

    A processor has the machine's. Raises ``RuntimeError`` where the device cannot tell.
    """
    if device.type == "cpu":
        import psutil

        memory = psutil.virtual_memory()
        return memory.available, memory.total
    if device.type == "mps":  # shares the machine's
        limit = torch.mps.recommended_max_memory()
        return limit - torch.mps.driver_allocated_memory(), limit
    free, total = torch.accelerator.get_memory_info(device)
    return free, total


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
