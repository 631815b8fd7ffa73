"""The flags by which an image is segmented in tiles."""

from __future__ import annotations

from argparse import Namespace

from segdesk.cli.parser import Parser
from segdesk.core.errors import UsageError
from segdesk.core.geometry import Window
from segdesk.engine.tiling.plan import Tiling


def add_tiling(parser: Parser) -> None:
    """Add the flags."""
    add = parser.add_argument_group(
        "tiles", "One of these cuts the image into tiles; one that memory cannot hold always is."
    ).add_argument
    add("--tile", metavar="N", type=int, help="pixels along the side of a tile")
    add("--overlap", metavar="N", type=int, help="pixels that tiles share (default: a quarter)")
    add("--pixel-size", metavar="S", help="as large as a tile's pixels are: 0.5um, 2m, or 0.5x")
    add("--roi", metavar="X,Y,W,H", help="segment only this part of the image")
    add("--resume", action="store_true", help="go on where a run that was stopped has ended")


def tiling_in(parsed: Namespace) -> Tiling | None:
    """Return what the flags say; None when they say nothing."""
    tiling = Tiling(
        size=parsed.tile or 0,
        overlap=parsed.overlap,
        pixel_size=parsed.pixel_size or "",
        window=_window(parsed.roi) if parsed.roi else None,
    )
    return None if tiling == Tiling() and not parsed.resume else tiling


def _window(text: str) -> Window:
    try:
        x, y, width, height = (int(number) for number in text.split(","))
    except ValueError:
        raise UsageError(
            f"--roi takes four whole numbers x,y,width,height, not {text!r}."
        ) from None
    window = Window(x, y, width, height)
    if not window:
        raise UsageError(f"--roi takes a width and a height above 0, not {text!r}.")
    return window
