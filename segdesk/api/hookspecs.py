"""The contract with plugins: asked once at start; answers must be instant.

A plugin answers with light frozen specs; torch, Qt and the like are imported inside the functions
that the specs name, when the user first needs them.
"""

from __future__ import annotations

import pluggy

from segdesk.api.specs import ReaderSpec, SegmenterSpec, TrainerSpec, WriterSpec

hookspec = pluggy.HookspecMarker("segdesk")
hookimpl = pluggy.HookimplMarker("segdesk")


@hookspec
def segdesk_segmenters() -> list[SegmenterSpec]:
    """Models that turn pixels and prompts into a segmentation."""


@hookspec
def segdesk_readers() -> list[ReaderSpec]:
    """Formats that can be opened."""


@hookspec
def segdesk_writers() -> list[WriterSpec]:
    """Formats that a segmentation can be exported to."""


@hookspec
def segdesk_trainers() -> list[TrainerSpec]:
    """Ways to fine-tune a segmenter on the user's own masks."""
