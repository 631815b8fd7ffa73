"""How much memory is in use: by SegDesk with its workers, and on the device of models."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Usage = tuple[int, int]
"""(bytes in use, bytes there are)"""


@dataclass(frozen=True)
class MemoryUse:
    """All that is known of memory now."""

    own: int  # bytes of this process and its workers
    machine: Usage
    device: Usage | None = None

    @property
    def is_short(self) -> bool:
        """Whether a tenth or less is free, of the machine's or the device's."""
        usages = [usage for usage in (self.machine, self.device) if usage]
        return any(used > 0.9 * total for used, total in usages)


def memory_use(workers: Iterable[int], device: Usage | None = None) -> MemoryUse:
    """Return what is in use now.

    Parameters
    ----------
    workers
        Ids of the worker processes; those that have ended count nothing.
    device
        What a worker has told of its device.
    """
    import psutil

    own = psutil.Process().memory_info().rss
    for pid in workers:
        try:
            own += psutil.Process(pid).memory_info().rss
        except psutil.Error:
            continue
    machine = psutil.virtual_memory()
    return MemoryUse(own, (machine.total - machine.available, machine.total), device)


def free_memory(on_device: bool) -> int:
    """Return the free bytes of the machine, or of the device."""
    import psutil

    usage = device_memory() if on_device else None
    if usage is None:
        free: int = psutil.virtual_memory().available
        return free
    return usage[1] - usage[0]


def use_and_peak(on_device: bool, anew: bool = False) -> Usage:
    """Return (bytes in use, the most so far) of this process, or of PyTorch on the device.

    Parameters
    ----------
    on_device
        Of the device.
    anew
        Forget the peak of the device before: from now on it counts from what is in use.
    """
    if not on_device:
        return _process_use_and_peak()
    accelerator: Any = getattr(sys.modules.get("torch"), "accelerator", None)
    if not hasattr(accelerator, "max_memory_allocated"):  # older PyTorch
        return 0, 0
    if anew:
        accelerator.reset_peak_memory_stats()
    return accelerator.memory_allocated(), accelerator.max_memory_allocated()


def _process_use_and_peak() -> Usage:
    import psutil

    use = psutil.Process().memory_info()
    if sys.platform == "win32":
        return use.rss, use.peak_wset
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return use.rss, max(use.rss, peak)  # the peak is not counted at every moment


def device_memory() -> Usage | None:
    """Return what is in use on the accelerator; None where there is none, or nobody runs PyTorch.

    For worker processes: PyTorch is never imported for it.
    """
    accelerator: Any = getattr(sys.modules.get("torch"), "accelerator", None)
    if accelerator is None or not accelerator.is_available():
        return None
    try:
        free, total = accelerator.get_memory_info()
    except (AttributeError, RuntimeError, NotImplementedError):  # older PyTorch, or such a device
        return None
    return total - free, total
