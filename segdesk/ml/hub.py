"""Finds a checkpoint: a folder, a copy from the Hub on this machine, or the Hub itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from huggingface_hub import constants, get_repo_discussions, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import tqdm

from segdesk.core.errors import CheckpointError, SegdeskError
from segdesk.core.progress import Report
from segdesk.ml.checkpoint_folder import (
    CONFIG,
    INDEX,
    PROCESSOR,
    VIDEO_PROCESSOR,
    WEIGHTS,
    missing_files,
)

_TOKENIZER = ["vocab.json", "merges.txt", "tokenizer*.json", "special_tokens_map.json"]
_PROCESSORS = [PROCESSOR, VIDEO_PROCESSOR]
_WANTED = [CONFIG, *_PROCESSORS, WEIGHTS, INDEX, "model-*-of-*.safetensors", *_TOKENIZER]
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", re.ASCII)
_CONVERTER = "SFconvertbot"
_MOST_NAMED = 5


def find_checkpoint(ref: str, report: Report) -> Path:
    """Return the folder of a checkpoint; downloads it when it is a Hub id and not here yet.

    Parameters
    ----------
    ref
        A folder, or a Hub id such as ``nvidia/segformer-b0-finetuned-ade-512-512``.
    report
        Hears of bytes; raises ``Cancelled``, then what has come is kept for the next time.

    Raises
    ------
    CheckpointError
        When there is no such folder or model, it needs a licence, or the Hub is out of reach.
    """
    folder = Path(ref).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise CheckpointError(f"{ref}: a file; a checkpoint is a folder or a Hub id.")
    if not _HUB_ID.fullmatch(ref):
        raise CheckpointError(f"{ref}: there is no such folder.")
    report(0.0, f"Looking for {ref}")
    return _on_this_machine(ref) or _downloaded(ref, report)


def _on_this_machine(ref: str) -> Path | None:
    """Return the newest complete copy in the cache of the Hub's client."""
    name = "--".join(["models", *ref.split("/")])
    snapshots = [path for path in _cache().glob(f"{name}/snapshots/*") if not missing_files(path)]
    return max(snapshots, key=lambda path: path.stat().st_mtime, default=None)


def _names_on_this_machine() -> list[str]:
    """Return some models of which there is a complete copy."""
    complete = {
        path.parent.parent.name.removeprefix("models--").replace("--", "/")
        for path in _cache().glob("models--*/snapshots/*")
        if not missing_files(path)
    }
    return sorted(complete)[:_MOST_NAMED]


def _cache() -> Path:
    return Path(constants.HF_HUB_CACHE)


def _downloaded(ref: str, report: Report) -> Path:
    try:
        folder = _snapshot(ref, None, report)
        if WEIGHTS not in missing_files(folder):
            return folder
        return _snapshot(ref, _converted(ref), report)
    except SegdeskError:
        raise
    except GatedRepoError as error:
        raise CheckpointError(
            f"{ref}: accept its licence on the Hub first, and sign in with `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"{ref}: neither a folder here nor a public model on the Hub."
        ) from error
    except Exception as error:  # whatever the network makes of it
        raise CheckpointError(f"{ref}: not on this machine, and {_reason(error)}.") from error


def _snapshot(ref: str, revision: str | None, report: Report) -> Path:
    """Download what is wanted of one revision, and not here yet; return its folder."""
    return Path(
        snapshot_download(ref, revision=revision, allow_patterns=_WANTED, tqdm_class=_bar(report))
    )


def _converted(ref: str) -> str:
    """Return the revision in which the Hub's own converter offers safetensors weights.

    Many older models hold pickles only; for these there is a pull request by that bot.
    """
    for offer in get_repo_discussions(ref, author=_CONVERTER, discussion_type="pull_request"):
        if offer.author == _CONVERTER and offer.git_reference:
            return str(offer.git_reference)
    raise CheckpointError(
        f"{ref}: has no safetensors weights on the Hub, and others could run code when opened:"
        " choose another model, or convert it and give its folder."
    )


def _reason(error: Exception) -> str:
    here = _names_on_this_machine()
    hint = f"; here are {', '.join(here)}" if here else "; a folder works offline"
    if isinstance(error, LocalEntryNotFoundError):
        return f"the Hub cannot be reached{hint}"
    first = str(error).strip().partition("\n")[0]
    return f"the download failed ({first}){hint}"


def _bar(report: Report) -> type[Any]:
    """Return the kind of progress bar that the Hub's client takes: shows nothing, but reports."""

    class ReportingBar(tqdm):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            self._counts_bytes = settings.get("unit") == "B"
            super().__init__(*arguments, **settings | {"disable": True})

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self._counts_bytes and self.total:
                size = f"{self.n / 1e6:.1f} of {self.total / 1e6:.1f} MB"
                report(min(1.0, self.n / self.total), f"Downloading {size}")

    return ReportingBar
