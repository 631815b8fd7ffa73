"""What a TIFF says about the place and size of its pixels.

Sources: OGC GeoTIFF 1.1; OME-TIFF specification; ImageJ's and Aperio's descriptions; OpenSlide's
notes on the formats of Ventana (BIF) and Philips. NDPI and SCN have plain resolutions.
"""

from __future__ import annotations

import re
from math import hypot, isfinite
from typing import Any, TypedDict
from xml.etree import ElementTree

from segdesk_plugins.pictures.damage import DAMAGE

_XMP = 700
_PIXEL_SCALE, _TIEPOINTS, _MATRIX, _GEO_KEYS, _NODATA = 33550, 33922, 34264, 34735, 42113
_RASTER_TYPE, _GEOGRAPHIC, _PROJECTED = 1025, 2048, 3072  # GeoTIFF keys
_MODEL_TYPE, _LINEAR_UNIT = 1024, 3076
_PIXEL_IS_POINT, _USER_DEFINED, _MODEL_GEOGRAPHIC = 2, 32767, 2
_METRES_PER_UNIT = {9001: 1.0, 9002: 0.3048, 9003: 1200 / 3937}  # values of _LINEAR_UNIT
_UTM = (range(32601, 32661), range(32701, 32761), range(25828, 25839), range(26901, 26924))
_WEB_MERCATOR = (3857, 3785, 900913)  # its metres are longer than those on the ground
_RIGHT_ANGLE = 1e-6  # largest cosine of the angle between rows and columns
_UM_PER_UNIT = {2: 25400.0, 3: 10000.0}  # values of tag 296, ResolutionUnit
_FINER_THAN_PRINT = 10.0  # um; coarser than this, a resolution is meant for a printer
_UNITS = {"micron": "um", "microns": "um", "µm": "um", "μm": "um", "\\u00b5m": "um", "pixel": ""}


class Place(TypedDict, total=False):
    """Fields of ``ImageInfo``, those that are known."""

    spacing: tuple[float, float]
    unit: str
    affine: tuple[float, float, float, float, float, float]
    crs: str
    nodata: float
    band_names: tuple[str, ...]


def place_of(tiff: Any, page: Any, is_upright: bool) -> Place:
    """Return what is cheap to know and certain; a damaged tag counts as absent."""
    place = Place()
    slides = _aperio, _ventana, _philips
    for read in (_resolution, _imagej, *slides, _ome, _nodata, _geo if is_upright else None):
        try:
            place.update(read(tiff, page) if read else Place())
        except DAMAGE:
            continue
    return _believable(place)


def _believable(place: Place) -> Place:
    """Leave out sizes that are not positive and affines that lead nowhere."""
    spacing, affine = place.get("spacing", (1.0,)), place.get("affine", (1.0,))
    if not all(isfinite(size) and size > 0 for size in spacing):
        del place["spacing"]
    if not all(isfinite(number) for number in affine):
        del place["affine"]
    return place


def _resolution(tiff: Any, page: Any) -> Place:
    unit = _UM_PER_UNIT.get(int(page.tags.valueof(296, 1)))
    if unit is None:
        return Place()
    (across, per_x), (down, per_y) = page.tags.valueof(282), page.tags.valueof(283)
    spacing = unit * per_x / across, unit * per_y / down
    is_physical = 0 < max(spacing) < _FINER_THAN_PRINT
    return Place(spacing=spacing, unit="um") if is_physical else Place()


def _imagej(tiff: Any, page: Any) -> Place:
    unit = str((tiff.imagej_metadata or {}).get("unit", ""))
    unit = _UNITS.get(unit.casefold(), unit)
    if not unit:
        return Place()
    (across, per_x), (down, per_y) = page.tags.valueof(282), page.tags.valueof(283)
    return Place(spacing=(per_x / across, per_y / down), unit=unit)


def _aperio(tiff: Any, page: Any) -> Place:
    found = re.search(r"\bMPP = (\d*\.?\d+)", page.description) if tiff.is_svs else None
    size = float(found[1]) if found else 0.0
    return Place(spacing=(size, size), unit="um") if size > 0 else Place()


def _ventana(tiff: Any, page: Any) -> Place:
    xmp = bytes(tiff.pages.first.tags.valueof(_XMP, b"")) if tiff.is_bif else b""
    found = re.search(rb"""\bScanRes=["'](\d*\.?\d+)["']""", xmp)
    size = float(found[1]) if found else 0.0
    return Place(spacing=(size, size), unit="um") if size > 0 else Place()


def _philips(tiff: Any, page: Any) -> Place:
    text = tiff.pages.first.description if tiff.is_philips else ""
    number = r"&quot;(\d*\.?\d+(?:e-?\d+)?)&quot;"
    found = re.search(rf'"DICOM_PIXEL_SPACING"[^>]*>\s*{number}\s+{number}', text)
    if not found:
        return Place()
    down, across = 1000 * float(found[1]), 1000 * float(found[2])  # DICOM: rows first, mm
    return Place(spacing=(across, down), unit="um")


def _ome(tiff: Any, page: Any) -> Place:
    if not tiff.is_ome:
        return Place()
    try:
        pixels = ElementTree.fromstring(tiff.ome_metadata).find(".//{*}Pixels")
    except ElementTree.ParseError:
        return Place()
    if pixels is None:
        return Place()
    place = Place()
    names = tuple(channel.get("Name", "") for channel in pixels.findall("{*}Channel"))
    if names and all(names):
        place["band_names"] = names
    sizes = pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeY")
    units = {pixels.get(f"PhysicalSize{axis}Unit", "µm") for axis in "XY"}
    if sizes[0] and sizes[1] and len(units) == 1:
        unit = units.pop()
        place["spacing"] = float(sizes[0]), float(sizes[1])
        place["unit"] = _UNITS.get(unit, unit)
    return place


def _nodata(tiff: Any, page: Any) -> Place:
    text = page.tags.valueof(_NODATA)
    return Place() if text is None else Place(nodata=float(str(text).strip("\0 ")))


def _geo(tiff: Any, page: Any) -> Place:
    affine = _affine(page)
    if affine is None:
        return Place()
    keys = _geo_keys(page)
    if keys.get(_RASTER_TYPE) == _PIXEL_IS_POINT:  # it counts from the centre of a pixel
        a, b, c, d, e, f = affine
        affine = a, b, c - (a + b) / 2, d, e, f - (d + e) / 2
    place = _on_the_ground(affine, keys) | Place(affine=affine)
    code = keys.get(_PROJECTED, keys.get(_GEOGRAPHIC, _USER_DEFINED))
    if 0 < code < _USER_DEFINED:
        place["crs"] = f"EPSG:{code}"
    return place


def _on_the_ground(affine: tuple[float, ...], keys: dict[int, int]) -> Place:
    """Return the size of a pixel in metres or degrees; without a unit where it is another one.

    It takes the place of a resolution: that of a map is meant for a printer.
    """
    a, b, _, d, e, _ = affine
    width, height = hypot(a, d), hypot(b, e)
    code = keys.get(_PROJECTED, _USER_DEFINED)
    if keys.get(_MODEL_TYPE) == _MODEL_GEOGRAPHIC or (
        _PROJECTED not in keys and _GEOGRAPHIC in keys
    ):
        return Place(spacing=(width, height), unit="deg")
    metres = _METRES_PER_UNIT.get(keys.get(_LINEAR_UNIT, 0), 0.0)
    if any(code in zones for zones in _UTM):
        metres = metres or 1.0
    is_skewed = abs(a * b + d * e) > _RIGHT_ANGLE * width * height
    if not metres or is_skewed or code in _WEB_MERCATOR:
        return Place(spacing=(width, height), unit="")
    return Place(spacing=(width * metres, height * metres), unit="m")


def _affine(page: Any) -> tuple[float, float, float, float, float, float] | None:
    matrix = page.tags.valueof(_MATRIX)
    if matrix is not None and len(matrix) == 16:
        return matrix[0], matrix[1], matrix[3], matrix[4], matrix[5], matrix[7]
    scale, tie = page.tags.valueof(_PIXEL_SCALE), page.tags.valueof(_TIEPOINTS)
    if scale is None or tie is None or len(tie) != 6:
        return None
    a, e = scale[0], -scale[1]
    return a, 0.0, tie[3] - tie[0] * a, 0.0, e, tie[4] - tie[1] * e


def _geo_keys(page: Any) -> dict[int, int]:
    """Return the keys whose values are numbers, kept in the directory itself."""
    flat = page.tags.valueof(_GEO_KEYS) or ()
    entries = [flat[i : i + 4] for i in range(4, len(flat) - 3, 4)]
    return {key: value for key, location, _, value in entries if location == 0}
