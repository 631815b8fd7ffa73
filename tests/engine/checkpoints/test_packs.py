"""Packs: one file there and back, and nothing but plain files comes out of a hostile one."""

import json
import stat
import zipfile

import pytest

from segdesk.core.errors import CheckpointError
from segdesk.core.progress import silent
from segdesk.engine.checkpoints import store
from segdesk.engine.checkpoints.finding import find_checkpoint
from segdesk.engine.checkpoints.importing import import_checkpoint
from segdesk.engine.checkpoints.packs import pack
from segdesk.engine.checkpoints.store import installed

SYMLINK, FIFO, DEVICE, FOLDER = stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR
EVIL_NAMES = [
    "../evil",
    "/tmp/evil",
    "a/b",
    "..",
    "a/../../evil",
    "C:evil",
    "a\\b",
    "~",
    ".hidden",
    "con",
    "aux.json",
    "evil.",
    "e vil",
    "ev\u202eil",
    "e\N{COMBINING ACUTE ACCENT}",
    "x" * 255,
]


@pytest.fixture
def packed(tiny, tmp_path):
    return pack(str(tiny), tmp_path / "tiny.segpack", "org/tiny")


def rewritten(packed, change):
    """Write a pack again after ``change(manifest, members)``; members are [ZipInfo, bytes]."""
    with zipfile.ZipFile(packed) as content:
        first, *rest = content.infolist()
        manifest = json.loads(content.read(first))
        members = [[info, content.read(info)] for info in rest]
    change(manifest, members)
    with zipfile.ZipFile(packed, "w") as content:
        content.writestr(first, json.dumps(manifest))
        for info, data in members:
            plain = zipfile.ZipInfo(info.filename, info.date_time)
            plain.external_attr, plain.compress_type = info.external_attr, info.compress_type
            content.writestr(plain, data)
    return packed


def refused(packed, words):
    with pytest.raises(CheckpointError, match=words) as caught:
        import_checkpoint(packed)
    assert str(packed) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert installed() == []
    assert list((store.store_folder() / store.INCOMING).glob("*")) == []


def test_it_is_the_same_on_the_other_side_and_found_by_name(packed, tiny):
    found = import_checkpoint(packed)
    assert (found.name, found.source, found.licence) == ("org/tiny", "pack", "apache-2.0")
    for file in tiny.iterdir():
        assert (found.path / file.name).read_bytes() == file.read_bytes()
    assert find_checkpoint("org/tiny", silent) == found.path
    again = pack("org/tiny", packed.with_name("again.segpack"))
    assert again.read_bytes() == packed.read_bytes()


def test_it_is_a_plain_zip_with_a_manifest_that_names_no_path_of_its_maker(packed, tiny):
    with zipfile.ZipFile(packed) as content:
        assert content.testzip() is None
        assert {info.compress_type for info in content.infolist()} == {zipfile.ZIP_STORED}
        manifest = json.loads(content.read("segdesk.json"))
    assert manifest["tasks"] == ["semantic"]
    assert set(manifest["files"]) == {file.name for file in tiny.iterdir()}
    assert str(tiny.parent) not in json.dumps(manifest)


def test_another_name_may_be_given(packed):
    assert import_checkpoint(packed, "mine").name == "mine"
    assert import_checkpoint(packed).name == "org/tiny"


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_a_name_that_is_a_path_is_refused(name, packed, tmp_path):
    def change(manifest, members):
        manifest["files"][name] = manifest["files"].pop("README.md")
        next(info for info, _ in members if info.filename == "README.md").filename = name

    before = sorted(tmp_path.rglob("*"))
    refused(rewritten(packed, change), "no name of a file")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["../evil", "a/b/c", "", 3, None, "con"])
def test_a_checkpoint_that_calls_itself_a_path_is_refused(name, packed):
    def change(manifest, members):
        manifest["name"] = name

    with pytest.raises(CheckpointError, match=r"no name for a checkpoint|no description"):
        import_checkpoint(rewritten(packed, change))
    assert installed() == []


@pytest.mark.parametrize("kind", [SYMLINK, FIFO, DEVICE, FOLDER])
def test_links_devices_and_folders_are_refused(kind, packed):
    def change(manifest, members):
        members[0][0].external_attr = (kind | 0o644) << 16

    refused(rewritten(packed, change), "no plain, uncompressed file")


def test_a_compressed_member_is_refused_as_it_may_be_a_bomb(packed):
    def change(manifest, members):
        members[0][0].compress_type = zipfile.ZIP_DEFLATED

    refused(rewritten(packed, change), "no plain, uncompressed file")


def test_members_that_the_manifest_does_not_name_are_refused(packed):
    def add(manifest, members):
        members.append([zipfile.ZipInfo("more.py"), b"print()"])

    refused(rewritten(packed, add), r"manifest and its files differ \('more\.py'\)")


def test_members_that_are_missing_or_there_twice_are_refused(packed):
    def drop(manifest, members):
        members.pop()

    def double(manifest, members):
        members.append(members[0])

    refused(rewritten(packed, drop), "manifest and its files differ")
    with pytest.warns(UserWarning, match="Duplicate name"):
        rewritten(packed, double)
    refused(packed, "manifest and its files differ")


def test_names_that_differ_in_their_case_only_are_refused(packed):
    def change(manifest, members):
        manifest["files"]["readme.md"] = manifest["files"]["README.md"]
        members.append([zipfile.ZipInfo("readme.md"), members[-1][1]])

    refused(rewritten(packed, change), "manifest and its files differ")


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ("sha256", "0" * 64, "is damaged: its hash"),
        ("sha256", "x", "no description of a checkpoint"),
        ("size", 1, "another size"),
        ("size", -1, "no description of a checkpoint"),
        ("size", 10**15, "another size"),
    ],
)
def test_sizes_and_hashes_are_compared(entry, value, words, packed):
    def change(manifest, members):
        manifest["files"]["config.json"][entry] = value

    refused(rewritten(packed, change), words)


def test_one_flipped_bit_anywhere_is_found(packed):
    whole = packed.read_bytes()
    with zipfile.ZipFile(packed) as content:
        starts = [info.header_offset for info in content.infolist()]
    for place in [start + 100 for start in starts[1:]]:
        content = bytearray(whole)
        content[place] ^= 4
        packed.write_bytes(content)
        with pytest.raises(CheckpointError):
            import_checkpoint(packed)
    assert installed() == []


def test_a_pack_that_is_cut_off_or_no_pack_is_refused(packed, tmp_path):
    packed.write_bytes(packed.read_bytes()[:-1000])
    refused(packed, "damaged, or no pack")
    packed.write_text("hello")
    refused(packed, "damaged, or no pack")
    with zipfile.ZipFile(packed, "w") as content:
        content.writestr("config.json", "{}")
    refused(packed, "does not begin with")


def test_a_later_format_says_so(packed):
    def change(manifest, members):
        manifest["format"] = 2

    refused(rewritten(packed, change), "format 2; this version reads 1")


def test_a_broken_checkpoint_is_not_packed_and_an_older_pack_stays(copied, packed):
    before = packed.read_bytes()
    (copied / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json: cannot be read"):
        pack(str(copied), packed)
    assert packed.read_bytes() == before
    assert [file.name for file in packed.parent.glob("*segpack*")] == [packed.name]
