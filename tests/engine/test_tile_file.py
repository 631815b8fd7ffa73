import numpy as np
import pytest

from segdesk.engine.tile_file import DamagedTiles, TileFile

TILES = {
    (level, column, 0): np.random.default_rng(column).integers(0, 9, (4, 5, 3), np.uint16)
    for level in (0, 3)
    for column in range(6)
}


@pytest.fixture
def path(tmp_path):
    """A finished file of tiles."""
    tiles = TileFile.create(tmp_path / "new")
    for place, pixels in TILES.items():
        tiles.put(place, pixels)
    tiles.finish(tmp_path / "tiles")
    tiles.close()
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]
    return tmp_path / "tiles"


def read_all(path):
    tiles = TileFile(path)
    try:
        return {place: tiles.get(place, "uint16") for place in TILES if place in tiles}
    finally:
        tiles.close()


def test_tiles_come_back(path):
    found = read_all(path)
    assert found.keys() == TILES.keys()
    for place, values in found.items():
        np.testing.assert_array_equal(values.reshape(4, 5, 3), TILES[place])


def test_tiles_are_there_before_the_file_is_finished(tmp_path):
    tiles = TileFile.create(tmp_path / "new")
    tiles.put((1, 2, 3), np.arange(6, dtype=np.uint8))
    assert (1, 2, 3) in tiles
    assert (1, 2, 4) not in tiles
    assert tiles.get((1, 2, 3), "uint8").tolist() == list(range(6))
    tiles.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_part_written_file_is_not_taken_for_a_whole_one(path):
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(DamagedTiles):
            TileFile(path)


def test_no_flipped_byte_goes_unnoticed(path):
    data = path.read_bytes()
    noticed = 0
    for place in range(16, len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            found = read_all(path)
        except DamagedTiles:
            noticed += 1
        else:  # such as a flag that changes nothing
            assert found.keys() == TILES.keys()
            assert all((found[p].reshape(4, 5, 3) == TILES[p]).all() for p in TILES)
    assert noticed > 0.9 * (len(data) - 16)
