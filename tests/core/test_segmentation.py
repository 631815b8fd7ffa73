"""Categories."""

import pytest

from segdesk.core.segmentation import Category


@pytest.mark.parametrize(
    ("category_id", "name", "expected"),
    [
        (0, "background", True),
        (0, " Background ", True),
        (0, "__background__", True),
        (0, "unlabeled", True),
        (0, "wall", False),
        (1, "background", False),
    ],
)
def test_only_id_0_with_a_name_that_says_so_is_background(category_id, name, expected):
    assert Category(category_id, name, (0, 0, 0)).is_background is expected
