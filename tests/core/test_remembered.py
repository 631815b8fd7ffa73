import pytest

from segdesk.core.own_folders import own_folder
from segdesk.core.remembered import Remembered


def test_facts_are_remembered_side_by_side():
    facts = Remembered("deep/facts.json")
    assert facts.get("a") is None
    facts.note("a", 1)
    Remembered("deep/facts.json").note("b", {"c": [2]})
    assert (facts.get("a"), facts.get("b")) == (1, {"c": [2]})
    assert [path.name for path in (own_folder("cache") / "deep").iterdir()] == ["facts.json"]


@pytest.mark.parametrize("text", ["", "{", "[1]", "\ufffe"])
def test_a_damaged_file_knows_nothing_and_is_written_anew(text):
    facts = Remembered("facts.json")
    facts.note("a", 1)
    (own_folder("cache") / "facts.json").write_text(text, "utf-8")
    assert facts.get("a") is None
    facts.note("b", 2)
    assert facts.get("b") == 2


def test_a_folder_that_cannot_be_written_is_no_failure():
    own_folder("cache").parent.mkdir(exist_ok=True)
    own_folder("cache").write_text("a file")
    Remembered("facts.json").note("a", 1)
    assert Remembered("facts.json").get("a") is None
