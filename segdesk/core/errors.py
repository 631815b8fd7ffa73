"""Every error that SegDesk raises on purpose.

SegdeskError                what happened, to which file, and what to do: shown to the user as it is
├── UsageError              a wrong argument: unknown segmenter, option or format
├── ImageError              an image that cannot be opened or read
├── PromptError             a prompt, example or mask that does not fit the image
├── CheckpointError         weights that are missing, damaged or of another kind
├── PluginError             a plugin that broke its contract
├── WorkerError             a worker process that died or stopped answering
├── ExportError             an export that could not be written or did not read back equal
├── ProjectError            a project that cannot be opened, read or written
└── Cancelled               the user pressed stop; not a failure
"""

from __future__ import annotations

from contextlib import suppress


class SegdeskError(Exception):
    """Base of all errors whose message is meant for the user."""


class UsageError(SegdeskError):
    """A wrong argument; the command line exits with 2."""


class ImageError(SegdeskError):
    """An image that cannot be opened or read."""


class PromptError(SegdeskError):
    """A prompt, example or mask that does not fit."""


class CheckpointError(SegdeskError):
    """A checkpoint that is missing, damaged or of another kind."""


class PluginError(SegdeskError):
    """A plugin that broke its contract."""


class WorkerError(SegdeskError):
    """A worker process that died or stopped answering."""


class ExportError(SegdeskError):
    """An export that could not be written, or did not read back equal."""


class ProjectError(SegdeskError):
    """A project that cannot be opened, read or written."""


class Cancelled(SegdeskError):
    """The user pressed stop."""


def in_words(error: BaseException) -> str:
    """Return the kind and the message of an error on one line, not too long for a dialog."""
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    message = "it cannot even say why"
    with suppress(Exception):  # a stranger's error may fail to print
        message = str(error)
    words = f"{type(error).__name__}: {message}".split()
    return " ".join(words).removesuffix(":")[:400]
