"""Finds the folder of a checkpoint: one that is named, an installed one, or one from the Hub."""

from __future__ import annotations

from pathlib import Path

from segdesk.core.errors import CheckpointError
from segdesk.core.progress import Report
from segdesk.engine.checkpoints.checking import verify_hashes
from segdesk.engine.checkpoints.manifest import HUB_ID
from segdesk.engine.checkpoints.store import find_installed, installed, mark_used
from segdesk.engine.offline import is_offline

_MOST_NAMED = 5


def find_checkpoint(ref: str, report: Report) -> Path:
    """Return the folder of a checkpoint; fetches it when it is a Hub id and not here yet.

    What is installed is compared with its hashes first, so that a damaged file is never used.

    Parameters
    ----------
    ref
        A folder, the name of an installed checkpoint, or a Hub id such as
        ``nvidia/segformer-b0-finetuned-ade-512-512``.
    report
        Hears of bytes; raises ``Cancelled``, then what has come is kept for the next time.

    Raises
    ------
    CheckpointError
        When there is no such folder or model, it needs a licence, is damaged, or the Hub is out
        of reach.
    """
    folder = Path(ref).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise CheckpointError(
            f"{ref}: a file; a checkpoint is a folder or a Hub id, and a pack is to be imported:"
            " `segdesk checkpoints import`."
        )
    if not HUB_ID.fullmatch(ref):
        raise CheckpointError(f"{ref}: there is no such folder.")
    report(0.0, f"Looking for {ref}")
    found = find_installed(ref)
    if found:
        verify_hashes(found.path, report)
        mark_used(found.path)
        return found.path
    return _fetched(ref, report)


def _fetched(ref: str, report: Report) -> Path:
    if is_offline():
        names = ", ".join(checkpoint.name for checkpoint in installed()[:_MOST_NAMED])
        here = f"here are {names}" if names else "a folder or a pack works offline"
        raise CheckpointError(f"{ref}: not on this machine, and offline mode is on; {here}.")
    from segdesk.engine.checkpoints.download import download
    from segdesk.engine.checkpoints.hub import describe

    return download(describe(ref), report).path
