"""The changes of a step as bytes and back; tiles, prompts and layers are referred to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.errors import ProjectError
from segdesk.core.history import Change
from segdesk.core.segmentation import Segment, State
from segdesk.engine.changes import (
    LayersChange,
    PlanesChange,
    PromptsChange,
    SegmentsChange,
    StateChange,
    Tiles,
    TilesChange,
)
from segdesk.engine.document import Document
from segdesk.engine.layer import Layer, LayerState
from segdesk.engine.project.codec import pack, typed, unpack
from segdesk.engine.project.rows import RowReader, RowWriter

STATES: tuple[State, ...] = ("accepted", "proposed", "rejected")
_KIND_OF = {
    TilesChange: "tiles",
    SegmentsChange: "segments",
    StateChange: "state",
    LayersChange: "layers",
    PromptsChange: "prompts",
    PlanesChange: "planes",
}


@dataclass
class References:
    """The rows that a step needs, and the layers."""

    tiles: set[int] = field(default_factory=set)
    prompts: set[int] = field(default_factory=set)
    provenance: set[int] = field(default_factory=set)
    layers: set[int] = field(default_factory=set)


def encode(changes: Iterable[Change[Document]], rows: RowWriter) -> bytes:
    """Return changes as bytes; what they need is written."""
    return pack([_encoded(change, rows) for change in changes])


def decode(
    data: bytes, rows: RowReader, layer_of: Callable[[int], Layer]
) -> tuple[Change[Document], ...]:
    """Return the changes that ``encode`` was given. Raises ``ProjectError``."""
    try:
        return tuple(_decoded(record, rows, layer_of) for record in unpack(data))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ProjectError(f"A step of the history is damaged ({error}).") from error


def references(data: bytes) -> References:
    """Return what a step refers to. Raises ``ProjectError`` when it cannot be understood."""
    found = References()
    try:
        for record in unpack(data):
            for side in (record.get("before"), record.get("after")):
                _refer(record["kind"], side, found)
            if "layer" in record:
                found.layers.add(int(record["layer"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProjectError(f"a step of the history is damaged ({error}).") from error
    return found


def _refer(kind: str, side: Any, found: References) -> None:
    if kind == "tiles":
        found.tiles.update((-side[side < 0]).tolist())
    elif kind == "segments":
        found.provenance.update(side["provenance"][side["is_there"]].tolist())
    elif kind == "layers":
        found.layers.update(map(int, side))
    elif kind == "prompts":
        found.prompts.update(map(int, side))


def _encoded(change: Change[Document], rows: RowWriter) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": _KIND_OF[type(change)]}
    if isinstance(change, TilesChange):
        areas = np.array(list(change.areas.items()), np.int64).reshape(-1, 2)
        record |= {"layer": change.layer_id, "plane": change.plane, "areas": areas}
        record["at"] = np.array(list(change.before), np.int32).reshape(-1, 3)
        record["before"] = rows.tiles(change.before.values())
        record["after"] = rows.tiles(change.after[index] for index in change.before)
    elif isinstance(change, SegmentsChange):
        record |= {"layer": change.layer_id, "ids": np.array(list(change.before), np.int32)}
        record["before"] = _columns(change.before.values(), rows)
        record["after"] = _columns([change.after[i] for i in change.before], rows)
    elif isinstance(change, StateChange):
        record |= {"layer": change.layer_id, "before": change.before, "after": change.after}
    elif isinstance(change, LayersChange):
        record["before"] = [layer.id for layer in change.before]
        record["after"] = [layer.id for layer in change.after]
    elif isinstance(change, PromptsChange):
        record["before"] = rows.prompts(change.before)
        record["after"] = rows.prompts(change.after)
    elif isinstance(change, PlanesChange):
        record |= {"layer": change.layer_id, "count": change.count}
    return record


def _decoded(
    record: dict[str, Any], rows: RowReader, layer_of: Callable[[int], Layer]
) -> Change[Document]:
    kind, before, after = record["kind"], record.get("before"), record.get("after")
    if kind == "tiles":
        at, layer, plane = record["at"], int(record["layer"]), int(record["plane"])
        areas = dict(record["areas"].tolist())
        return TilesChange(_tiles(at, before, rows), _tiles(at, after, rows), areas, layer, plane)
    if kind == "segments":
        ids = record["ids"].tolist()
        sides = [dict(zip(ids, _segments(ids, s, rows), strict=True)) for s in (before, after)]
        return SegmentsChange(sides[0], sides[1], int(record["layer"]))
    if kind == "state":
        states = typed(LayerState, before), typed(LayerState, after)
        return StateChange(*states, int(record["layer"]))
    if kind == "layers":
        return LayersChange(tuple(map(layer_of, before or ())), tuple(map(layer_of, after or ())))
    if kind == "prompts":
        return PromptsChange(
            tuple(map(rows.prompt, before or ())), tuple(map(rows.prompt, after or ()))
        )
    if kind == "planes":
        return PlanesChange(int(record["layer"]), int(record["count"]))
    raise ValueError(f"unknown kind {kind!r:.20}")


def _tiles(at: NDArray[Any], references: Any, rows: RowReader) -> Tiles:
    indices = [(column, row, frame) for column, row, frame in at.tolist()]
    return dict(zip(indices, rows.tiles(references), strict=True))


def _columns(segments: Iterable[Segment | None], rows: RowWriter) -> dict[str, Any]:
    """Return segments as an array for each field."""
    listed = list(segments)
    return {
        "is_there": np.array([s is not None for s in listed], bool),
        "category": np.array([s.category if s else 0 for s in listed], np.int64),
        "is_scored": np.array([s is not None and s.score is not None for s in listed], bool),
        "score": np.array([(s.score if s else None) or 0.0 for s in listed], np.float64),
        "state": np.array([STATES.index(s.state) if s else 0 for s in listed], np.uint8),
        "provenance": np.array(
            [rows.provenance(s.provenance) if s else 0 for s in listed], np.int64
        ),
    }


def _segments(ids: list[int], columns: Any, rows: RowReader) -> list[Segment | None]:
    names = ("is_there", "category", "is_scored", "score", "state", "provenance")
    values = zip(ids, *(columns[name].tolist() for name in names), strict=True)
    return [
        Segment(i, category, score if scored else None, STATES[state], rows.provenance(made))
        if is_there
        else None
        for i, is_there, category, scored, score, state, made in values
    ]
