"""How transformers makes segments of what each family of models by queries answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from segdesk.ml.postprocess.queries import Pick


@dataclass(frozen=True)
class Family:
    """What differs between the families; the defaults are MaskFormer's."""

    pick: Pick = "pairs"
    compete: bool = False  # instances do not overlap: every pixel goes to the strongest query
    compete_by_logits: bool = False  # and so by logits, not by probabilities
    blocky: bool = True  # instances are scaled up after the threshold, so that pixels repeat
    score_by_mask: bool = True  # the score of an instance counts the certainty of its mask
    sigmoid_last: bool = False  # panoptic: logits are scaled up, then made probabilities
    antialias: bool = False  # scores are smoothed where they have to be scaled down
    grid: tuple[int, int] | None = None  # masks are scaled to it first, whatever the image's shape

    def at(self, resolution: Literal["standard", "full"]) -> Family:
        """Return the family as transformers treats it, or with masks as fine as they can be."""
        return self if resolution == "standard" else replace(self, blocky=False, grid=None)


_EOMT = Family(pick="best", blocky=False, sigmoid_last=True)

FAMILIES = {
    "maskformer": Family(),
    "mask2former": Family(grid=(384, 384)),
    "oneformer": Family(compete=True, compete_by_logits=True, antialias=True),
    "detr": Family(compete=True),
    "eomt": _EOMT,
    "eomt_dinov3": _EOMT,
    "videomt": _EOMT,
    "rf_detr": Family(pick="sigmoid pairs", blocky=False, score_by_mask=False),
}
"""By transformers' model type."""
