"""Reads a checkpoint's weights: safetensors only, and only what is whole and finite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from segdesk.core.checkpoint_folder import weight_files
from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report


def read_weights(folder: Path, report: Report) -> dict[str, torch.Tensor]:
    """Return all tensors by name.

    Raises ``CheckpointError`` when a file is missing or damaged, or a weight is no number.
    """
    files = [folder / name for name in weight_files(folder)]
    weights: dict[str, torch.Tensor] = {}
    for number, file in enumerate(files):
        for done, (name, tensor) in _tensors(file):
            report((number + done) / len(files), "Reading the weights")
            if not _is_finite(tensor):
                raise CheckpointError(f"{file}: the weight {name} is not finite: it is damaged.")
            weights[name] = tensor
    return weights


def _is_finite(tensor: torch.Tensor) -> bool:
    if not tensor.is_floating_point():
        return True
    comparable = tensor.float() if tensor.element_size() == 1 else tensor  # eighth precision
    return bool(torch.isfinite(comparable).all())


def _tensors(file: Path) -> Iterator[tuple[float, tuple[str, torch.Tensor]]]:
    """Yield (part done, (name, tensor)) of a file."""
    try:
        with safe_open(file, "pt") as content:
            names = list(content.keys())
            for number, name in enumerate(names):
                yield number / len(names), (name, content.get_tensor(name))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file}: damaged, or no safetensors file ({error}).") from error
