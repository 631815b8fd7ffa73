"""Lists, fetches, installs, packs, checks and removes checkpoints on a lane of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segdesk.core.progress import Report
from segdesk.gui.lanes import Job, Lane, Work

if TYPE_CHECKING:
    from segdesk.engine.checkpoints.hub import Found, Offer, Query
    from segdesk.engine.checkpoints.store import Installed


class Checkpointing(QObject):
    """The checkpoints on this machine, and the jobs that change them.

    Attributes
    ----------
    installed
        As they were when they were last looked for.

    Signals
    -------
    changed
        They have been looked for again.
    job_started
        A ``Job`` waits or runs: for the job bar.
    """

    changed = Signal()
    job_started = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.installed: tuple[Installed, ...] = ()
        self._lane: Lane | None = None  # started by the first job

    def suiting(self, task: str) -> list[Installed]:
        """Return those that a segmenter for a task may take."""
        return [checkpoint for checkpoint in self.installed if checkpoint.suits(task)]

    def refresh(self) -> Job:
        """Look for the installed ones."""
        job = self._submit(_installed, "Looking for checkpoints")
        job.succeeded.connect(self._on_found)
        return job

    def search(self, query: Query) -> Job:
        """Ask the Hub; gives a list of ``Found``."""
        return self._start(partial(_search, query), "Searching the Hub")

    def describe(self, name: str) -> Job:
        """Ask the Hub what there is to fetch of a model; gives an ``Offer``."""
        return self._start(partial(_describe, name), f"Asking for {name}")

    def fetch(self, offer: Offer) -> Job:
        """Install a model from the Hub; gives an ``Installed``."""
        return self._change(partial(_fetch, offer), f"Fetching {offer.name}")

    def look_into(self, path: Path) -> Job:
        """Tell whether a folder's weights are pickles, which need a consent; gives a bool."""
        return self._start(partial(_look_into, path), f"Looking into {path.name}")

    def install(self, path: Path, allow_pickled: bool) -> Job:
        """Install a folder or a pack; gives an ``Installed``."""
        return self._change(partial(_install, path, allow_pickled), f"Installing {path.name}")

    def pack(self, name: str, target: Path) -> Job:
        """Write one into a file; gives its path."""
        return self._start(partial(_pack, name, target), f"Packing {name}")

    def verify(self, checkpoint: Installed) -> Job:
        """Check all bytes and weights of one; gives the number of known hashes."""
        return self._start(partial(_verify, checkpoint.path), f"Checking {checkpoint.name}")

    def remove(self, name: str) -> Job:
        """Delete one from this machine."""
        return self._change(partial(_remove, name), f"Removing {name}")

    def close(self) -> None:
        """Stop the jobs; what has been fetched so far is kept for the next time."""
        if self._lane:
            self._lane.close()

    def _change(self, work: Work, title: str) -> Job:
        job = self._start(work, title)
        job.succeeded.connect(self.refresh)
        return job

    def _start(self, work: Work, title: str) -> Job:
        job = self._submit(work, title)
        self.job_started.emit(job)
        return job

    def _submit(self, work: Work, title: str) -> Job:
        if not self._lane:
            self._lane = Lane("checkpoints", self)
        return self._lane.submit(work, title)

    def _on_found(self, installed: tuple[Installed, ...]) -> None:
        self.installed = installed
        self.changed.emit()


# What runs on the lane; the engine's modules are imported there, as the window starts without them.


def _installed(report: Report) -> tuple[Installed, ...]:
    from segdesk.engine.checkpoints.store import installed

    return tuple(installed())


def _search(query: Query, report: Report) -> list[Found]:
    from segdesk.engine.checkpoints.hub import search

    return search(query)


def _describe(name: str, report: Report) -> Offer:
    from segdesk.engine.checkpoints.hub import describe

    return describe(name, allow_pickled=True)


def _fetch(offer: Offer, report: Report) -> Installed:
    from segdesk.engine.checkpoints.download import download

    return download(offer, report)


def _look_into(path: Path, report: Report) -> bool:
    from segdesk.engine.checkpoints.importing import is_pickled

    return is_pickled(path)


def _install(path: Path, allow_pickled: bool, report: Report) -> Installed:
    from segdesk.engine.checkpoints.importing import import_checkpoint

    return import_checkpoint(path, allow_pickled=allow_pickled, report=report)


def _pack(name: str, target: Path, report: Report) -> Path:
    from segdesk.engine.checkpoints.packs import pack

    return pack(name, target, report=report)


def _verify(folder: Path, report: Report) -> int:
    from segdesk.engine.checkpoints.checking import verify

    return verify(folder, report)


def _remove(name: str, report: Report) -> None:
    from segdesk.engine.checkpoints.store import remove

    remove(name)
