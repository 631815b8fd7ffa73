"""Writers for pictures of masks: index PNG, one PNG per segment, COCO instances, overlay."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from segdesk.api import WriterSpec, hookimpl


@hookimpl
def segdesk_writers() -> list[WriterSpec]:
    """Offer the four formats."""
    return [
        _writer("png", "Index PNG with categories (JSON)", "index_png"),
        _writer("masks", "One PNG per segment", "segment_masks"),
        _writer("coco", "COCO instances (JSON, RLE)", "coco"),
        _writer("overlay", "Overlay picture (PNG)", "overlay"),
    ]


def _writer(spec_id: str, title: str, module: str) -> WriterSpec:
    write, check, losses = (partial(_call, module, name) for name in ("write", "check", "losses"))
    return WriterSpec(spec_id, title, write, check, losses)


def _call(module: str, name: str, *arguments: Any) -> Any:
    """Import one of this plugin's modules when it is first needed, and call a function of it."""
    return getattr(import_module(f"{__name__}.{module}"), name)(*arguments)
