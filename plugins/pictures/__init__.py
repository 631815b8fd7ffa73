"""Reads pictures (PNG, JPEG, BMP, WebP, GIF) and TIFF in all its kinds, whole slides too."""

from __future__ import annotations

from pathlib import Path

from segdesk.api import ImageSource, ReaderSpec, hookimpl

_SLIDES = (".svs", ".ndpi", ".scn", ".bif", ".qptiff")  # TIFF by other names
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two: BigTIFF


def picture_format(head: bytes) -> str:
    """Return the format of a file that starts like this, in Pillow's words; "" if none of ours."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    return "BMP" if head.startswith(b"BM") else ""


def is_tiff(head: bytes) -> bool:
    """Tell whether a file that starts like this is a TIFF."""
    return head.startswith(_TIFF_HEADS)


@hookimpl
def segdesk_readers() -> list[ReaderSpec]:
    """Offer both readers."""
    return [
        ReaderSpec(
            id="pictures",
            title="PNG, JPEG, BMP, WebP, GIF",
            suffixes=(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".webp", ".gif"),
            open=_open_picture,
            sniff=lambda head: picture_format(head) != "",
            probe=False,
        ),
        ReaderSpec(
            id="tiff",
            title="TIFF, whole slides (SVS, NDPI, SCN, BIF, QPTIFF)",
            suffixes=(".tif", ".tiff", ".btf", ".tf8", *_SLIDES),
            open=_open_tiff,
            sniff=is_tiff,
        ),
    ]


def _open_picture(path: Path) -> ImageSource:
    from segdesk_plugins.pictures.picture import Picture

    return Picture(path)


def _open_tiff(path: Path) -> ImageSource:
    from segdesk_plugins.pictures.tiff import TiffImage

    return TiffImage(path)
