"""``segdesk export``: the accepted layers of a project as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from segdesk.cli.ending import FAILED, complain, say
from segdesk.cli.parser import Parser
from segdesk.core.errors import Cancelled, ExportError, SegdeskError, UsageError
from segdesk.engine.project.exporting import Exported, export_project
from segdesk.engine.registry import registry


def run(arguments: list[str]) -> int:
    """Export a project; an image that fails is named, and the others go on."""
    parsed = _parser().read(arguments)
    formats = [name.strip() for name in parsed.format.split(",") if name.strip()]
    if not formats:
        raise UsageError(f"--format needs some of {', '.join(registry().writers)}.")
    try:
        parsed.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"The folder {parsed.out} cannot be made: {error.strerror}.") from error
    done: list[dict[str, Any]] = []
    errors: list[dict[str, str]] = []
    for exported in export_project(parsed.project, formats, parsed.out):
        if isinstance(exported.outcome, SegdeskError):
            if isinstance(exported.outcome, UsageError | Cancelled):
                raise exported.outcome
            complain(f"{exported.image}: {exported.outcome}")
            errors.append({"image": exported.image, "message": str(exported.outcome)})
        else:
            done.append(_as_json(exported))
            if not parsed.json:
                say(_line(done[-1]))
    if parsed.json:
        say(json.dumps({"layers": done, "errors": errors}))
    return FAILED if errors else 0


def _parser() -> Parser:
    parser = Parser(
        prog="segdesk export", description="Export the accepted layers of a project's images."
    )
    parser.add_argument("project", metavar="PROJECT", type=Path)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where to write")
    writers = ", ".join(registry().writers)
    parser.add_argument("--format", metavar="F,...", default="png", help=f"some of {writers}")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    return parser


def _as_json(exported: Exported) -> dict[str, Any]:
    assert not isinstance(exported.outcome, SegdeskError)
    files = {name: [str(file.absolute()) for file in f] for name, f in exported.outcome.items()}
    return {"image": exported.image, "layer": exported.layer, "files": files}


def _line(done: dict[str, Any]) -> str:
    files = [file for paths in done["files"].values() for file in paths]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{done['image']}, {done['layer']} -> {files[0]}{more}"
