"""Work that has no name yet: projects of their own in the data folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from segdesk.core.errors import ProjectError
from segdesk.engine.folders import data_folder
from segdesk.engine.project.files import opened_to_look, remove
from segdesk.engine.project.lock import is_free, lock_path
from segdesk.engine.project.schema import SUFFIX, check_header


@dataclass(frozen=True)
class Unsaved:
    """Work of a window that ended without saving it.

    Attributes
    ----------
    images
        Names of the images with work on them.
    steps
        How many steps of all histories are kept.
    time
        When the file was last written to.
    """

    path: Path
    images: tuple[str, ...]
    steps: int
    time: datetime
    problem: str = ""  # why it has to be recovered before it can be opened


def unsaved_folder() -> Path:
    """Return the folder of the projects without a name."""
    return data_folder() / "unsaved"


def new_unsaved() -> Path:
    """Return where a new project without a name will be."""
    return unsaved_folder() / f"{uuid4().hex}{SUFFIX}"


def is_unsaved(path: Path) -> bool:
    """Say whether a project has no name yet."""
    return path.parent == unsaved_folder().resolve() or path.parent == unsaved_folder()


def list_unsaved() -> list[Unsaved]:
    """Return unsaved work that nobody has open, newest first.

    Copies that were made only to look at another project are deleted.
    """
    folder = unsaved_folder()
    found = [path for path in folder.glob(f"*{SUFFIX}") if path.is_file()]
    free = [unsaved for path in found if is_free(path) and (unsaved := _look(path))]
    return sorted(free, key=lambda unsaved: unsaved.time, reverse=True)


def discard_unsaved(path: Path) -> None:
    """Delete unsaved work for good. Raises ``ProjectError``."""
    try:
        remove(path)
        lock_path(path).unlink(missing_ok=True)
    except OSError as error:
        raise ProjectError(f"{path} could not be deleted: {error.strerror}.") from error


def _look(path: Path) -> Unsaved | None:
    time = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    try:
        with opened_to_look(path) as db:
            check_header(db, path)
            is_work = not db.execute("SELECT 1 FROM meta WHERE key = 'untouched'").fetchone()
            images = db.execute("SELECT path, info ->> 'name' FROM image ORDER BY position")
            names = tuple(Path(where or name).name for where, name in images)
            steps = db.execute("SELECT count(*) FROM step").fetchone()[0]
    except ProjectError as error:
        return Unsaved(path, (), 0, time, str(error))
    if is_work:
        return Unsaved(path, names, steps, time)
    discard_unsaved(path)
    return None
