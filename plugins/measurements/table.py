"""The table that is written, and then compared with the file: measured once for both."""

from __future__ import annotations

from pathlib import Path

from segdesk.api import ExportRequest
from segdesk.core.measure import measure
from segdesk.core.measurements import Measurements
from segdesk.core.progress import Report, silent

_written: dict[Path, Measurements] = {}  # the last one, until it has been compared


def table_for(request: ExportRequest, file: Path, report: Report) -> Measurements:
    """Measure the segments for a file."""
    table = measure(request.segmentation, request.image, report)
    _written.clear()
    _written[file] = table
    return table


def table_in(request: ExportRequest, file: Path) -> Measurements:
    """Return the table that a file should hold."""
    if file in _written:
        return _written.pop(file)
    return measure(request.segmentation, request.image, silent)
