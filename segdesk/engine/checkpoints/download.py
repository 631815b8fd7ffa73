"""Fetches a checkpoint from the Hub: goes on where it was stopped, and checks every byte."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from segdesk.core.checkpoint_folder import WEIGHTS
from segdesk.core.errors import CheckpointError, SegdeskError
from segdesk.core.progress import Report, part, silent
from segdesk.engine.checkpoints.checking import check_git_blob, check_weights, verify_hashes
from segdesk.engine.checkpoints.converting import convert_pickled
from segdesk.engine.checkpoints.hub import HubFile, Offer, endpoint, need_network
from segdesk.engine.checkpoints.manifest import FileRecord, describe_folder, record_of
from segdesk.engine.checkpoints.store import (
    INCOMING,
    Installed,
    find_installed,
    naming,
    put,
    store_folder,
)

_CHUNK = 2**18  # bytes
_SPARE = 2**26  # bytes of the disk that are left alone
_PATIENCE = 30  # seconds without a byte


def download(offer: Offer, report: Report = silent) -> Installed:
    """Install a model from the Hub, unless it is here; an older or damaged one is replaced.

    Parameters
    ----------
    offer
        What ``hub.describe`` has found; weights that are pickles are converted.
    report
        Hears of bytes; raises ``Cancelled``, then what has come is kept for the next time.

    Raises
    ------
    CheckpointError
        When the Hub is out of reach, what came is not what was announced, or is damaged or
        hostile.
    """
    here = find_installed(offer.name)
    if here and here.source == "hub" and here.revision == offer.revision:
        with suppress(CheckpointError):  # damaged: fetch it again
            verify_hashes(here.path, report)
            return here
    need_network(offer.name)
    with _partial_folder(offer) as folder:
        _check_space(offer, folder)
        _fetch_all(offer, folder, part(report, 0.0, 0.8))
        files = _checked(offer, folder, part(report, 0.8, 0.9))
        check_weights(folder, part(report, 0.9, 1.0))
        manifest = describe_folder(folder, offer.name, "hub", files)
        origin = f"{offer.name} {offer.pull_request}".strip()
        licence = manifest.licence or offer.licence
        manifest = replace(manifest, origin=origin, revision=offer.revision, licence=licence)
        return put(folder, manifest, replace=True)


@contextmanager
def _partial_folder(offer: Offer) -> Iterator[Path]:
    """Give the folder of what has come so far; only one process may work in it."""
    from filelock import FileLock, Timeout

    name = offer.name.replace("/", "--")
    incoming = store_folder() / INCOMING
    folder = incoming / f"{name}@{offer.revision}"
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        with FileLock(incoming / f"{name}.lock", timeout=0):
            for old in incoming.glob(f"{name}@*"):
                if old != folder:
                    shutil.rmtree(old, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            with naming(folder, offer.name):
                yield folder
    except Timeout:
        raise CheckpointError(f"{offer.name}: another SegDesk is fetching it just now.") from None
    except OSError as error:
        raise CheckpointError(f"{folder}: cannot be written to ({error.strerror}).") from error


def _check_space(offer: Offer, folder: Path) -> None:
    here = sum(file.stat().st_size for file in folder.iterdir())
    missing, free = offer.size - here, shutil.disk_usage(folder).free - _SPARE
    if missing > free:
        raise CheckpointError(
            f"{offer.name}: {missing / 1e6:.0f} MB are to come, and {max(free, 0) / 1e6:.0f} MB"
            " are free on the disk."
        )


def _fetch_all(offer: Offer, folder: Path, report: Report) -> None:
    """Bring every file to its full size."""
    done, total = 0, max(offer.size, 1)

    def tell(more: int) -> None:
        size = f"{(done + more) / 1e6:.1f} of {total / 1e6:.1f} MB"
        report(min(1.0, (done + more) / total), f"Downloading {size}")

    for file in offer.files:
        for here in _fetch(offer, file, folder / file.name):
            tell(here)
        done += file.size


def _fetch(offer: Offer, file: HubFile, target: Path) -> Iterator[int]:
    """Append what is missing of a file; yields how many bytes are here."""
    here = target.stat().st_size if target.exists() else 0
    if here > file.size:
        target.unlink()
        here = 0
    yield here
    if here == file.size and target.exists():
        return
    try:
        for chunk, start in _stream(offer, file, here):
            with target.open("r+b" if target.exists() else "wb") as out:
                out.seek(start)
                out.truncate()
                out.write(chunk)
            yield start + len(chunk)
    except SegdeskError:
        raise
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise CheckpointError(
            f"{offer.name}: {file.name} did not come completely ({first:.120}); what came is kept:"
            " try again to go on from there."
        ) from error


def _stream(offer: Offer, file: HubFile, here: int) -> Iterator[tuple[bytes, int]]:
    """Yield the bytes from a place on, each with their place; a server may begin at 0 again."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    url = hf_hub_url(offer.name, file.name, revision=offer.revision, endpoint=endpoint())
    headers = build_hf_headers() | {"Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={here}-"} if here else {}
    session = get_session()
    with session.stream("GET", url, headers=headers, timeout=_PATIENCE) as response:
        hf_raise_for_status(response)
        place = here if response.status_code == 206 else 0
        for chunk in response.iter_bytes(_CHUNK):
            if place + len(chunk) > file.size:
                raise ValueError(f"more than the {file.size} bytes that were announced")
            yield chunk, place
            place += len(chunk)
    if place != file.size:
        raise ValueError(f"{place} of {file.size} bytes")


def _checked(offer: Offer, folder: Path, report: Report) -> dict[str, FileRecord]:
    """Compare all files with the hashes that the Hub announced; return what is to be kept."""
    files = {}
    for file in offer.files:
        path = folder / file.name
        files[file.name] = record = record_of(path, report)
        is_equal = (
            record.sha256 == file.sha256
            if file.sha256
            else check_git_blob(path, file.blob_id, report)
        )
        if not is_equal:
            path.unlink()
            raise CheckpointError(
                f"{offer.name}: {file.name} is not what the Hub announced (its hash differs), and"
                " was deleted: get it again."
            )
    if offer.is_pickled:
        files = _converted(offer, folder, files, report)
    return files


def _converted(
    offer: Offer, folder: Path, files: dict[str, FileRecord], report: Report
) -> dict[str, FileRecord]:
    convert_pickled(folder, report)
    kept = {name: record for name, record in files.items() if (folder / name).is_file()}
    return kept | {WEIGHTS: record_of(folder / WEIGHTS, report)}
