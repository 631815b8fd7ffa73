"""Reads a checkpoint's folder without trusting it: JSON and safetensors, never code or pickles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report

CONFIG = "config.json"
PROCESSOR = "preprocessor_config.json"
VIDEO_PROCESSOR = "video_preprocessor_config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"

_LARGEST_JSON = 16 * 2**20  # bytes
_SHARD = re.compile(r"\w[\w.-]*\.safetensors")
_ATTENTION = ("attn_implementation", "_attn_implementation", "_attn_implementation_internal")


def missing_files(folder: Path) -> list[str]:
    """Return the names of the files that are needed and not there.

    Raises ``CheckpointError`` when the list of the weights' files is damaged or hostile.
    """
    is_for_video = (folder / VIDEO_PROCESSOR).is_file()
    wanted = [CONFIG, VIDEO_PROCESSOR if is_for_video else PROCESSOR, *_weight_files(folder)]
    return [name for name in wanted if not (folder / name).is_file()]


def check_folder(folder: Path) -> None:
    """Raise ``CheckpointError`` when files are missing, or ask for more than data."""
    missing = missing_files(folder)
    if missing:
        raise CheckpointError(f"{folder}: {', '.join(missing)} is missing{_pickle_hint(folder)}.")
    if (folder / "adapter_config.json").exists():
        raise CheckpointError(
            f"{folder}: holds an adapter for another model: merge the two and save the result."
        )
    _check_config(folder, _read_json(folder / CONFIG))


def read_weights(folder: Path, report: Report) -> dict[str, torch.Tensor]:
    """Return all tensors by name.

    Raises ``CheckpointError`` when a file is missing or damaged, or a weight is no number.
    """
    files = [folder / name for name in _weight_files(folder)]
    weights: dict[str, torch.Tensor] = {}
    for number, file in enumerate(files):
        for done, (name, tensor) in _tensors(file):
            report((number + done) / len(files), "Reading the weights")
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise CheckpointError(f"{file}: the weight {name} is not finite: it is damaged.")
            weights[name] = tensor
    return weights


def _tensors(file: Path) -> Iterator[tuple[float, tuple[str, torch.Tensor]]]:
    """Yield (part done, (name, tensor)) of a file."""
    try:
        with safe_open(file, "pt") as content:
            names = list(content.keys())
            for number, name in enumerate(names):
                yield number / len(names), (name, content.get_tensor(name))
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file}: damaged, or no safetensors file ({error}).") from error


def _weight_files(folder: Path) -> list[str]:
    """Return the names of all files of weights, be they there or not."""
    if (folder / WEIGHTS).is_file() or not (folder / INDEX).is_file():
        return [WEIGHTS]
    shards = _read_json(folder / INDEX).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise CheckpointError(f"{folder / INDEX}: lists no weights.")
    names = sorted({str(name) for name in shards.values()})
    for name in names:
        if not _SHARD.fullmatch(name):
            raise CheckpointError(f"{folder / INDEX}: {name!r} is no name of a safetensors file.")
    return names


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise CheckpointError(f"{path}: larger than any description of a model.")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}).") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: no description of a model.")
    return content


def _check_config(folder: Path, config: dict[str, Any]) -> None:
    """Refuse what would make transformers fetch or run more than this folder holds."""
    for part in _parts(config):
        kernels = [str(part[key]) for key in _ATTENTION if "/" in str(part.get(key))]
        if kernels or part.get("fusion_config"):
            wanted = kernels[0] if kernels else "code that replaces parts of the model"
            raise CheckpointError(f"{folder / CONFIG}: asks for {wanted}, which is foreign code.")
        if part.get("backbone") and not part.get("backbone_config"):
            raise CheckpointError(
                f"{folder / CONFIG}: leaves its backbone {part['backbone']!r} to be fetched from"
                " elsewhere: save the model with its whole configuration."
            )
    if config.get("quantization_config"):
        raise CheckpointError(f"{folder}: quantised weights cannot be used: take the full ones.")


def _parts(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a configuration and all those inside it."""
    yield config
    for key, value in config.items():
        if not isinstance(value, dict):
            continue
        if key == "decoder_config":  # MaskFormer's names a backbone as DETR's does, and has none
            value = {**value, "backbone": None, "backbone_config": None}
        yield from _parts(value)


def _pickle_hint(folder: Path) -> str:
    pickles = sorted(path.name for path in folder.glob("*.bin"))
    if not pickles:
        return ""
    return f" ({pickles[0]} is a pickle, which can run code when opened: convert it to safetensors)"
