"""The table of measurements: one column a quantity, its unit in the name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdesk.core.brightness import Brightness
from segdesk.core.image import ImageInfo
from segdesk.core.pixel_size import HECTARE, PixelSize, pixel_size
from segdesk.core.segmentation import Segmentation
from segdesk.core.shapes import Shapes

Column = NDArray[Any]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # as OWASP lists them in "CSV Injection"


@dataclass(frozen=True)
class Measurements:
    """One row a segment.

    Attributes
    ----------
    columns
        By name, all of one length: id, category (its name), category_id, state, score; area,
        perimeter, centroid, bounding box and equivalent diameter in pixels (``_px``) and, if the
        image knows the size of a pixel, in its unit (``area_um2``, ``perimeter_um``, ...);
        eccentricity, solidity; ``mean_``, ``min_``, ``max_`` and ``std_`` of every band. What does
        not apply is nan. Of a stack also ``frames`` (how many hold the segment) and
        ``first_frame``.
    """

    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(self.columns["id"])

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield every row as Python values by column."""
        lists = [column.tolist() for column in self.columns.values()]
        for values in zip(*lists, strict=True):
            yield dict(zip(self.columns, values, strict=True))


@dataclass(frozen=True)
class Sums:
    """What was gathered over all tiles, in the order of ids."""

    ids: NDArray[np.int64]
    shapes: Shapes
    bands: list[Brightness]


def table_of(segmentation: Segmentation, info: ImageInfo, sums: Sums) -> Measurements:
    """Make the table.

    Of a segment on several frames, area and perimeter are the sums over its frames, and solidity
    is the ratio of two such sums; the equivalent diameter is that of the mean area; centroid and
    eccentricity are those of all its pixels laid over each other.
    """
    size = pixel_size(info)
    columns = _about(segmentation, sums.ids)
    if info.frames > 1:
        columns |= {"frames": sums.shapes.frames, "first_frame": sums.shapes.first_frame}
    columns |= _areas(sums.shapes, size)
    columns |= _places(sums.shapes, size)
    columns |= _forms(sums.shapes, size)
    for name, band in zip(band_names(info), sums.bands, strict=True):
        columns |= {f"{kind}_{name}": values for kind, values in band.statistics.items()}
    return Measurements(columns)


def band_names(info: ImageInfo) -> list[str]:
    """Return a name for every band, all different, fit for the name of a column."""
    names: list[str] = []
    for band in range(info.bands):
        given = info.band_names[band] if band < len(info.band_names) else f"band {band + 1}"
        name = re.sub(r"\W+", "_", given.strip().casefold()).strip("_")
        names.append(name if name and name not in names else f"{name or 'band'}_{band + 1}")
    return names


def cell_text(value: Any) -> str:
    """Return a value for a text file or the clipboard: it reads back as the same number.

    What a spreadsheet would run as a formula gets an apostrophe in front.
    """
    if isinstance(value, float):
        return "" if isnan(value) else repr(value).removesuffix(".0")
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _about(segmentation: Segmentation, ids: Column) -> dict[str, Column]:
    segments = [segmentation.segments[i] for i in ids.tolist()]
    names = {category.id: category.name for category in segmentation.categories}
    return {
        "id": ids,
        "category": np.array([names.get(s.category, str(s.category)) for s in segments], np.str_),
        "category_id": np.array([s.category for s in segments], np.int64),
        "state": np.array([s.state for s in segments], np.str_),
        "score": np.array([np.nan if s.score is None else s.score for s in segments], np.float64),
    }


def _areas(shapes: Shapes, size: PixelSize | None) -> dict[str, Column]:
    columns: dict[str, Column] = {"area_px": shapes.areas}
    if size:
        columns[f"area_{size.unit}2"] = shapes.areas * size.area
        if size.unit == "m":
            columns["area_ha"] = shapes.areas * (size.area / HECTARE)
    columns["perimeter_px"] = _known(shapes, shapes.perimeters)
    if size and size.side:  # the estimator does not tell steps across from steps down
        columns[f"perimeter_{size.unit}"] = columns["perimeter_px"] * size.side
    return columns


def _places(shapes: Shapes, size: PixelSize | None) -> dict[str, Column]:
    left, top, right, bottom = (_known(shapes, edge) for edge in shapes.boxes.T)
    x, y = (_known(shapes, mean) for mean in shapes.places.means)
    lengths = {
        "centroid_x": x,
        "centroid_y": y,
        "bbox_x": left,
        "bbox_y": top,
        "bbox_width": right - left,
        "bbox_height": bottom - top,
    }
    columns = {f"{name}_px": values for name, values in lengths.items()}
    if size:
        for name, values in lengths.items():
            along = size.x if name.endswith(("x", "width")) else size.y
            columns[f"{name}_{size.unit}"] = values * along
    return columns


def _forms(shapes: Shapes, size: PixelSize | None) -> dict[str, Column]:
    areas = _known(shapes, shapes.areas) / np.maximum(shapes.frames, 1)
    diameters = np.sqrt(4 * areas / np.pi)
    columns = {"equivalent_diameter_px": diameters}
    if size:
        columns[f"equivalent_diameter_{size.unit}"] = diameters * np.sqrt(size.area)
    columns["eccentricity"] = _known(shapes, _eccentricities(shapes, size))
    columns["solidity"] = _known(shapes, shapes.areas / np.maximum(shapes.convex, 1))
    return columns


def _eccentricities(shapes: Shapes, size: PixelSize | None) -> Column:
    """Return those of the ellipses with the same second moments, in the image's unit if known."""
    wide, high = (size.x, size.y) if size else (1.0, 1.0)
    xx, yy, xy = shapes.places.products * np.array([[wide**2], [high**2], [wide * high]])
    middle, reach = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    major, minor = middle + reach, np.maximum(middle - reach, 0)
    ratio = np.divide(minor, major, out=np.ones(len(major)), where=major > 0)
    eccentricities: Column = np.sqrt(np.maximum(1 - ratio, 0))
    return eccentricities


def _known(shapes: Shapes, values: Column) -> Column:
    """Return values as float64, nan for segments without a pixel."""
    return np.where(shapes.areas > 0, values, np.nan)
