"""Makes a consistent project of rows that are whole, some of which may be missing."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import numpy as np

from segdesk.core.errors import ProjectError
from segdesk.core.image import ImageInfo
from segdesk.core.segmentation import BY_HAND
from segdesk.engine.categories import categories_of
from segdesk.engine.layer import LayerState
from segdesk.engine.project import store
from segdesk.engine.project.check import check_ids, count_areas, why_undecodable
from segdesk.engine.project.codec import pack, record_of, text_of
from segdesk.engine.project.jobs import IMAGE_KEY, LAYER_KEY, strips
from segdesk.engine.project.replaying import TO_COUNT, replay
from segdesk.engine.project.rows import RowReader
from segdesk.engine.project.schema import put, put_twice

Key = tuple[int, int]  # (image, layer)


def mend(db: sqlite3.Connection) -> list[str]:
    """Repair references inside a transaction; return what is lost, one line each."""
    return _Mending(db).run()


class _Mending:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._rows = RowReader(db, store.TILE)
        self._losses: list[str] = []
        self._broken: set[int] = set()  # images whose layers are not as they were

    def run(self) -> list[str]:
        self._drop_damaged_ids()
        for image in sorted(self._all("SELECT image FROM {}", "document layer tile step pixels")):
            self._mend_image(image)
            replay(self._db, image)
        self._drop_tiles()
        for key in sorted(self._keys()):
            self._mend_layer(key)
            self._mend_segments(key)
        for (image,) in self._query("SELECT id FROM image"):
            self._mend_pixels(image)
            self._mend_document(image)
            self._mend_steps(image)
        return self._losses

    def _query(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self._db.execute(query, values).fetchall()

    def _all(self, query: str, tables: str) -> set[int]:
        return {value for table in tables.split() for (value,) in self._query(query.format(table))}

    def _keys(self) -> set[Key]:
        found = "SELECT DISTINCT image, layer FROM {}"
        return {
            (image, layer)
            for query in (
                found.format("tile"),
                found.format("segment"),
                "SELECT image, id FROM layer",
            )
            for image, layer in self._query(query)
        }

    def _copy(self, key: str) -> list[Any] | None:
        """Return the second copy of a row."""
        found = self._query("SELECT value FROM meta WHERE key = ?", (key,))
        return json.loads(found[0][0]) if found else None

    def _drop_damaged_ids(self) -> None:
        for row in self._query("SELECT * FROM ids"):
            try:
                check_ids(row)
            except (ProjectError, ValueError, TypeError):
                self._db.execute("DELETE FROM ids WHERE id = ?", (row[0],))

    def _mend_image(self, image: int) -> None:
        if self._query("SELECT 1 FROM image WHERE id = ?", (image,)):
            return
        copy = self._copy(IMAGE_KEY.format(image))
        if copy is None:
            self._losses.append(f"image {image}: which file it is, and its exact size")
            query = 'SELECT ifnull(max("column"), 0) + 1, ifnull(max(row), 0) + 1,'
            query += " ifnull(max(frame), 0) + 1 FROM tile WHERE image = ?"
            columns, rows, frames = self._query(query, (image,))[0]
            width, height = columns * store.TILE, rows * store.TILE
            info = ImageInfo(f"image {image}", width, height, 1, "uint8", "", frames)
            lost = f"lost image {image}"
            copy = [image, image, lost, lost, "", text_of(info), "{}"]
        put_twice(self._db, "image", IMAGE_KEY, [tuple(copy)])

    def _drop_tiles(self) -> None:
        """Drop tiles whose ids are gone."""
        query = 'SELECT image, layer, plane, frame, row, "column" FROM tile WHERE value < 0'
        for *key, row, column in self._query(f"{query} AND -value NOT IN (SELECT id FROM ids)"):
            image, layer, plane, frame = key
            self._broken.add(image)
            self._losses.append(
                f"image {image}, layer {layer}, plane {plane}, frame {frame}: the pixels of the"
                f" tile in column {column}, row {row}"
            )
            self._db.execute(
                "DELETE FROM tile WHERE image = ? AND layer = ? AND plane = ? AND frame = ?"
                ' AND row = ? AND "column" = ?',
                (*key, row, column),
            )

    def _mend_layer(self, key: Key) -> None:
        planes = self._query("SELECT max(plane) + 1 FROM tile WHERE image = ? AND layer = ?", key)
        needed = max(1, planes[0][0] or 1)
        found = self._query("SELECT * FROM layer WHERE image = ? AND id = ?", key)
        row = list(found[0][:-1]) if found else self._copy(LAYER_KEY.format(*key))
        if row is None:
            self._broken.add(key[0])
            self._losses.append(f"image {key[0]}, layer {key[1]}: its name and its categories")
            query = "SELECT DISTINCT category FROM segment WHERE image = ? AND layer = ?"
            categories = [c for (c,) in self._query(query, key) if c is not None]
            state = LayerState(f"Layer {key[1]}", "instance", categories_of(categories))
            row = [*key, 1000 + key[1], needed, text_of(state)]
        row[3] = max(row[3], needed)
        put_twice(self._db, "layer", LAYER_KEY, [tuple(row)])

    def _mend_segments(self, key: Key) -> None:
        """Make the segment table fit the pixels."""
        image, layer = key
        self._mend_provenance(key)
        query = "SELECT id, category, area FROM segment WHERE image = ? AND layer = ?"
        noted = {i: (category, area) for i, category, area in self._query(query, key)}
        counted = count_areas(self._db, self._rows, image, layer)
        unknown = sorted(counted.keys() - noted.keys())
        changed = [i for i, (_, area) in noted.items() if area != counted.get(i, 0)]
        if unknown:
            self._losses.append(
                f"image {image}, layer {layer}: the category of {len(unknown)} segments"
                f" ({_listed(unknown)})"
            )
        lost = [i for i in changed if noted[i][1] != TO_COUNT]
        if lost:
            self._losses.append(
                f"image {image}, layer {layer}: pixels of {len(lost)} segments ({_listed(lost)})"
            )
        if unknown or lost:
            self._broken.add(image)
        known = [category for category, _ in noted.values() if category is not None]
        category, made = min(known, default=1), self._by_hand() if unknown else 0
        for i in unknown:
            put(self._db, "segment", [(*key, i, category, None, "accepted", made, counted[i])])
        for i in changed:
            row = self._query(f"SELECT * FROM segment WHERE ({_IS_SEGMENT})", (*key, i))[0]
            put(self._db, "segment", [(*row[:-2], counted.get(i, 0))])

    def _mend_provenance(self, key: Key) -> None:
        query = "SELECT * FROM segment WHERE image = ? AND layer = ? AND category NOT NULL"
        lost = self._query(f"{query} AND provenance NOT IN (SELECT id FROM provenance)", key)
        if lost:
            self._losses.append(f"image {key[0]}, layer {key[1]}: who made {len(lost)} segments")
            made = self._by_hand()
            put(self._db, "segment", [(*row[:6], made, row[7]) for row in lost])

    def _by_hand(self) -> int:
        text = text_of(BY_HAND)
        found = self._query("SELECT id FROM provenance WHERE data = ?", (text,))
        if found:
            return int(found[0][0])
        row = self._query("SELECT ifnull(max(id), 0) + 1 FROM provenance")[0][0]
        put(self._db, "provenance", [(row, text)])
        return int(row)

    def _mend_pixels(self, image: int) -> None:
        """Put black strips where those of an image that is kept inside are lost."""
        path, text = self._query("SELECT path, info FROM image WHERE id = ?", (image,))[0]
        if path:
            return
        info = record_of(ImageInfo, text)
        found = self._query("SELECT number FROM pixels WHERE image = ?", (image,))
        there = {number for (number,) in found}
        for number, (frame, strip) in enumerate(strips(info)):
            if number not in there:
                of_frame = f" of frame {frame}" if info.frames > 1 else ""
                self._losses.append(
                    f"image {image}: its pixels from row {strip.y} to {strip.bottom}{of_frame}"
                )
                black = pack(np.zeros((*strip.shape, info.bands), info.dtype))
                put(self._db, "pixels", [(image, number, black)])

    def _mend_document(self, image: int) -> None:
        found = self._query(
            "SELECT prompts, last_layer, done FROM document WHERE image = ?", (image,)
        )
        query = "SELECT ifnull(max(id), 0) FROM layer WHERE image = ?"
        highest = self._query(query, (image,))[0][0]
        if not found:
            if highest:
                self._broken.add(image)
                self._losses.append(f"image {image}: its prompts")
                put(self._db, "document", [(image, "[]", highest, 0)])
            return
        prompts, last, done = found[0]
        there = self._all("SELECT id FROM {}", "prompt")
        kept = [row for row in json.loads(prompts) if row in there]
        if lost := len(json.loads(prompts)) - len(kept):
            self._losses.append(f"image {image}: {lost} prompts")
            self._broken.add(image)
        put(self._db, "document", [(image, json.dumps(kept), max(last, highest), done)])

    def _mend_steps(self, image: int) -> None:
        """Keep the steps that can still be undone and redone from where the document is."""
        query = "SELECT number, previous FROM step WHERE image = ? ORDER BY number"
        previous = dict(self._query(query, (image,)))
        found = self._query("SELECT done FROM document WHERE image = ?", (image,))
        done = found[0][0] if found else 0
        kept = [] if image in self._broken else self._whole(image, previous, done)
        lost = previous.keys() - set(kept)
        if lost or (done and not kept):
            self._losses.append(f"image {image}: {len(lost) or 'all'} steps of the history")
        for number in lost:
            self._db.execute("DELETE FROM step WHERE image = ? AND number = ?", (image, number))
        if kept and previous[kept[0]]:
            key = (image, kept[0])
            row = self._query("SELECT * FROM step WHERE image = ? AND number = ?", key)[0]
            put(self._db, "step", [(*row[:2], 0, *row[3:-1])])
        if found and done not in kept:
            row = self._query("SELECT * FROM document WHERE image = ?", (image,))[0]
            put(self._db, "document", [(*row[:3], 0)])

    def _whole(self, image: int, previous: dict[int, int], done: int) -> list[int]:
        """Return the numbers of an unbroken chain of whole steps around the last one done."""
        following = {before: number for number, before in previous.items()}
        backward, number = [], done
        while number in previous and self._is_whole(image, number):
            backward.append(number)
            number = previous[number]
        if done and not backward:
            return []
        forward, number = [], following.get(done, 0)
        while number and self._is_whole(image, number):
            forward.append(number)
            number = following.get(number, 0)
        return [*reversed(backward), *forward]

    def _is_whole(self, image: int, number: int) -> bool:
        return not why_undecodable(self._db, self._rows, image, number)


_IS_SEGMENT = "image = ? AND layer = ? AND id = ?"


def _listed(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:5])) + (", ..." if len(ids) > 5 else "")
