"""When a quicker way counts as giving the same labels."""

import pytest
import torch

from segdesk.core.own_folders import own_folder
from segdesk.ml.agreement import agreement, note, recall


def test_labels_of_categories_are_the_winners():
    scores = torch.zeros(1, 3, 10, 10)
    scores[:, 1] = 1
    other = scores.clone()
    other[0, 2, 0, :5] = 2
    assert agreement({"logits": scores + 0.1}, {"logits": scores}) == 1
    assert agreement({"logits": other}, {"logits": scores}) == pytest.approx(0.95)


def test_of_queries_both_categories_and_masks_count():
    kinds = torch.eye(4)[None]
    masks = torch.ones(1, 4, 5, 5)
    expected = {"kinds": kinds, "masks": masks}
    assert agreement(expected, expected) == 1
    assert agreement({"kinds": kinds[:, [0, 1, 2, 2]], "masks": masks}, expected) == 0.75
    turned = masks.clone()
    turned[0, 0] = -1
    assert agreement({"kinds": kinds, "masks": turned}, expected) == 0.75


def test_what_is_no_number_agrees_with_nothing():
    scores = torch.zeros(1, 2, 4, 4)
    damaged = scores.clone()
    damaged[0, 0, 0, 0] = torch.nan
    assert agreement({"logits": damaged}, {"logits": scores}) == 0


def test_a_verdict_is_remembered_and_a_damaged_file_is_none():
    assert recall("a") is None
    note("a", 0.99995)
    note("b", "it cannot be converted")
    assert (recall("a"), recall("b")) == (0.99995, "it cannot be converted")
    (own_folder("cache") / "models" / "agreed.json").write_text("{")
    assert recall("a") is None
