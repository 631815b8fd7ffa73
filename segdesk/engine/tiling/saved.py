"""Keeps a tiled run in a file, so that another process can go on with the tiles that are missing.

A NumPy archive without pickles: a header in JSON, and arrays. Scores that wait for their
neighbours are left out, and their tiles asked for again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import ExportError, UsageError
from segdesk.core.geometry import Window
from segdesk.core.packed import AtRest, PackedTile
from segdesk.core.progress import Report
from segdesk.core.segmentation import (
    Category,
    CategoryScores,
    Provenance,
    Segment,
    Segmentation,
    SegmentMasks,
)
from segdesk.core.tile import TILE
from segdesk.engine.tiling.growing import Growth
from segdesk.engine.tiling.ladder import Rung
from segdesk.engine.tiling.matching import Part
from segdesk.engine.tiling.run import Answerer, TiledRun
from segdesk.engine.tiling.stitch import Stitcher

_VERSION = 1
_INTERVAL = 30.0  # seconds between two times that the file is written


def save_run(run: TiledRun, path: Path, image_key: str) -> None:
    """Write what is done of a run, in place of what the file held before.

    Raises ``ExportError`` when it cannot be written.
    """
    arrays: dict[str, Any] = {"header": _text(json.dumps(_header(run, image_key)))}
    waiting = run.drawing.drawer.waiting if run.drawing.drawer else set()
    arrays["done"] = np.array(sorted(run.drawing.done - waiting), np.int64).reshape(-1, 2)
    for number, plane in enumerate(run.growing.planes):
        tiles = [(index, plane.packed(index)) for index in plane.indices()]
        arrays[f"plane{number}"] = _rows([(*index, *_facts(tile)) for index, tile in tiles], 7)
        arrays[f"bytes{number}"] = _bytes([_data(tile) for _, tile in tiles])
    if isinstance(run.drawing.drawer, Stitcher):
        arrays |= _stitching(run.drawing.drawer)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            temporary = Path(folder) / "run.npz"
            np.savez(temporary, **arrays)
            temporary.replace(path)
    except OSError as error:
        raise ExportError(f"The state of the tiles cannot be kept in {path}: {error}") from error


def resume_run(run: TiledRun, path: Path, image_key: str) -> None:
    """Bring a run that has not begun to where another one was when it was saved.

    Raises ``UsageError`` when the file is damaged, or of another image, job or tiling.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(bytes(arrays["header"]))
        if header["job"] != _fingerprint(run, image_key):
            raise UsageError(
                f"{path} is of another image, segmenter or tiling: run without --resume."
            )
        _restore(run, header, arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is damaged: run without --resume.") from error


def go_on(
    run: TiledRun, answerer: Answerer, report: Report, path: Path, image_key: str
) -> Segmentation:
    """Segment the tiles that are missing, and keep the state in a file until all are done.

    It is written twice a minute, and when something ends the run.
    """
    last = time.monotonic()

    def on_growth(growth: Growth) -> None:
        nonlocal last
        if time.monotonic() - last > _INTERVAL:
            save_run(run, path, image_key)
            last = time.monotonic()

    try:
        segmentation = run.go(answerer, report, on_growth)
    except BaseException:
        save_run(run, path, image_key)
        raise
    path.unlink(missing_ok=True)
    return segmentation


def _header(run: TiledRun, image_key: str) -> dict[str, Any]:
    growing, drawer = run.growing, run.drawing.drawer
    header = {
        "job": _fingerprint(run, image_key),
        "rung": asdict(run.rung),
        "task": growing.task,
        "begun": drawer is not None,
        "scores": drawer is not None and not isinstance(drawer, Stitcher),
        "shape": drawer.shape if drawer is not None and not isinstance(drawer, Stitcher) else None,
        "categories": [asdict(category) for category in growing.categories],
        "segments": [asdict(segment) for segment in growing.segments.values()],
        "planes": len(growing.planes),
    }
    if isinstance(drawer, Stitcher):
        header |= {"next": drawer.next_id, "stuff": sorted(drawer.stuff.items())}
    return header


def _stitching(drawer: Stitcher) -> dict[str, Any]:
    parts = [(tile, part) for tile, parts in drawer.kept.items() for part in parts]
    windows = [
        (segment_id, number, *_corners(window))
        for segment_id, places in drawer.drawn.items()
        for number, window in places
    ]
    return {
        "drawn": _rows(windows, 6),
        "parts": _rows([(*t, p.id, p.category, *_corners(p.window)) for t, p in parts], 8),
        "scores": np.array([np.nan if p.score is None else p.score for _, p in parts]),
        "masks": _bytes([np.packbits(part.mask).tobytes() for _, part in parts]),
    }


def _restore(run: TiledRun, header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    run.begin(Rung(**header["rung"]))
    growing = run.growing
    for number in range(header["planes"]):
        plane, blob = growing.plane(number), _Blob(arrays[f"bytes{number}"])
        for column, row, frame, *facts in arrays[f"plane{number}"].tolist():
            plane.put_packed((column, row, frame), _tile(facts, blob))
    done = {(row, column) for row, column in arrays["done"].tolist()}
    if header["begun"]:
        categories = tuple(
            Category(**(category | {"colour": tuple(category["colour"])}))
            for category in header["categories"]
        )
        _restore_drawer(run, header, arrays, categories)
        assert run.drawing.drawer
        run.drawing.drawer.restore(done)
        for segment in header["segments"]:
            made = Provenance(**segment.pop("provenance"))
            growing.add_segment(Segment(**segment, provenance=made))
    run.drawing.done |= done


def _restore_drawer(
    run: TiledRun,
    header: dict[str, Any],
    arrays: dict[str, NDArray[Any]],
    categories: tuple[Category, ...],
) -> None:
    if header["scores"]:
        height, width = header["shape"]
        nothing = np.zeros((len(categories), height, width), np.float32)
        run.drawing.begin(CategoryScores(nothing, categories))
        return
    drawer = run.drawing.begin(SegmentMasks((), categories, header["task"]))
    assert isinstance(drawer, Stitcher)
    drawer.next_id, drawer.stuff = header["next"], dict(header["stuff"])
    for segment_id, number, *corners in arrays["drawn"].tolist():
        drawer.drawn.setdefault(segment_id, set()).add((number, Window(*corners)))
    blob = _Blob(arrays["masks"])
    for row, score in zip(arrays["parts"].tolist(), arrays["scores"].tolist(), strict=True):
        window = Window(*row[4:])
        bits = np.frombuffer(blob.take(-(-window.area // 8)), np.uint8)
        mask = np.unpackbits(bits, count=window.area).astype(np.bool_).reshape(window.shape)
        part = Part(mask, window, row[3], None if np.isnan(score) else score, row[2])
        drawer.kept.setdefault((row[0], row[1]), []).append(part)


class _Blob:
    """Bytes that are taken one piece after the other."""

    def __init__(self, array: NDArray[np.uint8]) -> None:
        self._data, self._place = array.tobytes(), 0

    def take(self, count: int) -> bytes:
        """Return the next bytes. Raises ValueError where there are not so many."""
        piece = self._data[self._place : self._place + count]
        if len(piece) != count:
            raise ValueError("the data ends too early")
        self._place += count
        return piece


def _fingerprint(run: TiledRun, image_key: str) -> str:
    """Return what two runs must have in common to go on with each other."""
    tiling = asdict(run.tiling) | {"focus": None, "batch": None}
    facts = (_VERSION, image_key, run.asked, tiling, repr(run.job.options), run.growing.frame)
    digest = hashlib.sha256(repr(facts).encode())
    for prompt in run.job.prompts:
        digest.update(repr(prompt).encode())
    return digest.hexdigest()


def _facts(tile: AtRest) -> tuple[int, int, int, int]:
    """Return bytes, bits of an id, lowest and highest id."""
    if isinstance(tile, int):
        return 0, 0, tile, tile
    return len(tile.data), 8 * np.dtype(tile.dtype).itemsize, tile.low, tile.high


def _data(tile: AtRest) -> bytes:
    return b"" if isinstance(tile, int) else tile.data


def _tile(facts: list[int], blob: _Blob) -> AtRest:
    size, bits, low, high = facts
    return PackedTile(blob.take(size), f"uint{bits}", TILE, low, high) if size else low


def _corners(window: Window) -> tuple[int, int, int, int]:
    return window.x, window.y, window.width, window.height


def _rows(rows: list[Any], width: int) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(-1, width)


def _bytes(pieces: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(pieces), np.uint8)


def _text(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)
