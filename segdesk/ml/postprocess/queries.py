"""What a model that answers by queries says, and which of its queries count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

Pick = Literal["pairs", "best", "sigmoid pairs"]


@dataclass(frozen=True)
class QueryAnswer:
    """Logits of all queries for one image."""

    kinds: Tensor  # (queries, categories + 1), the last one: no object; RF-DETR has no such one
    masks: Tensor  # (queries, h, w)
    grid: tuple[int, int] | None = None  # (rows, columns) that masks are scaled to first
    filled: tuple[int, int] | None = None  # rows and columns of the grid that are no padding


@dataclass(frozen=True)
class Chosen:
    """Some queries, each with one category."""

    scores: Tensor  # (some,), 0 to 1
    categories: Tensor  # (some,) integers
    queries: Tensor  # (some,) positions of the queries

    def only(self, keep: Tensor) -> Chosen:
        """Return those that a (some,) mask or list of positions keeps."""
        return Chosen(self.scores[keep], self.categories[keep], self.queries[keep])


def pick_instances(answer: QueryAnswer, how: Pick) -> Chosen:
    """Return the candidates for instances, as transformers picks them.

    ``how``: "pairs", the best pairs of query and category, as many as there are queries;
    "sigmoid pairs", the same for models that judge every category on its own; "best", the best
    category of each query.
    """
    count = len(answer.kinds)
    if how == "best":
        scores, categories = answer.kinds.softmax(dim=-1)[:, :-1].max(dim=-1)
        return Chosen(scores, categories, torch.arange(count, device=scores.device))
    alone = how == "sigmoid pairs"
    scores = answer.kinds.sigmoid() if alone else answer.kinds.softmax(dim=-1)[:, :-1]
    flat = scores.flatten()
    best, places = flat.topk(min(count, len(flat)), sorted=alone)
    return Chosen(best, places % scores.shape[1], places // scores.shape[1])


def pick_segments(answer: QueryAnswer, threshold: float) -> Chosen:
    """Return the queries whose best category is one, with a score above the threshold."""
    scores, categories = answer.kinds.softmax(dim=-1).max(dim=-1)
    chosen = Chosen(scores, categories, torch.arange(len(scores), device=scores.device))
    return chosen.only(categories.ne(answer.kinds.shape[1] - 1) & (scores > threshold))


def masks_of(answer: QueryAnswer, queries: Tensor) -> Tensor:
    """Return the mask logits (some, h, w) of some queries on the answer's grid, without padding."""
    masks = answer.masks[queries]
    if answer.grid is not None:
        masks = interpolate(masks[None], answer.grid, mode="bilinear", align_corners=False)[0]
    if answer.filled is not None:
        masks = masks[:, : answer.filled[0], : answer.filled[1]]
    return masks


def shrunk(values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return maps (some, h, w) smoothly scaled down where (rows, columns) are fewer than theirs."""
    rows, columns = min(shape[0], values.shape[1]), min(shape[1], values.shape[2])
    if (rows, columns) == tuple(values.shape[1:]):
        return values
    return interpolate(values[None], (rows, columns), mode="bilinear", antialias=True)[0]
