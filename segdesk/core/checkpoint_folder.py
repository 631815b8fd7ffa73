"""A checkpoint's folder, looked at without trusting it: JSON and safetensors, never code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from segdesk.core.checkpoint_config import check_config, check_processor
from segdesk.core.errors import CheckpointError

CONFIG = "config.json"
PROCESSOR = "preprocessor_config.json"
VIDEO_PROCESSOR = "video_preprocessor_config.json"
WHOLE_PROCESSOR = "processor_config.json"  # with those of text and prompts; may stand alone
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
COMPANIONS = (  # files that some processors need, and what a person should know
    WHOLE_PROCESSOR,
    VIDEO_PROCESSOR,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
    "LICENSE.md",
    "NOTICE",
)
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")  # suffixes

_LARGEST_JSON = 16 * 2**20  # bytes
_SHARD = re.compile(r"\w[\w.-]*\.safetensors", re.ASCII)
_LICENCE = re.compile(r"\A---\s*\n(?:.*\n)*?license:\s*[\"']?([\w.+-]+)", re.ASCII)


def missing_files(folder: Path) -> list[str]:
    """Return the names of the files that are needed and not there.

    Raises ``CheckpointError`` when the list of the weights' files is damaged or hostile.
    """
    wanted = [CONFIG, _processor_file(folder), *weight_files(folder)]
    return [name for name in wanted if not (folder / name).is_file()]


def checkpoint_files(folder: Path) -> list[str]:
    """Return the names of all files of a complete checkpoint that are worth keeping."""
    needed = [CONFIG, _processor_file(folder), *weight_files(folder)]
    others = [name for name in (INDEX, *COMPANIONS) if (folder / name).is_file()]
    return list(dict.fromkeys([*needed, *others]))


def check_folder(folder: Path) -> None:
    """Raise ``CheckpointError`` when files are missing or elsewhere, or ask for more than data."""
    missing = missing_files(folder)
    if missing:
        raise CheckpointError(f"{folder}: {', '.join(missing)} is missing{_pickle_hint(folder)}.")
    if (folder / "adapter_config.json").exists():
        raise CheckpointError(
            f"{folder}: adapter_config.json is there, so it holds an adapter for another model:"
            " merge the two and save the result."
        )
    for name in checkpoint_files(folder):
        check_place(folder, name)
    check_config(folder / CONFIG, read_json(folder / CONFIG))
    for name in (VIDEO_PROCESSOR, PROCESSOR, WHOLE_PROCESSOR):
        if (folder / name).is_file():
            check_processor(folder / name, read_json(folder / name))


def weight_files(folder: Path) -> list[str]:
    """Return the names of all files of weights, be they there or not."""
    if (folder / WEIGHTS).is_file() or not (folder / INDEX).is_file():
        return [WEIGHTS]
    check_place(folder, INDEX)
    shards = read_json(folder / INDEX).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise CheckpointError(f"{folder / INDEX}: lists no weights.")
    names = sorted({str(name) for name in shards.values()})
    for name in names:
        if not _SHARD.fullmatch(name):
            raise CheckpointError(f"{folder / INDEX}: {name!r} is no name of a safetensors file.")
    return names


def pickled_weights(folder: Path) -> list[Path]:
    """Return the files of weights that could run code when opened, by their names."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICKLES)
    except OSError:
        return []


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file. Raises ``CheckpointError``."""
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise CheckpointError(f"{path}: larger than any description of a model.")
        content = json.loads(path.read_bytes(), object_pairs_hook=_without_twins)
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}).") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: no description of a model.")
    return content


def licence_in(folder: Path) -> str:
    """Return the licence that a model card names at its top; empty when there is none."""
    try:
        with (folder / "README.md").open(encoding="utf-8", errors="replace") as card:
            found = _LICENCE.match(card.read(20_000))
    except OSError:
        return ""
    return found[1] if found else ""


def _processor_file(folder: Path) -> str:
    names = (VIDEO_PROCESSOR, PROCESSOR, WHOLE_PROCESSOR)  # some models have only one of them
    return next((name for name in names if (folder / name).is_file()), PROCESSOR)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that names something twice: two readers might understand it differently."""
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it names {twin!r} twice")
    return content


def check_place(folder: Path, name: str) -> None:
    """Refuse a link out of the folder; a folder in the Hub's cache has its files beside it.

    Raises ``CheckpointError``.
    """
    root = folder.resolve()
    if root.parent.name == "snapshots" and root.parents[1].name.startswith("models--"):
        root = root.parents[1]
    if not (folder / name).resolve().is_relative_to(root):
        raise CheckpointError(f"{folder / name}: a link to a file outside the folder.")


def _pickle_hint(folder: Path) -> str:
    pickles = pickled_weights(folder)
    if not pickles:
        return ""
    return (
        f" ({pickles[0].name} is a pickle, which can run code when opened:"
        " `segdesk checkpoints import --allow-pickled` converts it)"
    )
