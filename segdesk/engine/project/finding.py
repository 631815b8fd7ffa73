"""Finds the images of a project again: in any thread, changing nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from segdesk.core.errors import ImageError
from segdesk.core.image import ImageInfo, ImageSource
from segdesk.engine.images import open_image
from segdesk.engine.project.image_link import ImageLink
from segdesk.engine.project.reading import BlankImage, ProjectImage, StoredImage
from segdesk.engine.project.rows import RowReader


@dataclass(frozen=True)
class Found:
    """An image that was looked for.

    Attributes
    ----------
    source
        The image, blank where it was not found.
    link
        Where it is now; as before where it was not found.
    problem
        Why it is blank; empty when it is not.
    """

    source: ImageSource
    link: ImageLink | None
    problem: str = ""


def find_image(image: ProjectImage, folder: Path, rows: RowReader | None) -> Found:
    """Open an image of a project that lies in a folder, or say why not."""
    if image.link is None:
        assert rows is not None, "pixels are kept in the file"
        return Found(StoredImage(image.id, image.info, rows), None)
    path = image.link.find(folder)
    if path is None:
        return Found(BlankImage(image.info), image.link, absence(image.link, folder))
    try:
        source = open_image(path)
    except ImageError as error:
        return Found(BlankImage(image.info), image.link, str(error))
    if not fits(source.info, image.info):
        source.close()
        problem = f"{path} is now read as {size(source.info)}, it had {size(image.info)}."
        return Found(BlankImage(image.info), image.link, problem)
    return Found(source, replace(image.link, path=str(path.absolute())))


def absence(link: ImageLink, folder: Path) -> str:
    """Return what to say of an image that is not where it was."""
    there = link.changed(folder)
    if there:
        return f"{there} has changed since it was worked on."
    return f"{link.path} is missing."


def match(images: Iterable[ProjectImage], folder: Path) -> dict[int, Path]:
    """Return which of some images lie in a folder, by name and content: {image id: path}."""
    found = {}
    for image in images:
        if image.link and (path := image.link.find_in(folder)):
            found[image.id] = path
    return found


def fits(now: ImageInfo, then: ImageInfo) -> bool:
    """Say whether an image still has the size that it had."""
    return (now.width, now.height, now.frames) == (then.width, then.height, then.frames)


def size(info: ImageInfo) -> str:
    """Return the size of an image in words."""
    frames = f", {info.frames} frames" if info.frames > 1 else ""
    return f"{info.width} x {info.height} pixels{frames}"
