"""``segdesk info``: what an image file holds, as its reader sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from segdesk.cli.ending import FAILED, complain, say
from segdesk.cli.parser import Parser
from segdesk.core.errors import ImageError
from segdesk.core.image import ImageInfo
from segdesk.engine.probe import probe

_AT_ONCE = 2  # files looked at in parallel


def run(arguments: list[str]) -> int:
    """Describe images, each tried in a process of its own; 1 when some cannot be read."""
    parsed = _parser().read(arguments)
    images: list[dict[str, Any]] = []
    errors: list[dict[str, str]] = []
    for path, found in _look_at(parsed.images):
        if isinstance(found, ImageError):
            complain(found)
            errors.append({"image": str(path), "message": str(found)})
        elif parsed.json:
            images.append(_as_json(found))
        else:
            say("\n".join(_lines(found)))
    if parsed.json:
        say(json.dumps({"images": images, "errors": errors}, allow_nan=False))
    return FAILED if errors else 0


def _parser() -> Parser:
    parser = Parser(
        prog="segdesk info", description="Say what image files hold, after decoding a thumbnail."
    )
    parser.add_argument("images", metavar="IMAGE", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    return parser


def _look_at(paths: list[Path]) -> Iterator[tuple[Path, ImageInfo | ImageError]]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from zip(paths, pool.map(_found, paths), strict=True)


def _found(path: Path) -> ImageInfo | ImageError:
    try:
        return probe(path)
    except ImageError as error:
        return error


def _as_json(info: ImageInfo) -> dict[str, Any]:
    facts = asdict(info)
    facts["levels"] = info.level_sizes
    if info.nodata is not None and not isfinite(info.nodata):
        facts["nodata"] = str(info.nodata)  # JSON has no such number
    return {"image": facts.pop("name"), **facts}


def _lines(info: ImageInfo) -> Iterator[str]:
    yield info.name
    yield f"  format  {info.format}"
    yield f"  size    {info.width} x {info.height} pixels"
    names = f" ({', '.join(info.band_names)})" if info.band_names else ""
    yield f"  bands   {info.bands}{names}"
    yield f"  dtype   {info.dtype}" + (
        f", no data {info.nodata:g}" if info.nodata is not None else ""
    )
    yield f"  frames  {info.frames}"
    yield "  levels  " + ", ".join(f"{width} x {height}" for width, height in info.level_sizes)
    yield f"  place   {_place(info)}"


def _place(info: ImageInfo) -> str:
    parts = []
    if info.spacing is not None:
        parts.append(f"pixel {info.spacing[0]:g} x {info.spacing[1]:g} {info.unit}".rstrip())
    if info.affine is not None:
        a, b, c, d, e, f = info.affine
        parts.append(f"top left corner ({c:.10g}, {f:.10g}), step ({a:g}, {b:g}; {d:g}, {e:g})")
    if info.crs is not None:
        parts.append(info.crs)
    return ", ".join(parts) or "not known"
