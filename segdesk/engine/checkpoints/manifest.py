"""What is written beside a checkpoint's files: where they are from, and what they must be."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from segdesk.core.checkpoint_config import category_names, tasks_of
from segdesk.core.checkpoint_folder import (
    CONFIG,
    check_folder,
    licence_in,
    read_json,
)
from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report, part

MANIFEST = "segdesk.json"
FORMAT = 1
HUB_ID = re.compile(r"(?!.*--)[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
FILE_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9][\w.-]{0,127}(?<!\.)", re.ASCII)
DEVICE_NAME = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows

_CHUNK = 2**20  # bytes
_SHA256 = re.compile(r"[0-9a-f]{64}")

Source = Literal["hub", "folder", "pack", "cache"]


@dataclass(frozen=True)
class FileRecord:
    """One file of a checkpoint."""

    size: int  # bytes
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All that is known of a checkpoint without reading its weights."""

    name: str  # a Hub id, or one word
    source: Source
    origin: str = ""  # the Hub id and its pull request, or the name of the folder or pack
    revision: str = ""  # the commit on the Hub
    licence: str = ""
    model_type: str = ""
    tasks: tuple[str, ...] = ()
    categories: tuple[tuple[int, str], ...] = ()
    created: str = ""
    files: dict[str, FileRecord] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(record.size for record in self.files.values())

    def to_json(self) -> str:
        """Return it as the text of its file."""
        return json.dumps({"format": FORMAT} | asdict(self), indent=1)


def check_name(name: str) -> str:
    """Return a name that can be that of a checkpoint; raises ``CheckpointError`` otherwise."""
    parts = name.split("/")
    if not HUB_ID.fullmatch(name) or any(DEVICE_NAME.fullmatch(part) for part in parts):
        raise CheckpointError(
            f"{name!r} is no name for a checkpoint: letters, digits, '.', '_' and '-' are, with"
            " one '/' at most."
        )
    return name


def describe_folder(
    folder: Path, name: str, source: Source, files: dict[str, FileRecord]
) -> Manifest:
    """Check the description in a folder whose files have been hashed; return it in short.

    Raises ``CheckpointError``.
    """
    check_folder(folder)
    config = read_json(folder / CONFIG)
    return Manifest(
        name=check_name(name),
        source=source,
        licence=licence_in(folder),
        model_type=str(config.get("model_type", "")),
        tasks=tasks_of(config),
        categories=tuple(sorted(category_names(config).items())),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        files=files,
    )


def read_manifest(path: Path) -> Manifest:
    """Return what a file says. Raises ``CheckpointError``."""
    return parse_manifest(read_json(path), path)


def parse_manifest(content: dict[str, Any], path: Path) -> Manifest:
    """Return what an object says; every name and hash in it is one. Raises ``CheckpointError``."""
    try:
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']!r:.20}; this version reads {FORMAT}")
        texts = ("origin", "revision", "licence", "model_type", "created")
        return Manifest(
            name=check_name(content["name"]),
            source=content["source"],
            tasks=tuple(str(task) for task in content["tasks"]),
            categories=tuple((int(i), str(name)) for i, name in content["categories"]),
            files={_file_name(name): _record(entry) for name, entry in content["files"].items()},
            **{key: str(content[key]) for key in texts},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: no description of a checkpoint ({error}).") from error


def record_of(file: Path, report: Report) -> FileRecord:
    """Return size and hash of a file. Raises ``CheckpointError``."""
    sha256 = sha256_of(file, report)
    return FileRecord(file.stat().st_size, sha256)


def sha256_of(file: Path, report: Report) -> str:
    """Return the hash of a file. Raises ``CheckpointError``."""
    return hash_file(file, hashlib.sha256(), report)


def hash_file(file: Path, digest: Any, report: Report) -> str:
    """Return the hex digest of a file's bytes after what the digest has already got."""
    total = 1
    try:
        total = max(file.stat().st_size, 1)
        with file.open("rb") as content:
            for done, chunk in enumerate(iter(lambda: content.read(_CHUNK), b"")):
                report(min(1.0, done * _CHUNK / total), f"Checking {file.name}")
                digest.update(chunk)
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read ({error.strerror}).") from error
    found: str = digest.hexdigest()
    return found


def check_hashes(folder: Path, files: dict[str, FileRecord], report: Report) -> None:
    """Raise ``CheckpointError`` that names the first file that is not what it was."""
    for number, (name, record) in enumerate(files.items()):
        share = part(report, number / len(files), (number + 1) / len(files))
        if sha256_of(folder / name, share) != record.sha256:
            raise CheckpointError(
                f"{folder / name}: has changed since it was installed, so it is damaged: remove"
                " the checkpoint and get it again."
            )


def _file_name(name: Any) -> str:
    if not isinstance(name, str) or not FILE_NAME.fullmatch(name) or DEVICE_NAME.fullmatch(name):
        raise ValueError(f"{name!r:.60} is no name of a file")
    return name


def _record(entry: Any) -> FileRecord:
    size, sha256 = entry["size"], entry["sha256"]
    if type(size) is not int or size < 0 or not _SHA256.fullmatch(sha256):
        raise ValueError("a size or hash is none")
    return FileRecord(size, sha256)
