"""Masks from files, as layers of a document."""

import numpy as np
import pytest
from PIL import Image

from segdesk.core.errors import PromptError
from segdesk.core.image import ArrayImage
from segdesk.engine.document import Document
from segdesk.engine.imports import import_mask
from tests.engine.frozen import document_of, freeze, pixels

IDS = np.zeros((9, 12), np.uint16)
IDS[2:5, 3:9], IDS[6:, :4] = 300, 7


@pytest.fixture
def mask(tmp_path):
    path = tmp_path / "cells.png"
    Image.fromarray(IDS).save(path)
    return path


def test_a_mask_becomes_a_layer_in_one_step(mask):
    document = document_of()
    before = freeze(document)
    layer = import_mask(document, mask)
    np.testing.assert_array_equal(pixels(layer), IDS)
    assert (layer.state.name, layer.state.task, document.active) == ("cells", "instance", layer)
    assert layer.areas == {7: 12, 300: 18}
    assert document.history.names == ("Import cells.png",)
    document.undo()
    assert freeze(document) == before


def test_in_a_stack_it_lies_on_one_frame(mask):
    document = Document(ArrayImage(np.zeros((3, 9, 12, 1), np.uint8)))
    layer = import_mask(document, mask, frame=1)
    assert layer.segmentation().frames == (1,)
    np.testing.assert_array_equal(layer.planes[0].read(layer.planes[0].window, 0, 1), IDS)


def test_a_mask_of_another_size_is_refused(mask):
    document = document_of(13, 9)
    with pytest.raises(PromptError, match=r"cells\.png is 12 x 9 pixels, the image 13 x 9"):
        import_mask(document, mask)
    assert (document.layers, document.history.names) == ((), ())
