"""How much memory a segmenter is going to need, judged before it is run.

The weights are counted. What answers take beyond them is measured the first time, and remembered.
Before that it is guessed, and a guess refuses nothing: it only makes fewer tiles go together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from segdesk.api import SegmentRequest
from segdesk.core.checkpoint_folder import weight_files
from segdesk.core.errors import CheckpointError, WouldNotFit
from segdesk.core.remembered import Remembered
from segdesk.core.weights import count_weights
from segdesk.engine import memory

if TYPE_CHECKING:
    from segdesk.engine.job import SegmentJob

_BYTES = 4  # of a weight: models are loaded in single precision
_GUESS = 2**28  # bytes for the answer to a window, and
_GUESS_BY_WEIGHTS = 2.0  # times the weights: what models from 4 to 300 million weights stay below
_needs = Remembered("memory.json")


def weight_bytes(checkpoint: str) -> int:
    """Return what the weights of a folder take in memory; 0 where that is not known."""
    folder = Path(checkpoint)
    try:
        return _BYTES * count_weights([folder / name for name in weight_files(folder)])
    except CheckpointError:  # opening it says more
        return 0


def check_weights(job: SegmentJob, weights: int) -> None:
    """Raise ``WouldNotFit`` when the weights alone are more than the free memory."""
    _check(job, weights, memory.free_memory(on_device=False))


def check_answers(job: SegmentJob, requests: Sequence[SegmentRequest], weights: int) -> None:
    """Raise ``WouldNotFit`` when the answers to some windows need more than the free memory."""
    known, pixels = _known(job), _pixels(requests)
    need = known.get(pixels)
    if need is None and len(requests) > 1:
        guess = _GUESS + int(_GUESS_BY_WEIGHTS * weights)
        need = max((n * pixels // p for p, n in known.items()), default=len(requests) * guess)
    if need is not None:
        _check(job, need, memory.free_memory(_is_on_device(job)))


@contextmanager
def measuring(job: SegmentJob, requests: Sequence[SegmentRequest]) -> Iterator[None]:
    """Remember how much memory the answers to some windows took, where it can be told."""
    on_device = _is_on_device(job)
    before, highest = memory.use_and_peak(on_device, anew=True)
    yield
    _, peak = memory.use_and_peak(on_device)
    if peak > highest:
        known = {str(pixels): need for pixels, need in _known(job).items()}
        _needs.note(_name(job), known | {str(_pixels(requests)): peak - before})


def _check(job: SegmentJob, need: int, free: int) -> None:
    if need > free:
        raise WouldNotFit(
            f"The segmenter {job.segmenter!r} is going to need {need / 1e9:.1f} GB of memory, and"
            f" {free / 1e9:.1f} GB are free: close other programs, segment in smaller tiles, or"
            " take another device or a smaller checkpoint."
        )


def _known(job: SegmentJob) -> dict[int, int]:
    """Return the bytes that answers took, by the pixels of all windows together."""
    known = _needs.get(_name(job))
    if not isinstance(known, dict):
        return {}
    return {int(p): n for p, n in known.items() if p.isdecimal() and isinstance(n, int) and int(p)}


def _name(job: SegmentJob) -> str:
    return " ".join(("answers of", *map(str, job.key)))


def _pixels(requests: Sequence[SegmentRequest]) -> int:
    return sum(request.window.area for request in requests)


def _is_on_device(job: SegmentJob) -> bool:
    return job.device != "cpu" and memory.device_memory() is not None
