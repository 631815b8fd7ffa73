"""The checkpoints on this machine: our own folder of them, and the Hub client's cache."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from segdesk.core.checkpoint_config import tasks_of
from segdesk.core.checkpoint_folder import (
    CONFIG,
    checkpoint_files,
    licence_in,
    missing_files,
    read_json,
)
from segdesk.core.errors import CheckpointError, UsageError
from segdesk.engine.checkpoints.manifest import (
    MANIFEST,
    Manifest,
    check_name,
    read_manifest,
)
from segdesk.engine.folders import data_folder

INCOMING = ".incoming"
_PREFIX = "new-"
_FORGOTTEN = 86_400  # seconds after which a folder that is being prepared is not any more


@dataclass(frozen=True)
class Installed:
    """A complete checkpoint on this machine."""

    name: str  # what to give as the checkpoint to segment with
    path: Path
    source: str  # "hub", "folder", "pack", or "cache": that of the Hub's client
    size: int  # bytes
    licence: str  # empty: not said
    model_type: str
    tasks: tuple[str, ...]  # as in ``SegmenterSpec.task``; empty: unknown
    revision: str  # commit on the Hub; empty elsewhere
    used: float  # when it was used or installed last, seconds since 1970

    def suits(self, task: str) -> bool:
        """Whether a segmenter for a task may take it."""
        return not self.tasks or task in self.tasks


def store_folder() -> Path:
    """Return the folder of our own checkpoints."""
    return data_folder() / "checkpoints"


def installed() -> list[Installed]:
    """Return all complete checkpoints here, the one used last first."""
    own = list(_own())
    names = {checkpoint.name for checkpoint in own}
    cached = [checkpoint for checkpoint in _cached() if checkpoint.name not in names]
    return sorted([*own, *cached], key=lambda checkpoint: -checkpoint.used)


def find_installed(name: str) -> Installed | None:
    """Return the checkpoint of a name; None when there is none here."""
    return next((found for found in installed() if found.name == name), None)


def need_installed(name: str) -> Installed:
    """Return the checkpoint of a name; raises ``UsageError`` that names those that are here."""
    found = find_installed(name)
    if found is None:
        names = ", ".join(checkpoint.name for checkpoint in installed()) or "none"
        raise UsageError(f"There is no checkpoint {name!r} on this machine. Known: {names}.")
    return found


def place_of(name: str) -> Path:
    """Return the folder of a name in the store, be it there or not."""
    return store_folder() / check_name(name).replace("/", "--")


@contextmanager
def new_folder(source: Path) -> Iterator[Path]:
    """Give an empty folder to prepare a checkpoint in; what is left there is removed.

    Errors that name the folder, which the user has never heard of, name the source instead.
    """
    parent = store_folder() / INCOMING
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for old in parent.glob(f"{_PREFIX}*"):
            if time.time() - _time(old) > _FORGOTTEN:  # its process was killed
                shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    except OSError as error:
        raise CheckpointError(f"{parent}: cannot be written to ({error.strerror}).") from error
    try:
        with naming(folder, str(source)):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def naming(folder: Path, source: str) -> Iterator[None]:
    """Let errors name where a checkpoint is from instead of the folder it is prepared in."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(str(error).replace(str(folder), source)) from error


def put(folder: Path, manifest: Manifest, replace: bool = False) -> Installed:
    """Move a checked folder into the store; it counts from then on.

    Raises ``CheckpointError`` when the name is taken and ``replace`` is not set, or the disk fails.
    """
    target = place_of(manifest.name)
    if target.exists() and not replace:
        raise CheckpointError(
            f"{manifest.name}: there is a checkpoint of this name already: give another one with"
            " --name, or remove the old one first."
        )
    try:
        (folder / MANIFEST).write_text(manifest.to_json(), "utf-8")
        if target.exists():
            _exchange(folder, target)
        else:
            folder.replace(target)
    except OSError as error:
        raise CheckpointError(f"{target}: cannot be written ({error.strerror}).") from error
    mark_used(target)
    return need_installed(manifest.name)


def _exchange(folder: Path, target: Path) -> None:
    """Put a folder in the place of another one, which stays there when that fails."""
    with new_folder(target) as grave:
        old = target.replace(grave / "old")
        try:
            folder.replace(target)
        except OSError:
            old.replace(target)
            raise


def remove(name: str) -> None:
    """Delete a checkpoint from this machine. Raises ``UsageError`` or ``CheckpointError``."""
    found = need_installed(name)
    folder = found.path if found.source != "cache" else found.path.parents[1]
    grave = folder.with_name(f".{uuid4().hex}")
    try:
        folder.replace(grave)  # out of sight at once
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot be removed ({error.strerror}).") from error
    shutil.rmtree(grave, ignore_errors=True)


def mark_used(folder: Path) -> None:
    """Note that a checkpoint is used now: in the time of its folder."""
    with suppress(OSError):  # a cache that somebody else owns
        os.utime(folder, (time.time(), time.time()))


def hub_cache() -> Path:
    """Return the folder in which the Hub's own client keeps what it has fetched."""
    above = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or Path(above) / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def _own() -> Iterator[Installed]:
    for file in store_folder().glob(f"[!.]*/{MANIFEST}"):
        with suppress(CheckpointError):  # half removed, or by a newer version
            m = read_manifest(file)
            if place_of(m.name) == file.parent:
                about = (m.size, m.licence, m.model_type, m.tasks, m.revision)
                yield Installed(m.name, file.parent, m.source, *about, _time(file.parent))


def _cached() -> Iterator[Installed]:
    """Yield the newest complete copy of each segmentation model in the Hub client's cache."""
    for repository in hub_cache().glob("models--*"):
        name = repository.name.removeprefix("models--").replace("--", "/")
        copies = sorted(repository.glob("snapshots/*"), key=_time, reverse=True)
        for folder in copies:
            with suppress(CheckpointError, OSError):
                if not missing_files(folder):
                    yield _of_cache(name, folder)
                    break


def _of_cache(name: str, folder: Path) -> Installed:
    config = read_json(folder / CONFIG)
    size = sum((folder / file).stat().st_size for file in checkpoint_files(folder))
    about = (licence_in(folder), str(config.get("model_type", "")), tasks_of(config), folder.name)
    return Installed(name, folder, "cache", size, *about, _time(folder))


def _time(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
