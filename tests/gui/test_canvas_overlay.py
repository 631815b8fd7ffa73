from dataclasses import replace

import numpy as np
import pytest

from segdesk.core.geometry import Window
from segdesk.core.labelmap import LabelMap
from segdesk.core.prompts import Box, Points, Scribble
from segdesk.core.segmentation import Segment, Segmentation
from segdesk.engine import edits, proposals
from tests.gui.conftest import on_image

GREY = np.full((200, 300, 3), 100, np.uint8)
HALF_RED = (178, 50, 50)  # red at opacity 0.5 on grey 100


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.7, 8.0])
def test_segments_are_coloured_where_they_are_and_nowhere_else(user, scale):
    user.open(GREY)
    ids = np.zeros((200, 300), np.int32)
    ids[20:34, 16:60] = ids[40:42, :] = 1
    user.segment(ids)
    user.look(scale, 2, 2)
    seen, shown = on_image(user, user.see(), ids)
    assert np.abs(seen[shown == 1].astype(int) - HALF_RED).max() <= 1
    assert (seen[shown == 0] == 100).all()


def test_opacity_visibility_and_colour_follow_the_layer(user):
    user.open(GREY)
    user.segment(np.ones((200, 300), np.int32))
    edits.change_layer(user.document, user.layer.id, "Opacity", opacity=1.0)
    assert user.see()[50, 50].tolist() == [255, 0, 0]
    edits.change_layer(user.document, user.layer.id, "Colour", colour=(1, 2, 3))
    assert user.see()[50, 50].tolist() == [1, 2, 3]
    edits.change_layer(user.document, user.layer.id, "Show", visible=False)
    assert user.see()[50, 50].tolist() == [100, 100, 100]
    user.document.undo()
    assert user.see()[50, 50].tolist() == [1, 2, 3]


def test_a_segment_takes_the_colour_of_its_new_category(user):
    user.open(GREY)
    user.segment(np.ones((200, 300), np.int32))
    edits.change_layer(user.document, user.layer.id, "Opacity", opacity=1.0)
    edits.set_category(user.document, user.layer.id, {1}, 2)
    assert user.see()[50, 50].tolist() == [0, 0, 255]


def test_layers_and_planes_lie_on_each_other_in_order(user):
    user.open(GREY)
    user.segment(np.ones((200, 300), np.int32))
    below = replace(user.layer.state, opacity=1.0)
    with user.document.edit("Planes") as edit:
        edit.set_state(user.layer, below)
        edit.add_planes(user.layer, 1)
        edit.set_segments(user.layer, {2: Segment(2, 2)})
        edit.paint(user.layer, Window(0, 0, 20, 20), 2, None, 1)
    seen = user.see()
    assert seen[10, 10].tolist() == [0, 0, 255]
    assert seen[30, 30].tolist() == [255, 0, 0]
    top = edits.add_layer(user.document, replace(below, name="Top"))
    with user.document.edit("Paint") as edit:
        edit.set_segments(top, {1: Segment(1, 1)})
        edit.paint(top, Window(5, 5, 1, 1), 1)
    assert user.see()[5, 5].tolist() == [255, 0, 0]
    edits.move_layer(user.document, top.id, 0)
    assert user.see()[5, 5].tolist() == [0, 0, 255]


@pytest.mark.parametrize("scale", [0.5, 1.0, 6.0])
def test_contours_are_two_pixels_of_the_screen_inside_the_segment(user, scale):
    user.open(GREY)
    ids = np.zeros((200, 300), np.int32)
    ids[8:32, 8:40] = 1
    user.segment(ids)
    edits.change_layer(user.document, user.layer.id, "Display", display="contour", opacity=0.5)
    user.look(scale)
    rect = user.canvas.view.device_rect(Window(8, 8, 32, 24))
    seen = user.see()
    inside = np.zeros(seen.shape[:2], bool)
    inside[rect.y() : rect.y() + rect.height(), rect.x() : rect.x() + rect.width()] = True
    hollow = np.zeros_like(inside)
    hollow[
        rect.y() + 2 : rect.y() + rect.height() - 2, rect.x() + 2 : rect.x() + rect.width() - 2
    ] = True
    assert (seen[inside & ~hollow] == (255, 0, 0)).all()
    assert (np.delete(seen.reshape(-1, 3), np.flatnonzero(inside & ~hollow), 0)[:, 0] <= 210).all()
    assert (seen[hollow] == 100).all()


def test_selected_segments_have_a_dashed_contour(user):
    user.open(GREY)
    ids = np.zeros((200, 300), np.int32)
    ids[10:60, 10:60], ids[10:60, 100:150] = 1, 2
    user.segment(ids)
    plain = user.see()
    user.editor.select(frozenset({1}))
    seen = user.see()
    edge = seen[10, 10:60]
    assert {tuple(colour) for colour in edge.tolist()} == {(255, 255, 255), (16, 16, 16)}
    np.testing.assert_array_equal(seen[:, 95:], plain[:, 95:])
    user.editor.select(frozenset())
    np.testing.assert_array_equal(user.see(), plain)


def test_proposals_are_lighter_with_a_dashed_contour(user):
    user.open(GREY)
    ids = np.zeros((200, 300), np.int32)
    ids[10:60, 10:60] = 1
    categories = user.layer.state.categories
    planes, segments = (LabelMap.of_array(ids),), {1: Segment(1, 1, state="proposed")}
    found = Segmentation("semantic", planes, segments, categories)
    proposals.add_proposal(user.document, found, "Finder")
    seen = user.see()
    assert 100 < seen[30, 30][0] < HALF_RED[0]
    edge = {tuple(colour) for colour in seen[10, 10:60].tolist()}
    assert edge == {(255, 0, 0), tuple(seen[30, 30])}


@pytest.mark.parametrize("high", [8, 2**31 - 1])
def test_high_ids_and_ids_without_a_segment_are_harmless(user, high):
    user.open(GREY)
    edits.change_layer(user.document, user.layer.id, "Opacity", opacity=1.0)
    with user.document.edit("Paint") as edit:
        for place, unknown in enumerate((3, high - 1)):
            edit.paint(user.layer, Window(10 * place, 0, 10, 10), unknown)
        edit.set_segments(user.layer, {5: Segment(5, 2)})
        edit.paint(user.layer, Window(20, 0, 10, 10), 5)
        edit.set_segments(user.layer, {high: Segment(high, 1)})
        edit.paint(user.layer, Window(30, 0, 10, 10), high)
    seen = user.see()
    assert (seen[:10, :20] == 100).all()
    assert (seen[:10, 20:30] == (0, 0, 255)).all()
    assert (seen[:10, 30:40] == (255, 0, 0)).all()
    user.editor.select(frozenset({high}))
    assert (user.see()[:10, 20:30] == (0, 0, 255)).all()
    assert user.see()[0, 30:40].tolist() != seen[0, 30:40].tolist()


def test_prompts_are_drawn_in_the_colour_of_their_category(user):
    user.open(GREY)
    user.editor.add_prompt(Scribble(np.array([[20.0, 20], [60, 20]]), 6.0, 2))
    user.editor.add_prompt(Box(100, 100, 140, 130, 1))
    user.editor.add_prompt(Points(np.array([[200.0, 50]]), np.array([True]), 1))
    seen = user.see().astype(int)
    assert seen[20, 40][2] > seen[20, 40][0] + 80
    assert (seen[30, 40] == 100).all()
    assert seen[100, 120][0] > seen[100, 120][1] + 80
    assert (seen[95, 120] == 100).all()
    assert seen[53, 203][0] > seen[53, 203][1] + 80
    edits.clear_prompts(user.document)
    assert (user.see()[:200, :300] == 100).all()
