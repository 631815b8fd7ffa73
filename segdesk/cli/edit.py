"""``segdesk edit``: operations on an index mask, in the order in which they are given."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segdesk.cli.ending import say
from segdesk.cli.parser import Parser
from segdesk.cli.progress import progress_bar
from segdesk.core.errors import UsageError
from segdesk.core.image import ArrayImage
from segdesk.engine.export import export
from segdesk.engine.mask_edits import edit_segmentation, read_with_ignored
from segdesk.engine.operations import OPERATIONS, Operation, difference
from segdesk.engine.options import fields_of, parse_options


def run(arguments: list[str]) -> int:
    """Read a mask, change it, and write it to another file."""
    parsed = _parser().read(arguments)
    if not parsed.steps:
        raise UsageError("Nothing to do: give an operation, such as --fill-holes.")
    out: Path = parsed.out
    if out.suffix.lower() != ".png":
        raise UsageError(f"--out {out}: a mask is a PNG.")
    segmentation = read_with_ignored(parsed.mask)
    with progress_bar(len(parsed.steps), quiet=False) as report_of:
        for number, (operation_id, options) in enumerate(parsed.steps):
            before = segmentation
            report = report_of(number, OPERATIONS[operation_id].title)
            segmentation = edit_segmentation(before, [(operation_id, options)], report)
            changes = difference(_areas(before.planes), _areas(segmentation.planes))
            say(f"{OPERATIONS[operation_id].title}: {changes}")
    window = segmentation.planes[0].window
    image = ArrayImage(_blank(window.shape), parsed.mask.name)
    export(segmentation, image, ["png"], out.absolute().parent, out.stem)
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="segdesk edit",
        description="Change an index mask by operations, in the order in which they are given.",
    )
    parser.add_argument("mask", metavar="MASK", type=Path, help="index PNG")
    parser.add_argument("--out", metavar="PNG", type=Path, required=True, help="where to write")
    parser.set_defaults(steps=())
    group = parser.add_argument_group("operations")
    for operation in OPERATIONS.values():
        if operation.options and not operation.needs_frames:
            first = fields_of(operation.options)[0]
            group.add_argument(
                f"--{operation.id.replace('_', '-')}",
                nargs="?",
                action=_step_of(operation, first.name),
                metavar="|".join(first.choices) or first.name.upper(),
                help=f"{operation.help} ({first.allowed}; default {first.default})",
            )
    return parser


def _step_of(operation: Operation, name: str) -> type[argparse.Action]:
    """Return an action that adds an operation to those that were given before it."""

    class AddStep(argparse.Action):
        def __call__(
            self,
            parser: argparse.ArgumentParser,
            namespace: argparse.Namespace,
            values: str | Sequence[Any] | None,
            option_string: str | None = None,
        ) -> None:
            texts = {} if values is None else {name: str(values)}
            options = parse_options(operation.options, texts)
            namespace.steps = (*namespace.steps, (operation.id, options))

    return AddStep


def _areas(planes: Sequence[Any]) -> dict[int, int]:
    areas: dict[int, int] = {}
    for plane in planes:
        for segment_id, area in plane.areas().items():
            areas[segment_id] = areas.get(segment_id, 0) + area
    return areas


def _blank(shape: tuple[int, int]) -> Any:
    import numpy as np

    return np.broadcast_to(np.uint8(0), shape)
