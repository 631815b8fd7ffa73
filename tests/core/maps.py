"""Random label maps with tiles small enough to meet every seam."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import strategies as st

from segdesk.core import labelmap, overviews, tile
from segdesk.core.labelmap import LabelMap

TILE = 8


@contextmanager
def small_tiles():
    """Make tiles of 8 x 8 pixels."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (labelmap, overviews, tile):
            patch.setattr(module, "TILE", TILE)
        yield patch


@st.composite
def stacks(draw, frames=1, ids=(0, 1, 2, 3)):
    """Draw (frames, rows, columns) ids in blobs, whose size goes from noise to a whole tile."""
    rows, columns = draw(st.integers(1, 27)), draw(st.integers(1, 27))
    count = draw(st.integers(1, frames))
    grain = draw(st.sampled_from([1, 2, 3, 9]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.2, 0.5, 0.8]))
    shape = count, -(-rows // grain), -(-columns // grain)
    coarse = np.where(rng.random(shape) < share, rng.choice(ids, shape), ids[0])
    return coarse.repeat(grain, 1).repeat(grain, 2)[:, :rows, :columns].astype(np.int32)


def map_of(stack):
    """Return the label map of (frames, rows, columns) ids."""
    labels = LabelMap(stack.shape[2], stack.shape[1], len(stack))
    for frame, ids in enumerate(stack):
        labels.write(labels.window, ids, None, frame)
    return labels


def stack_of(labels):
    """Return the (frames, rows, columns) ids of a label map."""
    return np.stack([labels.read(labels.window, 0, f) for f in range(labels.frames)])


def same_partition(a, b):
    """Say whether two arrays of numbers group their pixels alike, and agree on 0."""
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1)
    is_one_to_one = len(np.unique(pairs[0])) == pairs.shape[1] == len(np.unique(pairs[1]))
    return is_one_to_one and ((a == 0) == (b == 0)).all()
