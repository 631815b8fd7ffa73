"""Writes the large images of open.py and pan.py into a folder for temporary files, once.

They are made of a few dozen tiles of noise and waves in changing order, compressed beforehand, so
that gigabytes are written in seconds. A band of pure red runs from top to bottom.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import tifffile

FOLDER = Path(tempfile.gettempdir()) / "segdesk-large-images"
TILE = 512
FEW = 16  # tiles in a row of a level that is made as a whole
KINDS = 24  # different tiles
RED = 0.42, 0.5  # of the width
QUICK = 8  # times smaller with --quick


def large_images(quick: bool) -> dict[str, Path]:
    """Return the images by name, written where they are not there yet."""
    by = QUICK if quick else 1
    names: dict[str, Callable[[Path], None]] = {
        f"pyramid-{30_000 // by}.tif": lambda path: write_pyramid(path, 30_000 // by),
        f"sparse-{100_000 // by}.tif": lambda path: write_pyramid(path, 100_000 // by, sparse=True),
        f"strips-{10_000 // by}.tif": lambda path: write_strips(path, 10_000 // by),
        f"whole-{10_000 // by}.png": lambda path: write_whole(path, 10_000 // by),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, write in names.items():
        if not (FOLDER / name).exists():
            print(f"writing {FOLDER / name}")
            temporary = FOLDER / f"part-{name}"
            write(temporary)
            temporary.replace(FOLDER / name)
    return {name: FOLDER / name for name in names}


def write_pyramid(path: Path, side: int, sparse: bool = False) -> None:
    """Write a tiled BigTIFF with an overview for each halving; of a sparse one few tiles exist."""
    sides = [side]
    while sides[-1] > TILE:
        sides.append(-(-sides[-1] // 2))
    coded = [imagecodecs.zstd_encode(np.ascontiguousarray(tile), level=1) for tile in tiles()]
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for number, extent in enumerate(sides):
            is_small = extent < FEW * TILE
            file.write(
                picture(extent) if is_small else encoded(coded, extent, sparse),
                shape=(extent, extent, 3),
                dtype="uint8",
                tile=(TILE, TILE),
                compression="zstd",
                photometric="rgb",
                subfiletype=1 if number else 0,
                metadata=None,
            )


def encoded(coded: list[bytes], side: int, sparse: bool) -> Iterator[bytes]:
    """Yield the tiles of a level, from left to right and top to bottom."""
    across = -(-side // TILE)
    for row in range(across):
        for column in range(across):
            is_there = not sparse or is_red(column, across) or (column + row) % 16 == 0
            yield coded[kind(column, row, across)] if is_there else b""


def write_strips(path: Path, side: int) -> None:
    """Write a TIFF of compressed strips."""
    tifffile.imwrite(path, picture(side), rowsperstrip=16, compression="zlib", photometric="rgb")


def write_whole(path: Path, side: int) -> None:
    """Write a PNG."""
    cv2.imwrite(str(path), picture(side)[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])


def picture(side: int) -> np.ndarray:
    """Return (side, side, 3) uint8."""
    made, across = tiles(), -(-side // TILE)
    rows = [
        np.concatenate([made[kind(column, row, across)] for column in range(across)], axis=1)
        for row in range(across)
    ]
    whole = np.concatenate(rows)[:side, :side]
    whole[:, int(RED[0] * side) : int(RED[1] * side)] = made[0][0, 0]
    return whole


def tiles() -> list[np.ndarray]:
    """Return the tiles; the first is red."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: TILE // 2, : TILE // 2]
    made = [np.full((TILE, TILE, 3), (255, 0, 0), np.uint8)]
    for number in range(1, KINDS):
        waves = [np.sin(x / (5 + number) + y / (9 + 3 * band)) for band in range(3)]
        noise = rng.normal(0, 6, (TILE // 2, TILE // 2, 1))
        small = (127 + 90 * np.stack(waves, axis=-1) + noise).clip(0, 255).astype(np.uint8)
        made.append(small.repeat(2, axis=0).repeat(2, axis=1))
    return made


def is_red(column: int, across: int) -> bool:
    """Say whether a column of tiles lies in the red band."""
    return RED[0] <= (column + 0.5) / across < RED[1]


def kind(column: int, row: int, across: int) -> int:
    """Return which tile lies at a place."""
    return 0 if is_red(column, across) else 1 + (7 * column + 11 * row) % (KINDS - 1)
