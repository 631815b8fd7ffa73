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


def run(arguments: list[str]) -> int:
    """Segment the sample images, say what came out, and show it if there is a screen."""
    from segdesk.engine.demo import SCENES, play

    parsed = _parser().read(arguments)
    folder = parsed.out
    with progress_bar(len(SCENES), quiet=False) as report_of:
        shown = [
            play(scene, folder, report_of(number, scene.title))
            for number, scene in enumerate(SCENES)
        ]
    head = ("image", "how", "segments", "seconds", "overlay")
    print_table(
        head, [(s.image.name, s.how, s.segments, f"{s.seconds:.2f}", s.overlay) for s in shown]
    )
    say(f"Masks, overlays and the strokes they came from are in {folder.absolute()}")
    if has_screen() and not parsed.no_window:
        images = [str(path) for path in dict.fromkeys(s.image for s in shown)]
        return subprocess.run([sys.executable, "-m", "segdesk", *images], check=False).returncode
    return 0


def _parser() -> Parser:
    parser = Parser(prog="segdesk demo", description="Segment sample images and show the results.")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default="segdesk-demo", help="folder of the results"
    )
    parser.add_argument("--no-window", action="store_true", help="do not open the window")
    return parser
