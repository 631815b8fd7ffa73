"""Seams of tiled category scores cannot be seen."""

import numpy as np
import pytest

from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import Category, CategoryScores, Provenance
from segdesk.core.upsample import winning_categories
from segdesk.engine.resolve import segment_ids
from segdesk.engine.tiling.blend import Blender, scaled_to
from segdesk.engine.tiling.growing import Growing
from segdesk.engine.tiling.plan import Tiling, plan_tiles
from tests.engine.tiling.worlds import World, scores_of

RNG = np.random.default_rng(3)
WEIGHTS = RNG.normal(size=(9, 3)).astype(np.float32)


def texture(rows, columns):
    """Return an RGB image with structure of all sizes."""
    image = np.zeros((rows, columns, 3))
    for size in (1, 4, 16, 64):
        noise = RNG.normal(size=(-(-rows // size), -(-columns // size), 3))
        image += noise.repeat(size, 0).repeat(size, 1)[:rows, :columns]
    return np.clip(image * 40 + 128, 0, 255).astype(np.uint8)


def whole(answer, pixels):
    """Return the ids that one answer for the whole image gives."""

    class Request:
        rgb = pixels

    found = answer(Request)
    bands = [winners for _, winners in winning_categories(found.scores, pixels.shape[:2])]
    return segment_ids(found.categories)[np.concatenate(bands)]


@pytest.mark.parametrize("step", [1, 2, 4, 8])
@pytest.mark.parametrize("overlap", [None, 32, 64])
@pytest.mark.parametrize("focus", [None, (200, 31)])
def test_tiles_give_the_same_as_the_whole_image_where_the_overlap_holds_what_a_model_sees(
    tiled, step, overlap, focus
):
    pixels = texture(320, 448)
    answer = scores_of(pixels, WEIGHTS, step)
    size = 128 if step < 8 else 256
    overlap = 64 if step == 8 else overlap
    run = tiled(World(answer), pixels, size, overlap=overlap, focus=focus)
    assert len(run.plan) > 3
    found = run.segmentation()
    np.testing.assert_array_equal(
        found.planes[0].read(found.planes[0].window), whole(answer, pixels)
    )
    assert found.segments.keys() == set(found.planes[0].areas())
    assert run.drawing.nbytes == 0


def test_at_the_edges_of_an_image_of_any_size_no_pixel_is_left_out(tiled):
    pixels = texture(201, 131)
    run = tiled(World(scores_of(pixels, WEIGHTS)), pixels)
    ids = run.segmentation().planes[0].read(Window(0, 0, 131, 201))
    assert ids.min() > 0


def test_scores_of_a_coarse_or_odd_resolution_are_brought_onto_one_lattice(tiled):
    """A model whose scores say where a pixel lies: left or right of column 150."""
    categories = (Category(1, "left", (1, 1, 1)), Category(2, "right", (2, 2, 2)))

    for count in (5, 7, 1):

        def answer(request, count=count):
            centres = request.window.x + (np.arange(count) + 0.5) * request.window.width / count
            left = np.broadcast_to(150 - centres, (count, count)).astype(np.float32)
            return CategoryScores(np.stack([left, -left]), categories)

        run = tiled(World(answer), np.zeros((100, 300, 3), np.uint8))
        ids = run.segmentation().planes[0].read(Window(0, 0, 300, 100))
        borders = (ids == 1).sum(axis=1)
        assert (np.diff(ids, axis=1) >= 0).all()
        assert np.abs(borders - 150).max() <= (1 if count > 1 else 48)


def test_memory_follows_the_edge_of_what_is_done_and_not_the_area():
    categories = tuple(Category(n, str(n), (n, n, n)) for n in range(1, 21))
    scores = RNG.normal(size=(20, 16, 16)).astype(np.float32)
    most = {}
    for width, height in ((1024, 1024), (1024, 4096), (2048, 1024)):
        info = ArrayImage(np.broadcast_to(np.uint8(0), (height, width, 3))).info
        plan = plan_tiles(info, Tiling(), 64)
        growing = Growing(LabelMap(width, height), 0, Provenance())
        growing.expect("semantic", categories)
        answer = CategoryScores(scores, categories)
        blender = Blender(plan, growing, answer)
        most[width, height] = 0
        for tile in plan.in_order():
            blender.add(tile, answer)
            most[width, height] = max(most[width, height], blender.nbytes)
        assert blender.nbytes == 0
    row = 1024 / 4 * 64 / 4 * 20 * 4  # scores of one row of tiles
    assert most[1024, 1024] == most[1024, 4096] < 0.5 * row
    assert most[2048, 1024] < 2.2 * most[1024, 1024]


def test_scaling_scores_keeps_ramps():
    ramp = np.arange(8, dtype=np.float32).reshape(1, 1, 8)
    np.testing.assert_allclose(scaled_to(ramp, (1, 4)), [[[0.5, 2.5, 4.5, 6.5]]])
    assert scaled_to(ramp, (3, 8)).shape == (1, 3, 8)
    assert scaled_to(ramp, (1, 8)) is ramp
