"""Installs a checkpoint from a folder or a pack: copied, checked, and only then counted."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

from segdesk.core.checkpoint_folder import (
    COMPANIONS,
    CONFIG,
    PROCESSOR,
    WEIGHTS,
    check_folder,
    check_place,
    checkpoint_files,
    missing_files,
    pickled_weights,
)
from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report, part, silent
from segdesk.engine.checkpoints.checking import check_weights
from segdesk.engine.checkpoints.converting import convert_pickled, pickles_of_weights
from segdesk.engine.checkpoints.manifest import FileRecord, check_name, describe_folder, record_of
from segdesk.engine.checkpoints.packs import import_pack
from segdesk.engine.checkpoints.store import Installed, new_folder, put

_CHUNK = 2**20  # bytes


def import_checkpoint(
    source: Path,
    name: str = "",
    allow_pickled: bool = False,
    replace_old: bool = False,
    report: Report = silent,
) -> Installed:
    """Install a checkpoint from a folder or a pack.

    Parameters
    ----------
    source
        The folder, as ``save_pretrained`` writes it, or the pack.
    name
        What to call it; empty: as the folder, or as the pack says.
    allow_pickled
        Whether the user agrees to open weights that are pickles: once, in a process of its own,
        with a reader that takes tensors only; what is kept are safetensors.
    replace_old
        Whether a checkpoint of that name may be replaced.
    report
        Progress and stop.

    Raises
    ------
    CheckpointError
        When it is incomplete, damaged or hostile, or the name is taken; then nothing has changed.
    """
    if source.is_file():
        return import_pack(source, name, replace_old, report)
    if not source.is_dir():
        raise CheckpointError(f"{source}: there is no such folder or pack.")
    name = check_name(name or source.resolve().name)
    with new_folder(source) as folder:
        if allow_pickled and is_pickled(source):
            files = _copy_converted(source, folder, report)
        else:
            check_folder(source)
            files = _copy(source, folder, checkpoint_files(source), part(report, 0.0, 0.6))
        check_weights(folder, part(report, 0.6, 1.0))
        manifest = describe_folder(folder, name, "folder", files)
        return put(folder, replace(manifest, origin=source.resolve().name), replace_old)


def is_pickled(source: Path) -> bool:
    """Whether a folder holds its weights as pickles only. Raises ``CheckpointError``."""
    lacks = source.is_dir() and WEIGHTS in missing_files(source)
    return lacks and bool(pickled_weights(source))


def _copy_converted(source: Path, folder: Path, report: Report) -> dict[str, FileRecord]:
    names = [CONFIG, PROCESSOR, *COMPANIONS]
    pickles = [path.name for path in pickles_of_weights(source)]
    wanted = [*(name for name in names if (source / name).is_file()), *pickles]
    for name in wanted:
        check_place(source, name)
    _copy(source, folder, wanted, part(report, 0.0, 0.3))
    convert_pickled(folder, part(report, 0.3, 0.5))
    check_folder(folder)
    return {name: record_of(folder / name, report) for name in checkpoint_files(folder)}


def _copy(source: Path, folder: Path, names: list[str], report: Report) -> dict[str, FileRecord]:
    try:
        total = sum((source / name).stat().st_size for name in names)
        if total > shutil.disk_usage(folder).free:
            raise CheckpointError(f"{source}: {total / 1e6:.0f} MB do not fit on the disk.")
        return {name: _copy_file(source / name, folder / name, report) for name in names}
    except OSError as error:
        raise CheckpointError(f"{source}: cannot be copied ({error.strerror}).") from error


def _copy_file(source: Path, target: Path, report: Report) -> FileRecord:
    digest, done, total = hashlib.sha256(), 0, max(source.stat().st_size, 1)
    with source.open("rb") as reader, target.open("xb") as writer:
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            report(min(1.0, done / total), f"Copying {source.name}")
    return FileRecord(done, digest.hexdigest())
