"""Parquet: one typed column a quantity; what is not known is null."""

from __future__ import annotations

from pathlib import Path

import pyarrow as arrow
from pyarrow import parquet
from segdesk_plugins.measurements.table import table_for, table_in

from segdesk.api import ExportError, ExportRequest, Report, part
from segdesk.core.measurements import Measurements


def write(request: ExportRequest, report: Report) -> list[Path]:
    """Write ``STEM.parquet``."""
    file = request.folder / f"{request.stem}.parquet"
    table = table_for(request, file, part(report, 0, 0.9))
    report(0.9, f"Writing {file.name}")
    parquet.write_table(_as_arrow(table), file, compression="zstd")
    return [file]


def check(request: ExportRequest, files: list[Path]) -> None:
    """Read the file back and compare it with what was measured."""
    (file,) = files
    if not parquet.read_table(file).equals(_as_arrow(table_in(request, file))):
        raise ExportError(f"{file.name} did not read back as it was written.")


def _as_arrow(table: Measurements) -> arrow.Table:
    # from_pandas makes nan null
    return arrow.table({n: arrow.array(c, from_pandas=True) for n, c in table.columns.items()})
