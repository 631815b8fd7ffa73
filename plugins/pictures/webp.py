"""The size of a WebP picture, which its decoder makes room for before it can be asked.

Source: RFC 9649, sections 2.5 to 2.7.
"""

from __future__ import annotations


def webp_size(head: bytes) -> tuple[int, int]:
    """Return (width, height) from the first bytes of a file; (0, 0) where they do not tell."""
    kind = head[12:16]
    if len(head) < 30:
        return 0, 0
    if kind == b"VP8X":
        return _number(head[24:27]) + 1, _number(head[27:30]) + 1
    if kind == b"VP8L":
        bits = _number(head[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return _number(head[26:28]) & 0x3FFF, _number(head[28:30]) & 0x3FFF
    return 0, 0


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
