"""What to do when memory runs out: ask for less at a time, and remember what worked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from segdesk.core.remembered import Remembered
from segdesk.engine.job import SegmentJob
from segdesk.engine.tiling.plan import SMALLEST

_LEAST_HALVED = 4 * SMALLEST  # smaller tiles than half of it show too little
_rungs = Remembered("memory.json")


@dataclass(frozen=True)
class Rung:
    """How much a segmenter gets at a time, and where it computes."""

    batch: int
    half: bool
    size: int  # pixels along the side of a tile
    device: str
    can_halve: bool = False  # whether the segmenter knows half precision

    def below(self) -> tuple[Rung, str] | None:
        """Return the next rung, and what is different there in words; None at the bottom."""
        if self.batch > 1:
            batch = self.batch // 2
            return replace(self, batch=batch), f"{batch} tiles at a time" if batch > 1 else (
                "one tile at a time"
            )
        if self.can_halve and not self.half:
            return replace(self, half=True), "half precision"
        if self.size >= _LEAST_HALVED:
            size = self.size // 2
            return replace(self, size=size), f"tiles of {size} pixels"
        if self.device != "cpu":
            return replace(self, device="cpu"), "the processor instead of the device"
        return None

    def job(self, job: SegmentJob) -> SegmentJob:
        """Return a job as it runs on this rung."""
        return replace(job, half=job.half or self.half, device=self.device)


class RungMemory:
    """Which rung fitted into memory, by job and size of the tiles: a file in the cache folder."""

    def __init__(self, job: SegmentJob, first: Rung) -> None:
        asked = f"{first.size} {first.batch}"
        self._key = " ".join((job.segmenter, job.checkpoint, job.device, asked))
        self._first = first

    def recall(self) -> Rung:
        """Return the rung that fitted the last time; the first one where nothing is known."""
        known = _rungs.get(self._key)
        with suppress(TypeError, ValueError):
            if isinstance(known, dict):
                rung = replace(self._first, **known)
                if rung in _all_below(self._first):
                    return rung
        return self._first

    def note(self, rung: Rung) -> None:
        """Remember a rung."""
        _rungs.note(self._key, asdict(rung))


def _all_below(rung: Rung) -> list[Rung]:
    found, below = [], rung.below()
    while below:
        found.append(below[0])
        below = below[0].below()
    return found
