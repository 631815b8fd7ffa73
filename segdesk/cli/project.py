"""``segdesk project``: what a project file holds, whether it is whole, and saving what is."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segdesk.cli.ending import FAILED, say
from segdesk.cli.parser import Parser
from segdesk.engine.project.check import check
from segdesk.engine.project.recover import recover
from segdesk.engine.project.summary import summary


def run(arguments: list[str]) -> int:
    """Do what is asked for; 1 when a check finds something, or a recovery lost something."""
    parsed = _parser().read(arguments)
    content, is_well = _ACTIONS[parsed.action](parsed)
    if parsed.json:
        say(json.dumps(content))
    else:
        for line in _LINES[parsed.action](content):
            say(line)
    return 0 if is_well else FAILED


def _parser() -> Parser:
    parser = Parser(prog="segdesk project", description="Look at, check or save a project file.")
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--out", metavar="FILE", type=Path, help="recover: the new project")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    return parser


def _info(parsed: Namespace) -> tuple[dict[str, Any], bool]:
    return summary(parsed.file), True


def _check(parsed: Namespace) -> tuple[dict[str, Any], bool]:
    report = check(parsed.file)
    findings = list(report.findings)
    return {"project": str(parsed.file), "rows": report.counts, "findings": findings}, not findings


def _recover(parsed: Namespace) -> tuple[dict[str, Any], bool]:
    found = recover(parsed.file, parsed.out)
    losses = list(found.losses)
    about = {"project": str(parsed.file), "recovered": str(found.path)}
    return {**about, "rows": found.counts, "losses": losses}, not losses


def _info_lines(content: dict[str, Any]) -> Iterator[str]:
    yield content["project"]
    yield f"  format  {content['format']}, {content['bytes'] / 1e6:.1f} MB"
    for image in content["images"]:
        yield f"  image   {image['name']}, {image['width']} x {image['height']} pixels"
        yield f"    file    {image['path'] or 'kept in the project'}"
        yield f"    steps   {image['steps']}"
        for layer in image["layers"]:
            what = ", proposal" if layer["is_proposal"] else ""
            count = layer["segments"]
            segments = f"{count} segment{'s' * (count != 1)}"
            yield f"    layer   {layer['name']} ({layer['task']}{what}), {segments}"


def _check_lines(content: dict[str, Any]) -> Iterator[str]:
    yield from content["findings"]
    if not content["findings"]:
        yield f"{content['project']} is whole."
    else:
        yield f"`segdesk project recover {content['project']}` saves what is whole."


def _recover_lines(content: dict[str, Any]) -> Iterator[str]:
    yield from (f"lost: {loss}" for loss in content["losses"])
    yield f"{content['project']} -> {content['recovered']}"


_ACTIONS = {"info": _info, "check": _check, "recover": _recover}
_LINES = {"info": _info_lines, "check": _check_lines, "recover": _recover_lines}
