"""Holes of segments against those of whole arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from segdesk.core import holes
from segdesk.core.chosen import Chosen
from segdesk.core.holes import fill_holes
from tests.core.maps import map_of, small_tiles, stack_of, stacks


def model(image, ids, up_to):
    """Fill the outer segments first, so that inner ones have what is theirs."""
    result = image.copy()
    spans = {i: np.nonzero(image == i) for i in ids if (image == i).any()}
    boxes = {i: np.prod([np.ptp(c) + 1 for c in span]) for i, span in spans.items()}
    for segment in sorted(boxes, key=lambda i: (-boxes[i], i)):
        mask = image == segment
        parts, count = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        fits = (sizes <= up_to) | (up_to == 0)
        fits[0] = False
        result[fits[parts] & (image == 0)] = segment
    return result


@pytest.mark.parametrize("at_once", [10**6, 0], ids=["at once", "by tiles"])
@settings(max_examples=80, deadline=None)
@given(stacks(2, ids=(0, 1, 1, 2)), st.sampled_from([0, 1, 4]), st.booleans())
def test_holes_across_tiles_are_those_of_the_whole(at_once, stack, up_to, only_one):
    ids = frozenset({1}) if only_one else None
    with small_tiles() as patch:
        patch.setattr(holes, "AT_ONCE", at_once)
        labels = map_of(stack)
        found = stack_of(fill_holes(labels, Chosen(ids), up_to))
        assert (stack_of(labels) == stack).all()
    expected = [model(image, ids or (1, 2), up_to) for image in stack]
    assert (found == np.stack(expected)).all()


def test_the_innermost_segment_has_the_hole_and_what_lies_in_it_stays():
    image = np.zeros((1, 30, 30), np.int32)
    for segment, (start, stop) in enumerate([(2, 28), (6, 24), (12, 18)], start=1):
        image[0, start:stop, start:stop] = segment
        image[0, start + 1 : stop - 1, start + 1 : stop - 1] = 0
    found = stack_of(fill_holes(map_of(image), Chosen()))[0]
    assert (found[3:6, 3:27] == 1).all()
    assert (found[7:12, 7:23] == 2).all()
    assert (found[13:17, 13:17] == 3).all()
    assert (found[image[0] > 0] == image[0][image[0] > 0]).all()
    assert (found[0] == 0).all()


def test_what_the_edge_of_the_image_closes_is_no_hole():
    image = np.zeros((1, 9, 9), np.int32)
    image[0, 2, :4] = image[0, :3, 3] = 5
    assert (stack_of(fill_holes(map_of(image), Chosen())) == image).all()
