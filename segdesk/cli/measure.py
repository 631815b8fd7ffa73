"""``segdesk measure``: what the segments of a mask measure."""

from __future__ import annotations

import json
from contextlib import closing
from math import isnan
from pathlib import Path
from typing import Any

import segdesk
from segdesk.cli.ending import say
from segdesk.cli.parser import Parser
from segdesk.cli.progress import progress_bar
from segdesk.cli.table import print_table
from segdesk.core.errors import PromptError, UsageError
from segdesk.core.image import ImageSource
from segdesk.core.measure import measure
from segdesk.core.measurements import Measurements
from segdesk.core.segmentation import Segmentation
from segdesk.engine.export import export
from segdesk.engine.images import open_image
from segdesk.engine.mask_files import read_segmentation

FORMATS = {".csv": "csv", ".parquet": "parquet"}


def run(arguments: list[str]) -> int:
    """Print the measurements, or write them to a file."""
    parsed = _parser().read(arguments)
    if parsed.out and parsed.out.suffix not in FORMATS:
        raise UsageError(f"--out {parsed.out} must end in {' or '.join(FORMATS)}.")
    segmentation = read_segmentation(parsed.mask)
    about = {"image": str(parsed.image), "mask": str(parsed.mask), "version": segdesk.__version__}
    with closing(open_image(parsed.image)) as image:
        _check_size(segmentation, image, parsed.mask)
        with progress_bar(1, parsed.json) as report_of:
            report = report_of(0, parsed.image.name)
            if parsed.out:
                target = parsed.out
                kind = FORMATS[target.suffix]
                export(segmentation, image, [kind], target.parent, target.stem, report)
            else:
                table = measure(segmentation, image, report)
    if parsed.out:
        count = len(segmentation.segments)
        written = {"segments": count, "file": str(parsed.out.absolute())}
        say(json.dumps(about | written) if parsed.json else f"{count} segments -> {parsed.out}")
    elif parsed.json:
        say(json.dumps(about | {"segments": [_as_json(row) for row in table.rows()]}))
    else:
        _print(table)
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="segdesk measure", description="Measure the segments of a mask on its image."
    )
    add = parser.add_argument
    add("image", metavar="IMAGE", type=Path)
    add("mask", metavar="MASK", type=Path, help="index PNG or TIFF, as that of an example")
    add("--out", metavar="FILE", type=Path, help="write a .csv or .parquet file instead")
    add("--json", action="store_true", help="print one JSON object instead of a table")
    return parser


def _check_size(segmentation: Segmentation, image: ImageSource, mask: Path) -> None:
    window, own = image.info.window, segmentation.planes[0].window
    if own != window:
        raise PromptError(
            f"{mask} is {own.width} x {own.height} pixels, and its image {image.info.name} is"
            f" {window.width} x {window.height}: they must be equal."
        )


def _print(table: Measurements) -> None:
    print_table(tuple(table.columns), (tuple(map(_cell, row.values())) for row in table.rows()))


def _cell(value: Any) -> str:
    """Return a value as short as one looks at it."""
    if isinstance(value, float):
        return "" if isnan(value) else f"{value:.6g}"
    return str(value)


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with null for what does not apply."""
    return {n: None if isinstance(v, float) and isnan(v) else v for n, v in row.items()}
