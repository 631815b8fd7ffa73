"""Writes a segmentation to files: all of them, read back and compared, or none."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import chain, count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segdesk.api import ExportRequest, WriterSpec
from segdesk.core.display import Display, default_display
from segdesk.core.errors import ExportError, PluginError, SegdeskError, in_words
from segdesk.core.geometry import Window
from segdesk.core.image import ImageSource, Pixels
from segdesk.core.progress import Report, part, silent
from segdesk.core.segmentation import Segmentation
from segdesk.engine.images import overview
from segdesk.engine.registry import registry

NUMBERED = re.compile(r"\d+_.*\.png")
SAMPLE = 1024  # pixels


def export(
    segmentation: Segmentation,
    source: ImageSource,
    formats: Sequence[str],
    folder: Path,
    stem: str,
    report: Report = silent,
) -> dict[str, list[Path]]:
    """Write a segmentation in some formats and return the files of each, the main one first.

    Everything is written to a temporary folder inside ``folder``, read back and compared, and
    only then moved into place; whatever goes wrong, earlier files stay as they were. A folder of
    numbered files from an earlier export is replaced as a whole.

    Parameters
    ----------
    segmentation, source
        The result and the image that it is of, with the same width and height.
    formats
        Ids of writers, such as ``["png", "coco"]``.
    folder
        Where to write; it exists.
    stem
        First part of every file name. Of a stack each frame with a segment on it is written on
        its own, unless the format takes stacks, and the stem then ends with its number: "name_f07".
    report
        Progress and stop.

    Raises
    ------
    UsageError
        A format is unknown.
    ExportError
        The folder is missing, read-only or full, a format cannot hold the result, or a file did
        not read back as it was written.
    """
    writers = [registry().writer(name) for name in dict.fromkeys(formats)]
    _check_names(folder, stem)
    rgb = _Displayed(source)
    with _one_line(folder), _temporary(folder) as temporary:
        written = {}
        for number, writer in enumerate(writers):
            step = part(report, number / len(writers), (number + 1) / len(writers))
            request = ExportRequest(segmentation, source, temporary / writer.id, stem, rgb)
            files = _write_frames(writer, request, rgb, step)
            written[writer.id] = [folder / f.relative_to(request.folder) for f in files]
        _move(list(temporary.glob("*/*")), folder, source)
    return written


def losses(segmentation: Segmentation, formats: Iterable[str]) -> dict[str, list[str]]:
    """Return what each format cannot hold of a segmentation. Raises ``UsageError``."""
    return {name: registry().writer(name).losses(segmentation) for name in formats}


def unique_stems(images: Sequence[Path], folder: Path) -> list[str]:
    """Return a file stem for each image, such that no export overwrites another, or an image."""
    taken = {path.stem.casefold() for path in images if _same_folder(path, folder)}
    stems = []
    for path in images:
        names = (f"{path.stem}-{number}" for number in count(2))
        stem = next(name for name in chain([path.stem], names) if name.casefold() not in taken)
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def _check_names(folder: Path, stem: str) -> None:
    if not folder.is_dir():
        raise ExportError(f"{folder} is not a folder; make it first, or choose another.")
    if not stem or stem in {".", ".."} or Path(stem).name != stem:
        raise ExportError(f"{stem!r} cannot be the first part of a file name.")


class _Displayed:
    """The pixels of a window as the window shows them; nothing is read before the first one."""

    def __init__(self, source: ImageSource) -> None:
        self._source = source
        self._display: Display | None = None

    def __call__(self, window: Window, frame: int = 0) -> NDArray[np.uint8]:
        if self._display is None:
            small = overview(self._source, SAMPLE, frame)
            self._display = default_display(self._source.info, small)
        return self._display.apply(self._source.read(window, 0, frame))


class _Frame:
    """One frame of a stack as an image of its own."""

    def __init__(self, stack: ImageSource, frame: int) -> None:
        self._stack, self._frame = stack, frame
        self.info = replace(stack.info, frames=1)

    def read(self, window: Window, level: int = 0, frame: int = 0) -> Pixels:
        return self._stack.read(window, level, self._frame)

    def close(self) -> None:
        self._stack.close()


def _write_frames(
    writer: WriterSpec, request: ExportRequest, rgb: _Displayed, report: Report
) -> list[Path]:
    """Write one format: each frame of a stack that holds anything, or else the first one."""
    request.folder.mkdir()
    if request.info.frames == 1 or writer.takes_stacks:
        return _write(writer, request, report)
    files, frames = [], request.segmentation.frames or (0,)
    digits = len(str(request.info.frames))
    for number, frame in enumerate(frames):
        step = part(report, number / len(frames), (number + 1) / len(frames))
        of_frame = replace(
            request,
            segmentation=request.segmentation.on_frame(frame),
            image=_Frame(request.image, frame),
            stem=f"{request.stem}_f{frame + 1:0{digits}}",
            rgb=partial(rgb, frame=frame),
        )
        files += _write(writer, of_frame, step)
    return files


def _write(writer: WriterSpec, request: ExportRequest, report: Report) -> list[Path]:
    """Write one format and read it back; whatever a stranger's writer raises, say which it was."""
    options = writer.options() if writer.options else None
    request = replace(request, options=options)
    try:
        files = writer.write(request, report)
        report(1, f"Reading {writer.title} back")
        writer.check(request, files)
    except (SegdeskError, OSError):
        raise
    except Exception as error:
        raise PluginError(f"The format {writer.id!r} failed: {in_words(error)}") from error
    return files


def _move(entries: list[Path], folder: Path, source: ImageSource) -> None:
    """Move files and folders into place; when one cannot be moved, none is."""
    for entry in entries:
        _check_target(entry, folder / entry.name, source)
    with _temporary(folder) as old:
        moved: list[tuple[Path, Path]] = []  # (from, to)
        try:
            for entry in entries:
                target = folder / entry.name
                if target.exists():
                    moved.append((target, target.rename(old / entry.name)))
                moved.append((entry, entry.rename(target)))
        except BaseException:
            for start, end in reversed(moved):
                end.rename(start)
            raise


def _check_target(entry: Path, target: Path, source: ImageSource) -> None:
    """Refuse to replace what is no earlier export."""
    if not target.exists():
        return
    if Path(source.info.name).exists() and target.samefile(source.info.name):
        raise ExportError(f"{target} is the image itself; choose another folder.")
    if entry.is_dir() != target.is_dir():
        raise ExportError(f"{target} is in the way; move it, or choose another folder.")
    foreign = [p.name for p in target.glob("*") if not NUMBERED.fullmatch(p.name)]
    if foreign:
        raise ExportError(f"{target} also holds {foreign[0]}; move that, or choose another folder.")


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """Make a hidden folder, and remove it with all that is in it."""
    temporary = Path(tempfile.mkdtemp(prefix=".segdesk-", dir=folder))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _one_line(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(f"Could not write to {folder}: {reason}.") from error


def _same_folder(path: Path, folder: Path) -> bool:
    with suppress(OSError):
        return path.parent.samefile(folder)
    return False
