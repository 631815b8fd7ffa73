"""Writers for measurements of segments: CSV and Parquet."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from segdesk.api import Segmentation, WriterSpec, hookimpl


@hookimpl
def segdesk_writers() -> list[WriterSpec]:
    """Offer the two formats."""
    return [
        _writer("csv", "Measurements (CSV)", "csv_file"),
        _writer("parquet", "Measurements (Parquet)", "parquet_file"),
    ]


def losses(segmentation: Segmentation) -> list[str]:
    """Say that a table is no mask."""
    return ["where the segments are: it is a table of measurements"]


def _writer(spec_id: str, title: str, module: str) -> WriterSpec:
    write, check = (partial(_call, module, name) for name in ("write", "check"))
    return WriterSpec(spec_id, title, write, check, losses, takes_stacks=True)


def _call(module: str, name: str, *arguments: Any) -> Any:
    """Import one of this plugin's modules when it is first needed, and call a function of it."""
    return getattr(import_module(f"{__name__}.{module}"), name)(*arguments)
