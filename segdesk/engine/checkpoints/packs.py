"""Packs: a checkpoint in one file, for machines without network.

A pack is a zip file without compression. Its first member, ``segdesk.json``, is the manifest with
the size and SHA-256 of each of the others, which lie beside it: no folders, links or anything else.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from segdesk.core.checkpoint_folder import check_folder, checkpoint_files
from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report, part, silent
from segdesk.engine.checkpoints.checking import check_weights, verify_hashes
from segdesk.engine.checkpoints.finding import find_checkpoint
from segdesk.engine.checkpoints.manifest import (
    MANIFEST,
    FileRecord,
    Manifest,
    check_name,
    describe_folder,
    parse_manifest,
    record_of,
)
from segdesk.engine.checkpoints.store import Installed, new_folder, put

SUFFIX = ".segpack"
_CHUNK = 2**20  # bytes
_LARGEST_MANIFEST = 16 * 2**20  # bytes
_MOST_MEMBERS = 1000
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # equal checkpoints make equal packs


def pack(ref: str, target: Path, name: str = "", report: Report = silent) -> Path:
    """Write a checkpoint into one file.

    Parameters
    ----------
    ref
        As for ``find_checkpoint``: a folder, the name of an installed checkpoint, or a Hub id.
    target
        The file; one that is there is replaced.
    name
        What it is to be called where it is imported; empty: as here.
    report
        Progress and stop.

    Raises
    ------
    CheckpointError
        When there is no such checkpoint, it is damaged, or the file cannot be written.
    """
    folder = find_checkpoint(ref, part(report, 0.0, 0.1))
    is_path = Path(ref).expanduser() == folder
    name = check_name(name or (folder.resolve().name if is_path else ref))
    check_folder(folder)
    verify_hashes(folder, part(report, 0.1, 0.2))
    check_weights(folder, part(report, 0.2, 0.4))
    hashing = part(report, 0.4, 0.6)
    files = {file: record_of(folder / file, hashing) for file in checkpoint_files(folder)}
    _write(
        folder, replace(describe_folder(folder, name, "pack", files), created=""), target, report
    )
    return target


def _write(folder: Path, manifest: Manifest, target: Path, report: Report) -> None:
    temporary = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as content:
            content.writestr(_member(MANIFEST), manifest.to_json())
            for number, file in enumerate(manifest.files):
                report(0.6 + 0.4 * number / len(manifest.files), f"Writing {file}")
                _add(content, folder / file)
        temporary.replace(target)
    except OSError as error:
        raise CheckpointError(f"{target}: cannot be written ({error.strerror}).") from error
    finally:
        temporary.unlink(missing_ok=True)


def import_pack(
    path: Path, name: str = "", replace_old: bool = False, report: Report = silent
) -> Installed:
    """Install the checkpoint in a pack; it counts once all of it has been checked.

    Parameters
    ----------
    path
        The pack.
    name
        What to call it; empty: as the pack says.
    replace_old
        Whether a checkpoint of that name may be replaced.
    report
        Progress and stop.

    Raises
    ------
    CheckpointError
        When the pack is damaged or hostile, or the name is taken; then nothing has changed.
    """
    with _opened(path) as content:
        manifest = _read_manifest(content, path)
        members = _checked_members(content, path, manifest)
        with new_folder(path) as folder:
            _check_space(folder, manifest, path)
            for number, member in enumerate(members):
                report(0.7 * number / len(members), f"Reading {member.filename}")
                _extract(content, member, folder, manifest.files[member.filename])
            check_weights(folder, part(report, 0.7, 1.0))
            checked = describe_folder(folder, name or manifest.name, "pack", manifest.files)
            return put(folder, replace(checked, origin=path.name), replace_old)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as content:
            yield content
    except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError, RuntimeError) as error:
        raise CheckpointError(f"{path}: damaged, or no pack ({error}).") from error


def _read_manifest(content: zipfile.ZipFile, path: Path) -> Manifest:
    members = content.infolist()
    if not members or members[0].filename != MANIFEST or len(members) > _MOST_MEMBERS:
        raise CheckpointError(f"{path}: no pack: it does not begin with {MANIFEST}.")
    _check_member(members[0], path)
    if members[0].file_size > _LARGEST_MANIFEST:
        raise CheckpointError(f"{path}: {MANIFEST} is larger than any description of a model.")
    try:
        described = json.loads(content.read(members[0]))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: {MANIFEST} cannot be read ({error}).") from error
    if not isinstance(described, dict):
        raise CheckpointError(f"{path}: {MANIFEST} is no description of a checkpoint.")
    return parse_manifest(described, path)


def _checked_members(
    content: zipfile.ZipFile, path: Path, manifest: Manifest
) -> list[zipfile.ZipInfo]:
    """Return the files: exactly those of the manifest, each once, plain and not compressed."""
    members = content.infolist()[1:]
    names = [member.filename for member in members]
    if sorted(names) != sorted(manifest.files) or len({n.casefold() for n in names}) < len(names):
        odd = sorted(set(names) ^ set(manifest.files)) or names
        raise CheckpointError(f"{path}: its manifest and its files differ ({odd[0]!r:.80}).")
    for member in members:
        _check_member(member, path)
        if member.file_size != manifest.files[member.filename].size:
            raise CheckpointError(f"{path}: {member.filename} has another size than it says.")
    return members


def _check_member(member: zipfile.ZipInfo, path: Path) -> None:
    mode = member.external_attr >> 16
    is_plain = stat.S_IFMT(mode) in (0, stat.S_IFREG) and not member.is_dir()
    is_stored = member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1
    if not is_plain or not is_stored or member.file_size != member.compress_size:
        raise CheckpointError(f"{path}: {member.filename!r:.80} is no plain, uncompressed file.")


def _check_space(folder: Path, manifest: Manifest, path: Path) -> None:
    free = shutil.disk_usage(folder).free
    if manifest.size > free:
        raise CheckpointError(
            f"{path}: takes {manifest.size / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free."
        )


def _extract(
    content: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, record: FileRecord
) -> None:
    """Copy one file out, never more than it should have, and compare its hash."""
    digest, left = hashlib.sha256(), record.size
    with content.open(member) as source, (folder / member.filename).open("xb") as target:
        while left > 0 and (chunk := source.read(min(_CHUNK, left))):
            target.write(chunk)
            digest.update(chunk)
            left -= len(chunk)
    if left or digest.hexdigest() != record.sha256:
        raise CheckpointError(
            f"{content.filename}: {member.filename} is damaged: its hash is not the one that the"
            " pack names."
        )


def _add(content: zipfile.ZipFile, file: Path) -> None:
    member = _member(file.name)
    member.file_size = file.stat().st_size
    with file.open("rb") as source, content.open(member, "w") as target:
        shutil.copyfileobj(source, target, _CHUNK)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    member.create_system = 3  # as on Unix, so that packs are equal wherever they are made
    return member
