"""Whatever a decoder raises about a damaged file becomes one clear line."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segdesk.api import ImageError, Window

# What Pillow, tifffile and imagecodecs have been seen to raise on mutated files.
DAMAGE: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    Warning,  # where warnings are errors
    struct.error,
)


class Unsupported(Exception):
    """A healthy file of a kind that is not read; the message completes "does not read ..."."""


@contextmanager
def named_damage(path: Path, kind: str, *more: type[Exception]) -> Iterator[None]:
    """Turn a decoder's errors, and those named in ``more``, into ``ImageError``."""
    try:
        yield
    except Unsupported as error:
        raise ImageError(f"{path}: SegDesk does not read a {kind} with {error}.") from error
    except (*DAMAGE, *more) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ImageError(
            f"{path}: this {kind} is damaged, cut short or of an unknown kind ({reason:.120})."
        ) from error
    except MemoryError as error:
        raise ImageError(
            f"{path}: decoding it takes more memory than there is; convert it to a tiled TIFF."
        ) from error


def check_window(path: Path, window: Window, size: tuple[int, int]) -> None:
    """Raise ``ImageError`` unless a window lies inside a level of ``size`` (width, height)."""
    if not window or window != window.intersection(Window(0, 0, *size)):
        raise ImageError(f"{path}: {window} is not inside its {size[0]} x {size[1]} pixels.")
