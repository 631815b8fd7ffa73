"""Keeps this process off the network when the user wants that, and from telling tales otherwise."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

from segdesk.engine.folders import change_settings, read_settings

VARIABLE = "SEGDESK_OFFLINE"
_PRIVATE = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",  # its transfers cannot be stopped, resumed or watched from here
    "ORT_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")
_NAMING = tuple(
    f"socket.{name}" for name in ("getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyaddr")
)


def is_offline() -> bool:
    """Whether the network must not be used: by a variable of the environment, or the setting."""
    by_variable = any(_is_on(name) for name in (VARIABLE, "HF_HUB_OFFLINE"))
    return by_variable or read_settings().get("offline") is True


def set_offline(offline: bool) -> None:
    """Change the setting, from now on and for the next start. Raises ``SegdeskError``."""
    change_settings(offline=offline)
    for name in (VARIABLE, "HF_HUB_OFFLINE"):
        os.environ[name] = "1" if offline else "0"


def keep_private() -> None:
    """Set up this process, before any library that could use the network is imported.

    Nothing is told to anybody but what the user asks for. In offline mode every attempt to look
    up a host or to connect to one raises ``ConnectionRefusedError``, whoever makes it.
    """
    for name, value in _PRIVATE.items():
        os.environ.setdefault(name, value)
    os.environ.pop("TRUST_REMOTE_CODE", None)  # transformers would take it for a consent
    if is_offline():
        os.environ["HF_HUB_OFFLINE"] = "1"
    _guard()


@cache
def _guard() -> None:
    sys.addaudithook(_refuse_network)  # it cannot be taken off again: once is enough


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _SENDING and event not in _NAMING:
        return
    from socket import AF_INET, AF_INET6

    leaves = event in _NAMING or arguments[0].family in (AF_INET, AF_INET6)
    if leaves and is_offline():
        raise ConnectionRefusedError("SegDesk is in offline mode: nothing may use the network.")


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes", "on")
