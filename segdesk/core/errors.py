"""Every error that SegDesk raises on purpose.

SegdeskError                what happened, to which file, and what to do: shown to the user as it is
├── UsageError              a wrong argument: unknown segmenter, option or format
├── ImageError              an image that cannot be opened or read
├── PromptError             a prompt, example or mask that does not fit the image
├── CheckpointError         weights that are missing, damaged or of another kind
├── PluginError             a plugin that broke its contract
├── WorkerError             a worker process that died or stopped answering
│   └── OutOfMemory         the memory of the machine or the device was not enough
│       └── WouldNotFit     it is not going to be: nothing was tried
├── ExportError             an export that could not be written or did not read back equal
├── ProjectError            a project that cannot be opened, read or written
│   └── DamagedError        a project that is damaged: what is whole can be recovered
└── Cancelled               the user pressed stop; not a failure
"""

from __future__ import annotations

from contextlib import suppress

_SIGNS = ("out of memory", "can't allocate memory", "not enough memory")


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


class OutOfMemory(WorkerError):
    """The memory of the machine, or of the device, was not enough."""


class WouldNotFit(OutOfMemory):
    """Less memory is free than is going to be needed; nothing was tried."""


class ExportError(SegdeskError):
    """An export that could not be written, or did not read back equal."""


class ProjectError(SegdeskError):
    """A project that cannot be opened, read or written."""


class DamagedError(ProjectError):
    """A project that is damaged; what is whole can be recovered."""


class Cancelled(SegdeskError):
    """The user pressed stop."""


def is_lack_of_memory(error: BaseException) -> bool:
    """Say whether an error, PyTorch's too, means that memory ran out."""
    if isinstance(error, MemoryError | OutOfMemory):
        return True
    if type(error).__name__ == "OutOfMemoryError":  # torch.OutOfMemoryError, without importing it
        return True
    words = str(error).lower() if isinstance(error, RuntimeError) else ""
    return any(sign in words for sign in _SIGNS)


def in_words(error: BaseException) -> str:
    """Return the kind and the message of an error on one line, not too long for a dialog."""
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    message = "it cannot even say why"
    with suppress(Exception):  # a stranger's error may fail to print
        message = str(error)
    words = f"{type(error).__name__}: {message}".split()
    return " ".join(words).removesuffix(":")[:400]
