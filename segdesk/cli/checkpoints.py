"""``segdesk checkpoints``: the weights on this machine and on the Hub."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from segdesk.cli.ending import FAILED, complain, say
from segdesk.cli.parser import Parser
from segdesk.cli.progress import progress_bar
from segdesk.cli.table import print_table
from segdesk.core.errors import Cancelled, CheckpointError, UsageError
from segdesk.engine.checkpoints import checking, store
from segdesk.engine.checkpoints.hub import Offer, Query, describe, parse_size, search
from segdesk.engine.checkpoints.importing import import_checkpoint
from segdesk.engine.checkpoints.packs import pack
from segdesk.engine.checkpoints.store import Installed

ACTIONS = {
    "list": "say which are on this machine",
    "search": "search the Hub",
    "get": "fetch one from the Hub",
    "pack": "put one into a file, for machines without network",
    "import": "install one from a folder or a pack",
    "remove": "delete one from this machine",
    "verify": "check all bytes and weights",
}
_TASKS = ("semantic", "instance", "panoptic", "prompted", "in-context")


def run(arguments: list[str]) -> int:
    """Do what the first argument says."""
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help"):
        _overview().print_help()
        return 0
    if name not in ACTIONS:
        raise UsageError(f"There is no action {name!r}. Known: {', '.join(ACTIONS)}.")
    parser = Parser(prog=f"segdesk checkpoints {name}", description=f"{ACTIONS[name]}.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    _FLAGS[name](parser)
    return _RUN[name](parser.read(rest))


def _overview() -> Parser:
    lines = "\n".join(f"  {name:10}{what}" for name, what in ACTIONS.items())
    usage = "segdesk checkpoints ACTION ..."
    return Parser(prog="segdesk checkpoints", usage=usage, description=f"actions:\n{lines}")


def _add_task(parser: Parser) -> None:
    parser.add_argument("--task", choices=_TASKS, default="", help="only those for this task")


def _add_pickled(parser: Parser) -> None:
    parser.add_argument(
        "--allow-pickled",
        action="store_true",
        help="open weights that are pickles, to convert them; only from people that you trust",
    )


def _add_yes(parser: Parser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _search_flags(parser: Parser) -> None:
    add = parser.add_argument
    add("words", metavar="WORD", nargs="*", help="parts of a name")
    _add_task(parser)
    add("--licence", metavar="ID", default="", help="as the Hub names it: apache-2.0, mit, ...")
    add("--largest", metavar="SIZE", default="", help="weights no larger: 500MB, 2GB, ...")
    add("--limit", metavar="N", type=int, default=20, help="how many (default 20)")


def _get_flags(parser: Parser) -> None:
    parser.add_argument("name", metavar="HUB_ID")
    _add_pickled(parser)
    _add_yes(parser)


def _pack_flags(parser: Parser) -> None:
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="name, Hub id or folder")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="the new file")
    parser.add_argument("--name", default="", help="what it is to be called")


def _import_flags(parser: Parser) -> None:
    parser.add_argument("path", metavar="PATH", type=Path, help="a folder or a pack")
    parser.add_argument("--name", default="", help="what to call it")
    parser.add_argument("--replace", action="store_true", help="replace one of the same name")
    _add_pickled(parser)


def _remove_flags(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    _add_yes(parser)


def _verify_flags(parser: Parser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="which; without one: all")


def _list(parsed: Namespace) -> int:
    found = [item for item in store.installed() if not parsed.task or item.suits(parsed.task)]
    if parsed.json:
        say(json.dumps({"checkpoints": [_as_json(item) for item in found]}))
        return 0
    print_table(
        ("name", "task", "size", "licence", "from", "last used"),
        [
            (*_facts(item.name, item.tasks, item.size, item.licence), item.source, _day(item.used))
            for item in found
        ],
    )
    return 0


def _search(parsed: Namespace) -> int:
    largest = parse_size(parsed.largest) if parsed.largest else 0
    words = " ".join(parsed.words)
    found = search(Query(words, parsed.task, parsed.licence, largest, parsed.limit))
    if parsed.json:
        say(json.dumps({"models": [asdict(model) for model in found]}))
        return 0
    rows = [
        (*_facts(model.name, model.tasks, model.size, model.licence), model.downloads)
        for model in found
    ]
    print_table(("id on the Hub", "task", "weights", "licence", "downloads"), rows)
    return 0


def _get(parsed: Namespace) -> int:
    from segdesk.engine.checkpoints.download import download

    offer = describe(parsed.name, parsed.allow_pickled)
    if not parsed.json:
        say(_offer_in_words(offer))
    if not parsed.json and not parsed.yes:
        _ask("Fetch it?", needs_answer=False)
    with progress_bar(1, parsed.json) as report_of:
        found = download(offer, report_of(0, offer.name))
    return _tell(parsed, found, "is here")


def _pack(parsed: Namespace) -> int:
    with progress_bar(1, parsed.json) as report_of:
        report = report_of(0, parsed.checkpoint)
        path = pack(parsed.checkpoint, parsed.out, parsed.name, report)
    size = path.stat().st_size
    say(json.dumps({"file": str(path), "size": size}) if parsed.json else f"{path}: {_size(size)}")
    return 0


def _import(parsed: Namespace) -> int:
    with progress_bar(1, parsed.json) as report_of:
        found = import_checkpoint(
            parsed.path,
            parsed.name,
            parsed.allow_pickled,
            parsed.replace,
            report_of(0, parsed.path.name),
        )
    return _tell(parsed, found, "is installed")


def _remove(parsed: Namespace) -> int:
    found = store.need_installed(parsed.name)
    if not parsed.yes:
        _ask(f"Delete {found.name} ({_size(found.size)}) from this machine?", needs_answer=True)
    store.remove(found.name)
    return _tell(parsed, found, "is removed")


def _verify(parsed: Namespace) -> int:
    chosen = [store.need_installed(name) for name in parsed.names] or store.installed()
    outcomes: list[dict[str, Any]] = []
    with progress_bar(len(chosen), parsed.json) as report_of:
        for number, item in enumerate(chosen):
            outcome = _verified(item, report_of(number, item.name))
            outcomes.append({"name": item.name} | outcome)
            if not parsed.json and not outcome["error"]:
                say(f"{item.name}: whole, all weights finite, {outcome['hashes']} hashes compared")
    if parsed.json:
        say(json.dumps({"checkpoints": outcomes}))
    return FAILED if any(outcome["error"] for outcome in outcomes) else 0


def _verified(item: Installed, report: Callable[[float, str], None]) -> dict[str, Any]:
    try:
        known = checking.verify(item.path, report)
    except Cancelled:
        raise
    except CheckpointError as error:
        complain(error)
        return {"error": str(error), "hashes": 0}
    return {"error": "", "hashes": known}


def _ask(question: str, needs_answer: bool) -> None:
    """Go on after a yes; raises ``Cancelled`` after anything else.

    Where nobody can answer, it goes on, or raises ``UsageError`` when an answer is needed.
    """
    if not sys.stdin or not sys.stdin.isatty():
        if needs_answer:
            raise UsageError("Nobody can be asked here: add --yes to go on")
        return
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise Cancelled("Nothing was done.")


def _tell(parsed: Namespace, found: Installed, what: str) -> int:
    words = f"{found.name} {what} ({_tasks(found.tasks)}, {_size(found.size)})"
    say(json.dumps(_as_json(found)) if parsed.json else words)
    return 0


def _offer_in_words(offer: Offer) -> str:
    facts = [_tasks(offer.tasks), _size(offer.size), f"licence {offer.licence or 'not said'}"]
    if offer.is_pickled:
        facts.append("pickled weights, to be converted")
    return f"{offer.name}: {', '.join(facts)}"


def _as_json(item: Installed) -> dict[str, Any]:
    used = datetime.fromtimestamp(item.used, UTC).isoformat(timespec="seconds")
    return asdict(item) | {"path": str(item.path), "used": used}


def _facts(
    name: str, tasks: tuple[str, ...], size: int | None, licence: str
) -> tuple[str, str, str, str]:
    return name, _tasks(tasks), _size(size), licence or "not said"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _tasks(tasks: tuple[str, ...]) -> str:
    return ", ".join(tasks) or "unknown task"


def _size(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:,.1f} MB"


_FLAGS: dict[str, Callable[[Parser], None]] = {
    "list": _add_task,
    "search": _search_flags,
    "get": _get_flags,
    "pack": _pack_flags,
    "import": _import_flags,
    "remove": _remove_flags,
    "verify": _verify_flags,
}
_RUN: dict[str, Callable[[Namespace], int]] = {
    "list": _list,
    "search": _search,
    "get": _get,
    "pack": _pack,
    "import": _import,
    "remove": _remove,
    "verify": _verify,
}
