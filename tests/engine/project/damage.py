"""Projects with two images and a history, and what is left of them after damage."""

import numpy as np

from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.prompts import Points
from segdesk.engine import edits, proposals
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project
from tests.engine.frozen import add_layer, paint, pixels, result

SIZE = 520, 300  # columns, rows


def make_project(path):
    """Save a project; return for each image and layer its pixels, and its segments."""
    rng = np.random.default_rng(0)
    with Project() as project:
        for number in range(2):
            image = rng.integers(0, 9, (*SIZE[::-1], 3), dtype=np.uint8)
            document = project.add(ArrayImage(image, f"picture {number}"))
            fill(document, rng)
        project.save_as(path)
        return {image.id: layers_of(project.document(image.id)) for image in project.images}


def fill(document, rng):
    semantic, instances = add_layer(document), add_layer(document, "instance", "Cells")
    for _ in range(8):
        x, y = rng.integers(0, 220, 2).tolist()
        paint(document, semantic, Window(x, y, 90, 70), 1 + x % 2)
        paint(document, instances, Window(y, x, 60, 50), 1)
    noise = rng.integers(0, 4, SIZE[::-1])
    proposals.add_proposal(document, result([noise], {1: 1, 2: 2, 3: 1}), "model")
    edits.add_prompt(document, Points(np.array([[1.0, 2.0]]), np.array([True])))
    edits.remove_layer(document, semantic.id)
    document.undo()


def layers_of(document):
    return {layer.id: (pixels(layer), dict(layer.segments)) for layer in document.layers}


def saved(path):
    """Open a recovered project and return the same of it; all steps are undone and redone."""
    with open_project(path) as project:
        found = {}
        for image in project.images:
            document = project.document(image.id)
            found[image.id] = layers_of(document)
            document.image.read(Window(0, 0, 5, 5))
            steps = 0
            while document.undo():
                steps += 1
            for _ in range(steps):
                assert document.redo()
            for layer, (ids, _) in found[image.id].items():
                np.testing.assert_array_equal(pixels(document.layer(layer)), ids)
        return found


def share_saved(before, after):
    """Return how many of the pixels that were painted are as they were, of how many.

    What differs is empty: nothing is ever invented.
    """
    right = total = 0
    for image, layers in before.items():
        for layer, (ids, _) in layers.items():
            total += np.count_nonzero(ids)
            found = after.get(image, {}).get(layer)
            if found is not None:
                there = found[0][: ids.shape[0], : ids.shape[1]]
                ids = ids[: there.shape[0], : there.shape[1]]
                assert (there == 0)[there != ids].all()
                right += np.count_nonzero((there == ids) & (ids != 0))
    return right, total
