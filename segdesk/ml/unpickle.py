"""Turns pickled weights into safetensors: for ``segdesk checkpoints import --allow-pickled``."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

_SAFE_SINCE = (
    2,
    10,
)  # before it, pickles could break out of ``weights_only`` (GHSA-63cw-57p8-fm3p)
_INSIDE = ("state_dict", "model", "model_state_dict")


def main(target: str, *sources: str) -> None:
    """Convert files into one; ends with one line on stderr when they hold more than tensors."""
    version = tuple(int(number) for number in torch.__version__.split(".")[:2])
    if version < _SAFE_SINCE:
        sys.exit("PyTorch 2.10 or newer is needed to open pickles safely.")
    weights: dict[str, torch.Tensor] = {}
    for source in sources:
        weights |= _tensors(Path(source))
    save_file(weights, target, {"format": "pt"})


def _tensors(source: Path) -> dict[str, torch.Tensor]:
    """Return copies of the tensors in a file: they may share memory in it, and must not here."""
    try:
        content: Any = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        sys.exit(f"{source.name} asks for more than tensors, and was not opened")
    except (RuntimeError, EOFError, ValueError, OSError) as error:
        sys.exit(f"{source.name} is no file of weights ({_first_line(error)})")
    for name in _INSIDE:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        sys.exit(f"{source.name} holds no table of weights")
    strangers = [name for name, value in content.items() if not isinstance(value, torch.Tensor)]
    if strangers or not content:
        sys.exit(f"{source.name} holds something else than weights ({strangers[:1]})")
    return {name: tensor.detach().clone().contiguous() for name, tensor in content.items()}


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


if __name__ == "__main__":
    main(*sys.argv[1:])
