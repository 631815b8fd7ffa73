"""What a project file holds, without opening its images."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from segdesk.engine.project.files import opened_to_look
from segdesk.engine.project.schema import check_header, version_of


def summary(path: Path) -> dict[str, Any]:
    """Return size, format, images, layers and numbers of steps as JSON values.

    Raises ``ProjectError`` when the project cannot be read.
    """
    with opened_to_look(path) as db:
        check_header(db, path)
        query = "SELECT id, path, info FROM image ORDER BY position, id"
        images = [_image(db, *row) for row in db.execute(query).fetchall()]
        size = path.stat().st_size
        return {"project": str(path), "format": version_of(db), "bytes": size, "images": images}


def _image(db: sqlite3.Connection, image: int, path: str, text: str) -> dict[str, Any]:
    info = json.loads(text)
    query = "SELECT id, state FROM layer WHERE image = ? AND position NOT NULL ORDER BY position"
    layers = [_layer(db, image, *row) for row in db.execute(query, (image,)).fetchall()]
    steps = db.execute("SELECT count(*) FROM step WHERE image = ?", (image,)).fetchone()[0]
    about = {"id": image, "name": Path(path or info["name"]).name, "path": path}
    size = {key: info[key] for key in ("width", "height", "frames")}
    return {**about, **size, "steps": steps, "layers": layers}


def _layer(db: sqlite3.Connection, image: int, layer: int, text: str) -> dict[str, Any]:
    state = json.loads(text)
    query = "SELECT count(category), total(area) FROM segment WHERE image = ? AND layer = ?"
    segments, area = db.execute(query, (image, layer)).fetchone()
    about = {key: state[key] for key in ("name", "task", "is_proposal")}
    return {"id": layer, **about, "segments": segments, "pixels": int(area)}
