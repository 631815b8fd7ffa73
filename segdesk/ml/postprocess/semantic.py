"""Scores of categories from queries."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from segdesk.ml.postprocess.queries import QueryAnswer


def category_scores(answer: QueryAnswer) -> Tensor:
    """Return (categories, h, w) scores on the answer's grid, its padding included.

    A category's score is the sum, over all queries, of the probability that the query is of it
    times the probability that the pixel is the query's.
    """
    masks = answer.masks
    if answer.grid is not None:
        masks = interpolate(masks[None], answer.grid, mode="bilinear", align_corners=False)[0]
    kinds = answer.kinds.softmax(dim=-1)[:, :-1]
    return torch.einsum("qc,qhw->chw", kinds, masks.sigmoid())


def merged_scores(
    parts: Sequence[Tensor], offsets: Sequence[tuple[int, int]], shape: tuple[int, int]
) -> Tensor:
    """Return the mean of scores that overlap along the longer side of a shape.

    Parameters
    ----------
    parts
        (categories, h, w) each.
    offsets
        (first, last + 1) of each along the longer side.
    shape
        (rows, columns) of all together.
    """
    axis = 1 if shape[0] > shape[1] else 2
    total = torch.zeros((len(parts[0]), *shape), device=parts[0].device)
    counts = torch.zeros(shape[axis - 1], device=total.device)
    for part, (start, stop) in zip(parts, offsets, strict=True):
        total.narrow(axis, start, stop - start).add_(part)
        counts[start:stop] += 1
    counts = counts.clamp(min=1)
    return total / (counts[:, None] if axis == 1 else counts)
