"""The child of ``probe``: opens a file under a limit of memory and tells on stdout what it is.

It is told on stdin, on one line of JSON, which file and how many bytes more it may take.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from segdesk.core.errors import ImageError
from segdesk.engine.images import thumbnail
from segdesk.engine.readers import open_directly

_SIZE = 128  # pixels


def main() -> None:
    """Print one JSON object: ``{"info": ...}`` or ``{"error": ...}``."""
    question = sys.stdin.readline()
    if not question:  # nobody wants to know any more
        return
    path, memory = json.loads(question)
    _limit_memory(memory)
    print(json.dumps(_examine(Path(path))))  # noqa: T201 - the parent reads it


def _examine(path: Path) -> dict[str, Any]:
    try:
        with closing(open_directly(path)) as source:
            thumbnail(source, _SIZE)
            return {"info": asdict(source.info)}
    except ImageError as error:
        return {"error": str(error)}
    except MemoryError:
        reason = "decoding it takes more than 1 GiB of memory; convert it to a tiled TIFF."
        return {"error": f"{path}: {reason}"}


def _limit_memory(more: int) -> None:
    """Let this process take only so many bytes more; nothing happens where that is unknown."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):  # Windows; macOS; a stricter limit is in force
        return


if __name__ == "__main__":
    main()
