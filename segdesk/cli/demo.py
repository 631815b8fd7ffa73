"""``segdesk demo``: real images, segmented in every way that needs no weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from segdesk.cli.ending import say
from segdesk.cli.parser import Parser
from segdesk.cli.progress import progress_bar
from segdesk.cli.screen import has_screen
from segdesk.cli.table import print_table
from segdesk.engine.demo import SCENES, play


def run(arguments: list[str]) -> int:
    """Segment the sample images, say what came out, and show it if there is a screen."""
    parsed = _parser().read(arguments)
    with progress_bar(len(SCENES), quiet=False) as report_of:
        shown = list(play(parsed.out, report_of))
    rows = [
        (s.image.name, s.how, s.segments, f"{s.seconds:.2f}", s.files["overlay"][0]) for s in shown
    ]
    print_table(("image", "how", "segments", "seconds", "overlay"), rows)
    say(f"Masks, COCO files and overlays are in {parsed.out.absolute()}")
    if has_screen() and not parsed.no_window:
        images = [str(s.image) for s in shown]
        return subprocess.run([sys.executable, "-m", "segdesk", *images], check=False).returncode
    return 0


def _parser() -> Parser:
    parser = Parser(prog="segdesk demo", description="Segment sample images and show the results.")
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("segdesk-demo"),
        help="folder of the results",
    )
    parser.add_argument("--no-window", action="store_true", help="do not open the window")
    return parser
