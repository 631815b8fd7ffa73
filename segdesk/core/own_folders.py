"""Where SegDesk keeps its own files: what the engine and models share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal


def own_folder(kind: Literal["config", "data", "cache"]) -> Path:
    """Return one of the folders of the user; ``SEGDESK_HOME`` moves all of them elsewhere."""
    home = os.environ.get("SEGDESK_HOME")
    if home:
        return Path(home) / kind
    import platformdirs

    folder: Path = getattr(platformdirs, f"user_{kind}_path")("segdesk", appauthor=False)
    return folder
