"""Deletes what nothing in a project refers to any more."""

from __future__ import annotations

import json

from segdesk.engine.project.jobs import LAYER_KEY, UNTIDY
from segdesk.engine.project.rows import RowWriter
from segdesk.engine.project.schema import take
from segdesk.engine.project.steps import References, references


class _Tidy:
    """The job that does it; only at the end, when nobody holds a tile that is still in the file."""

    def write(self, rows: RowWriter) -> None:
        """Delete layers, tiles, prompts and provenances that neither a layer nor a step needs."""
        db = rows.db
        if not take(db, UNTIDY):
            return
        needed: dict[int, References] = {}
        for image, changes in db.execute("SELECT image, changes FROM step"):
            found, needs = needed.setdefault(image, References()), references(changes)
            for name, ids in vars(needs).items():
                getattr(found, name).update(ids)
        self._drop_layers(rows, needed)
        self._drop_rows(rows, needed)

    def _drop_layers(self, rows: RowWriter, needed: dict[int, References]) -> None:
        hidden = rows.db.execute("SELECT image, id FROM layer WHERE position IS NULL").fetchall()
        gone = [key for key in hidden if key[1] not in needed.get(key[0], References()).layers]
        rows.db.executemany("DELETE FROM layer WHERE image = ? AND id = ?", gone)
        copies = ((LAYER_KEY.format(*key),) for key in gone)
        rows.db.executemany("DELETE FROM meta WHERE key = ?", copies)
        for table in ("segment", "tile"):
            rows.db.executemany(f"DELETE FROM {table} WHERE image = ? AND layer = ?", gone)

    def _drop_rows(self, rows: RowWriter, needed: dict[int, References]) -> None:
        db = rows.db
        used = {
            "ids": {-value for (value,) in db.execute("SELECT value FROM tile WHERE value < 0")},
            "provenance": {made for (made,) in db.execute("SELECT provenance FROM segment")},
            "prompt": set(),
        }
        for (prompts,) in db.execute("SELECT prompts FROM document"):
            used["prompt"].update(json.loads(prompts))
        for found in needed.values():
            used["ids"] |= found.tiles
            used["provenance"] |= found.provenance
            used["prompt"] |= found.prompts
        for table, kept in used.items():
            there = {row for (row,) in db.execute(f"SELECT id FROM {table}")}
            gone = ((row,) for row in there - kept)
            db.executemany(f"DELETE FROM {table} WHERE id = ?", gone)


tidy = _Tidy()
