"""Exports what is accepted in a project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from segdesk.core.errors import ExportError, ImageError, SegdeskError
from segdesk.core.progress import Report, silent
from segdesk.engine.document import Document
from segdesk.engine.export import export, unique_stems
from segdesk.engine.layer import Layer
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project
from segdesk.engine.project.reading import ProjectImage


@dataclass(frozen=True)
class Exported:
    """What came of one layer, or of an image without any.

    Attributes
    ----------
    outcome
        The files of each format, or why there are none.
    """

    image: str
    layer: str
    outcome: dict[str, list[Path]] | SegdeskError


def export_project(
    path: Path, formats: Sequence[str], folder: Path, report: Report = silent
) -> Iterator[Exported]:
    """Export the topmost layer of each task that is no proposal, of every image.

    The files of an image are named after it; those of a second layer have its task behind the name.

    Raises ``ProjectError`` when the project cannot be opened.
    """
    with open_project(path) as project:
        names = [_named(image) for image in project.images]
        stems = unique_stems(names, folder)
        for number, (image, stem) in enumerate(zip(project.images, stems, strict=True)):
            report(number / len(stems), f"Exporting {image.name}")
            yield from _export_image(project, image, formats, folder / stem)


def accepted_layers(document: Document) -> list[Layer]:
    """Return the topmost layer of each task that is no proposal, from the top."""
    found: dict[str, Layer] = {}
    for layer in reversed(document.layers):
        if not layer.state.is_proposal:
            found.setdefault(layer.state.task, layer)
    return list(found.values())


def _export_image(
    project: Project, image: ProjectImage, formats: Sequence[str], target: Path
) -> Iterator[Exported]:
    document = project.document(image.id)
    layers = accepted_layers(document)
    if image.problem or not layers:
        why = image.problem or "there is nothing on it that was accepted."
        error = ImageError(why) if image.problem else ExportError(why)
        yield Exported(image.name, "", error)
        return
    for number, layer in enumerate(layers):
        stem = target.name if number == 0 else f"{target.name}-{layer.state.task}"
        try:
            files = export(layer.segmentation(), document.image, formats, target.parent, stem)
            yield Exported(image.name, layer.state.name, files)
        except SegdeskError as error:
            yield Exported(image.name, layer.state.name, error)


def _named(image: ProjectImage) -> Path:
    return Path(image.link.path) if image.link else Path(f"{image.name}.png")
