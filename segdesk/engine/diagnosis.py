"""What this machine offers: for ``segdesk doctor`` and for reports of faults."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from segdesk import __version__
from segdesk.engine.checkpoints.store import store_folder
from segdesk.engine.devices import describe
from segdesk.engine.folders import cache_folder, config_folder, data_folder, plugin_folder
from segdesk.engine.offline import is_offline
from segdesk.engine.registry import registry

LIBRARIES = (
    "numpy",
    "scipy",
    "opencv-python-headless",
    "pillow",
    "tifffile",
    "scikit-image",
    "PySide6-Essentials",
    "torch",
    "transformers",
)


def diagnose() -> dict[str, Any]:
    """Return the state of this installation; takes seconds, as PyTorch is started.

    Returns
    -------
    dict
        ``versions`` by name (None: not installed), ``machine`` (system, processors, memory in
        GiB), ``devices`` as ``devices.describe`` gives them, ``folders`` by use with ``path`` and
        ``writable``, and ``broken_plugins`` with their reasons.
    """
    return {
        "versions": _versions(),
        "machine": _machine(),
        "devices": describe(),
        "folders": _folders(),
        "broken_plugins": {p.name: p.reason for p in registry().plugins if p.status == "broken"},
    }


def in_words(found: dict[str, Any]) -> Iterator[str]:
    """Yield what ``diagnose`` has found as lines for people."""
    for part, facts in found.items():
        yield part.replace("_", " ")
        if not facts:
            yield "  none"
        for name, fact in facts.items():
            yield f"  {name.replace('_', ' '):24}{_fact(fact)}"


def test_in_words(found: dict[str, Any]) -> Iterator[str]:
    """Yield what ``devices.self_test`` has measured as lines for people."""
    yield "self-test (SegFormer B0; matrix product)"
    if "error" in found:
        yield f"  {found['error']}"
        return
    for device, precisions in found.items():
        for precision, figures in precisions.items():
            yield f"  {device} {precision:{24 - len(device) - 1}}{_figures(figures)}"


def _figures(figures: dict[str, Any]) -> str:
    if "reason" in figures:
        return f"no: {figures['reason']}"
    megapixels, gflops = figures["megapixels_per_second"], figures["gflops"]
    return f"{megapixels:10,.3f} megapixels/s {gflops:10,.0f} GFLOP/s"


def _versions() -> dict[str, str | None]:
    own = {"segdesk": __version__, "python": platform.python_version()}
    return own | {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _machine() -> dict[str, Any]:
    import psutil

    memory = psutil.virtual_memory()
    return {
        "system": platform.platform(),
        "python": sys.executable,
        "offline_mode": is_offline(),
        "processors": os.cpu_count(),
        "memory_gib": round(memory.total / 2**30, 1),
        "free_memory_gib": round(memory.available / 2**30, 1),
    }


def _folders() -> dict[str, dict[str, Any]]:
    folders = {
        "settings": config_folder(),
        "data": data_folder(),
        "checkpoints": store_folder(),
        "plugins": plugin_folder(),
        "cache": cache_folder(),
    }
    return {
        use: {"path": str(folder), "writable": _is_writable(folder)}
        for use, folder in folders.items()
    }


def _is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or in the nearest one above it that exists."""
    existing = next(place for place in [folder, *folder.parents] if place.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)


def _fact(fact: Any) -> str:
    """Return a fact in one line, such as "yes; threads 2" or "no: there is no driver"."""
    if not isinstance(fact, dict):
        return "not installed" if fact is None else str(fact)
    if "path" in fact:
        return str(fact["path"]) + ("" if fact["writable"] else " (read-only)")
    if not fact.keys() & {"available", "reason"}:
        return "; ".join(f"{key} {_short(value)}" for key, value in fact.items())
    answer = "yes" if fact.get("available") else f"no: {fact.get('reason', 'not said')}"
    rest = {key: value for key, value in fact.items() if key not in ("available", "reason")}
    return "; ".join([answer, *(f"{key} {_short(value)}" for key, value in rest.items() if value)])


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {number}" for key, number in value.items())
    if isinstance(value, list):
        return ", ".join(" ".join(map(str, device.values())) for device in value)
    return str(value)
