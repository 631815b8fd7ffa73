"""CSV as RFC 4180 has it: UTF-8, commas, decimal points; what is not known stays empty."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from segdesk_plugins.measurements.table import table_for, table_in

from segdesk.api import ExportError, ExportRequest, Report, part
from segdesk.core.measurements import Column, Measurements, cell_text

ROWS = 10_000  # written between two reports


def write(request: ExportRequest, report: Report) -> list[Path]:
    """Write ``STEM.csv``."""
    file = request.folder / f"{request.stem}.csv"
    table = table_for(request, file, part(report, 0, 0.9))
    with file.open("w", newline="", encoding=_encoding(table)) as stream:
        writer = csv.writer(stream)
        writer.writerow(table.columns)
        for number, row in enumerate(table.rows()):
            if number % ROWS == 0:
                report(0.9 + 0.1 * number / len(table), f"Writing {file.name}")
            writer.writerow([cell_text(value) for value in row.values()])
    return [file]


def check(request: ExportRequest, files: list[Path]) -> None:
    """Read every cell back and compare it with what was measured."""
    (file,) = files
    table = table_in(request, file)
    head, *rows = _rows(file)
    same = head == list(table.columns) and {len(row) for row in rows} <= {len(head)}
    cells = zip(*rows, strict=True) if rows else [()] * len(head)
    if not same or not all(map(_is_same, cells, table.columns.values())):
        raise ExportError(f"{file.name} did not read back as it was written.")


def _encoding(table: Measurements) -> str:
    """Return UTF-8, with the mark that Excel needs where there is more than ASCII."""
    texts = [*table.columns, *np.unique(table.columns["category"]).tolist()]
    return "utf-8" if all(map(str.isascii, texts)) else "utf-8-sig"


def _rows(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.reader(stream))


def _is_same(cells: tuple[str, ...], column: Column) -> bool:
    if column.dtype.kind == "U":
        return list(cells) == [cell_text(text) for text in column.tolist()]
    numbers = np.array([cell or "nan" for cell in cells], np.float64)
    return np.array_equal(numbers, column, equal_nan=column.dtype.kind == "f")
