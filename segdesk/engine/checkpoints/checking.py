"""Checks an installed checkpoint: every byte, as far as its hashes are known, and every weight."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from segdesk.core.checkpoint_folder import check_folder, checkpoint_files, weight_files
from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report, part, silent
from segdesk.core.weights import check_finite
from segdesk.engine.checkpoints.manifest import (
    MANIFEST,
    check_hashes,
    hash_file,
    read_manifest,
    sha256_of,
)

_SHA256, _SHA1 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")


def verify(folder: Path, report: Report = silent) -> int:
    """Check a checkpoint completely; return of how many files the hash was known.

    Raises ``CheckpointError`` that names the file that is damaged.
    """
    check_folder(folder)
    known = verify_hashes(folder, part(report, 0.0, 0.5))
    check_weights(folder, part(report, 0.5, 1.0))
    return known


def verify_hashes(folder: Path, report: Report = silent) -> int:
    """Compare the files with their known hashes: the store's, or those in the Hub's cache.

    Returns of how many files the hash was known. Raises ``CheckpointError``.
    """
    if (folder / MANIFEST).is_file():
        files = read_manifest(folder / MANIFEST).files
        check_hashes(folder, files, report)
        return len(files)
    if folder.resolve().parent.name == "snapshots":
        return sum(_is_named_by_hash(folder / name, report) for name in checkpoint_files(folder))
    return 0


def check_weights(folder: Path, report: Report = silent) -> None:
    """Raise ``CheckpointError`` unless all weights are there, whole and finite."""
    names = weight_files(folder)
    for number, name in enumerate(names):
        check_finite(folder / name, part(report, number / len(names), (number + 1) / len(names)))


def check_git_blob(file: Path, blob_id: str, report: Report) -> bool:
    """Whether a file has the id that Git gives to its bytes."""
    head = f"blob {file.stat().st_size}\0".encode()
    return hash_file(file, hashlib.sha1(head, usedforsecurity=False), report) == blob_id


def _is_named_by_hash(link: Path, report: Report) -> bool:
    """Check a file in the Hub client's cache, which is a link to a file named by its hash."""
    file = link.resolve()
    if _SHA256.fullmatch(file.name):
        is_whole = sha256_of(file, report) == file.name
    elif _SHA1.fullmatch(file.name):
        is_whole = check_git_blob(file, file.name, report)
    else:
        return False
    if not is_whole:
        raise CheckpointError(
            f"{link}: is not what came from the Hub, so it is damaged: remove the checkpoint and"
            " get it again."
        )
    return True
