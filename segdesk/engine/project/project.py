"""The open project: some images, each with its document, kept in one file as they are edited."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from segdesk.core.errors import ProjectError
from segdesk.core.events import Event
from segdesk.core.image import ArrayImage, ImageSource
from segdesk.engine.document import Document
from segdesk.engine.images import open_image
from segdesk.engine.project.files import remove
from segdesk.engine.project.finding import Found, absence, find_image, fits, match, size
from segdesk.engine.project.image_link import ImageLink, fingerprint
from segdesk.engine.project.jobs import ImageJob, Job, PixelsJob, RemoveJob
from segdesk.engine.project.journal import is_unsaved, new_unsaved
from segdesk.engine.project.lock import Locked
from segdesk.engine.project.reading import (
    ProjectImage,
    read_document,
    read_images,
)
from segdesk.engine.project.recorder import DocumentRecorder
from segdesk.engine.project.rows import RowReader
from segdesk.engine.project.store import Store
from segdesk.engine.project.tidying import tidy
from segdesk.engine.project.writer import Writer


@dataclass(frozen=True)
class Read:
    """The document of an image as it was read, not yet followed by its project."""

    image: int
    document: Document
    recorder: DocumentRecorder
    found: Found


class Project:
    """Images with their documents in one file; every committed edit is in it moments later.

    ``Project()`` has no name yet: its file is made in the data folder with the first edit, and
    offered by ``list_unsaved`` when the program ends without ``close``. All methods are for one
    thread.

    Attributes
    ----------
    read_only_origin
        Why this is a copy of the project that was opened, which is never written to: one line,
        empty when it is the project itself.
    origin
        The project that was opened; None for a new one.
    problems
        Emits one line when edits could not be written, or the file had to be rescued; in another
        thread.
    kept
        Emits the number of the last edit that is safe on the disk (see ``sequence``); in another
        thread.
    """

    def __init__(
        self, store: Store | None = None, origin: Path | None = None, read_only_origin: str = ""
    ) -> None:
        self.origin, self.read_only_origin = origin, read_only_origin
        self.problems: Event[str] = Event()
        self.kept: Event[int] = Event()
        self._store = store or Store(new_unsaved())
        self._writer = Writer(self._store, self.problems.emit, self.kept.emit)
        self._documents: dict[int, Document] = {}
        self._recorders: list[DocumentRecorder] = []
        reader = self._store.reader
        self._images = {image.id: image for image in read_images(reader)} if reader else {}

    @property
    def path(self) -> Path:
        """The file of the project."""
        return self._store.path

    @property
    def is_unsaved(self) -> bool:
        """Whether the project has no name yet."""
        return is_unsaved(self.path)

    @property
    def images(self) -> tuple[ProjectImage, ...]:
        """The images in their order."""
        return tuple(sorted(self._images.values(), key=lambda image: image.position))

    @property
    def problem(self) -> str:
        """Why the last edits are only in memory; empty when all is well."""
        return self._writer.problem

    @property
    def sequence(self) -> int:
        """The number of the newest edit; it is safe once ``kept`` has emitted it."""
        return self._writer.last

    @property
    def is_kept(self) -> bool:
        """Whether everything is safe on the disk, or there is nothing to keep yet."""
        return self._writer.kept >= self._writer.last or not self.has_work

    @property
    def has_work(self) -> bool:
        """Whether anything was ever edited; of a copy: since it was made."""
        is_edited = any(recorder.has_recorded for recorder in self._recorders)
        return is_edited or (not self.read_only_origin and self._store.exists)

    def add(self, source: ImageSource) -> Document:
        """Add an image and return its document; an image that is in no file is kept inside."""
        document = Document(source)
        self.attach(document)
        return document

    def attach(self, document: Document) -> ProjectImage:
        """Add a document with the steps that it has, and keep all its edits from now on."""
        source = document.image
        is_inside = isinstance(source, ArrayImage)
        link = None if is_inside else ImageLink.to_any(Path(source.info.name), self.path.parent)
        number = max(self._images, default=0) + 1
        position = max((image.position for image in self._images.values()), default=0) + 1
        info = replace(source.info, levels=()) if is_inside else source.info
        image = ProjectImage(number, position, link, info, {})
        self._images[number] = image
        self._put_image(image)
        if is_inside:
            self._put(PixelsJob(number, source))
        self._follow(number, document).catch_up()
        return image

    def document(self, image: int) -> Document:
        """Return the document of an image; it is opened when asked for the first time.

        A missing image does not prevent that: it is blank, and ``ProjectImage.problem`` says why.
        Raises ``ProjectError`` when the project is damaged.
        """
        if image not in self._documents:
            self.take(self.read(image))
        return self._documents[image]

    def find(self, image: int) -> Found:
        """Look for the file of an image; ``show`` then makes its document show it.

        Any thread may call it.
        """
        folder = self.path.parent if self.origin is None else self.origin.parent
        return find_image(self._images[image], folder, self._store.reader)

    def read(self, image: int) -> Read:
        """Read the document of an image; ``take`` then makes it this project's.

        Any thread may call it. Raises ``ProjectError`` when the project is damaged.
        """
        reader = self._store.reader
        assert reader is not None, "an image that was not attached is in the file"
        self._writer.flush()
        found = self.find(image)
        recorder = DocumentRecorder(image, Document(found.source), self._writer, self._reader)
        document = read_document(image, found.source, reader, recorder.know)
        return Read(image, document, recorder, found)

    def take(self, read: Read) -> Document:
        """Take over a document that was read; one that is there already stays."""
        if read.image not in self._documents:
            self._note(self._images[read.image], read.found)
            self._follow(read.image, read.document, read.recorder)
        return self._documents[read.image]

    def show(self, image: int, found: Found) -> None:
        """Make the document of an image show what was found."""
        self._note(self._images[image], found)
        document = self._documents[image]
        document.image.close()
        document.image = found.source

    def image(self, number: int) -> ProjectImage:
        """Return what the project knows of an image; KeyError if there is none of this number."""
        return self._images[number]

    def image_of(self, document: Document) -> ProjectImage:
        """Return what the project knows of the image of a document; KeyError if it has none."""
        for number, other in self._documents.items():
            if other is document:
                return self._images[number]
        raise KeyError(document)

    def remove(self, image: int) -> None:
        """Remove an image with all work on it."""
        document = self._documents.pop(image, None)
        if document:
            document.history.recorder = None
        del self._images[image]
        self._put(RemoveJob(image), wake=True)

    def set_view(self, image: int, view: Mapping[str, Any]) -> None:
        """Keep how an image is shown: JSON values, replaced as a whole."""
        known = self._images[image]
        if known.view != view:
            known.view = json.loads(json.dumps(dict(view)))
            self._put_image(known)

    def relink(self, image: int, path: Path, changed: bool = False) -> None:
        """Say where the file of an image is now; its document then shows it.

        Parameters
        ----------
        changed
            Whether a file with another content is welcome, as long as its size is the same.

        Raises
        ------
        ProjectError
            The file has another content or another size.
        ImageError
            The file cannot be opened.
        """
        known = self._images[image]
        link = ImageLink.to(path, self.path.parent)
        if known.link and link.fingerprint != known.link.fingerprint and not changed:
            raise ProjectError(f"{path} is not the image that was worked on: its content differs.")
        source = open_image(path)
        if not fits(source.info, known.info):
            source.close()
            raise ProjectError(
                f"{path} has {size(source.info)}, and the image that was worked on has"
                f" {size(known.info)}."
            )
        found = Found(source, link)
        if image in self._documents:
            self.show(image, found)
        else:
            self._note(known, found)
            source.close()

    def is_same(self, image: int, path: Path) -> bool:
        """Say whether a file has the content that an image had. Raises ``ProjectError``."""
        link = self._images[image].link
        return link is not None and fingerprint(path) == link.fingerprint

    def look_in(self, folder: Path) -> int:
        """Relink the images that are not where they were and lie in a folder; return how many."""
        found = match(self.lost, folder)
        for image, path in found.items():
            self.relink(image, path)
        return len(found)

    @property
    def lost(self) -> tuple[ProjectImage, ...]:
        """The images whose file was not found, as far as they were looked for."""
        return tuple(image for image in self.images if image.link and image.problem)

    def look_for_images(self) -> dict[int, str]:
        """Return which images are not where they were, and what to say of each.

        Any thread may call it; only names are looked at. See ``note_problems``.
        """
        folder = self.path.parent if self.origin is None else self.origin.parent
        links = {image.id: image.link for image in self.images if image.link}
        return {i: absence(link, folder) for i, link in links.items() if not link.exists(folder)}

    def note_problems(self, problems: Mapping[int, str]) -> None:
        """Note why images that were not opened yet cannot be shown."""
        for image, problem in problems.items():
            if image in self._images and image not in self._documents:
                self._images[image].problem = problem

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until every edit is safe on the disk, and say whether it is."""
        return self._writer.flush(timeout)

    def retry(self) -> None:
        """Try again to write what could not be written."""
        self._writer.retry()

    def save_as(self, path: Path) -> None:
        """Go on in a file of another name; a file that was there is replaced.

        It may run in another thread while documents are edited: what is edited meanwhile waits.

        Raises ``ProjectError`` when it cannot be written; then all goes on as before.
        """
        path = Path(os.path.realpath(path))
        if path == self.path:
            self._check_is_kept()
            return
        was, was_unsaved = self.path, self.is_unsaved
        with self._writer.resting():
            try:
                self._store.move(path)
            except Locked as error:
                raise ProjectError(f"{path} cannot be replaced: {error}.") from error
            except (OSError, sqlite3.Error) as error:
                reason = getattr(error, "strerror", None) or error
                raise ProjectError(f"{path} cannot be written: {reason}.") from error
        if was_unsaved:
            with suppress(OSError):
                remove(was)
        self.origin, self.read_only_origin = path, ""
        self._link_anew()
        self._check_is_kept()

    def close(self, discard: bool = False) -> None:
        """End the work: all edits are written first; the images are closed too.

        Parameters
        ----------
        discard
            Delete a project that has no name.

        Raises
        ------
        ProjectError
            Edits could not be written, and would be lost; nothing was closed.
        """
        discard = self.is_unsaved and (discard or not self.has_work)
        if not discard and not self._writer.flush():
            raise ProjectError(self.problem)
        self._writer.close()
        if self._store.exists and not discard:
            with suppress(sqlite3.Error, OSError, ProjectError):  # it can be done another time
                self._store.write([tidy])
                self._store.shrink()
        for document in self._documents.values():
            document.history.recorder = None
            document.image.close()
        path = self.path
        self._store.close()
        if discard:
            with suppress(OSError):
                remove(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _follow(
        self, image: int, document: Document, recorder: DocumentRecorder | None = None
    ) -> DocumentRecorder:
        self._documents[image] = document
        if recorder is None:
            recorder = DocumentRecorder(image, document, self._writer, self._reader)
        recorder.document = document
        self._recorders.append(recorder)
        document.history.recorder = recorder
        return recorder

    def _reader(self) -> RowReader | None:
        return self._store.reader

    def _put(self, job: Job, wake: bool = False) -> None:
        """Queue a job; a project without edits makes no file."""
        self._writer.put(job, wake or self._store.exists)

    def _put_image(self, image: ProjectImage) -> None:
        job = ImageJob(image.id, image.position, image.link, image.info, dict(image.view))
        self._put(job)

    def _note(self, image: ProjectImage, found: Found) -> None:
        """Note where an image was found, or why not."""
        image.problem = found.problem
        if found.link != image.link:
            image.link, image.info = found.link, found.source.info
            self._put_image(image)

    def _link_anew(self) -> None:
        """Write how the images are found from the new place of the project."""
        for image in self._images.values():
            if image.link:
                image.link = image.link.moved_to(self.path.parent)
                self._put_image(image)

    def _check_is_kept(self) -> None:
        if not self._writer.flush():
            raise ProjectError(self.problem)
