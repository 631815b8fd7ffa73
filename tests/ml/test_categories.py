"""Names, colours, things and stuff of checkpoints."""

from types import SimpleNamespace

import pytest

from segdesk.core.errors import UsageError
from segdesk.ml.categories import categories_of, fused_categories, known_set


def named(names, task="panoptic"):
    config = SimpleNamespace(id2label=dict(enumerate(names)))
    return categories_of(config, len(names), task)


@pytest.mark.parametrize(
    ("name", "count", "things"),
    [("ade20k", 150, 100), ("cityscapes", 19, 8), ("coco", 133, 80), ("pascal_voc", 21, 20)],
)
def test_published_sets_are_whole(name, count, things):
    members = known_set(name).members
    assert (len(members), sum(member.is_thing for member in members)) == (count, things)
    assert len({member.name for member in members}) == count


def test_colours_of_pascal_voc_follow_its_rule():
    """Bit k of a channel, from the highest down, is bit 3 k + channel of the id."""
    for member in known_set("pascal_voc").members:
        bits = [[member.id >> (3 * k + c) & 1 for k in range(3)] for c in range(3)]
        assert member.colour == tuple(sum(b << (7 - k) for k, b in enumerate(x)) for x in bits)


def test_a_checkpoint_gets_the_colours_and_kinds_of_the_set_its_names_are_from():
    streets = named(["road", "Sidewalk", "building", "traffic_light", "person", "car", "sky"])
    assert [c.colour for c in streets[:2]] == [(128, 64, 128), (244, 35, 232)]
    assert [c.is_thing for c in streets] == [False, False, False, False, True, True, False]
    scenes = named([m.name.split(",")[0] for m in known_set("ade20k").members])
    assert [c.colour for c in scenes] == [m.colour for m in known_set("ade20k").members]


def test_a_name_in_other_words_is_known_by_its_place():
    names = [m.name for m in known_set("ade20k").members]
    names[8], names[90] = "windowpane", "airplane"
    assert named(names)[8].colour == (230, 230, 230)


def test_things_and_stuff_matter_to_panoptic_results_only():
    names = [m.name for m in known_set("cityscapes").members]
    assert not any(c.is_thing for c in named(names, "semantic"))
    assert all(c.is_thing for c in named(names, "instance"))


def test_unknown_names_get_distinct_colours():
    cells = named(["nucleus", "stroma", "gland", "person"])
    assert len({c.colour for c in cells}) == 4
    assert all(c.is_thing for c in cells)
    assert [c.name for c in cells] == ["nucleus", "stroma", "gland", "person"]


def test_what_is_fused_is_chosen_in_words():
    streets = named(["road", "traffic_light", "person", "car", "sky"])
    assert fused_categories("stuff", streets) == {0, 1, 4}
    assert fused_categories("none", streets) == fused_categories("", streets) == set()
    assert fused_categories("all", streets) == {0, 1, 2, 3, 4}
    assert fused_categories("Traffic_Light, 3", streets) == {1, 3}
    with pytest.raises(UsageError, match="'moon'"):
        fused_categories("road, moon", streets)
