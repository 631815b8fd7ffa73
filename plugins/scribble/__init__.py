"""Learns categories from a few strokes or from examples; needs no weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from segdesk.api import Example, Report, Scribble, SegmenterSpec, Session, hookimpl


@dataclass(frozen=True)
class Options:
    """How the answer is made from the classified pixels."""

    output: Literal["auto", "semantic", "instance", "panoptic"] = field(
        default="auto",
        metadata={"help": "auto: instances if an example holds instances, else semantic"},
    )
    smoothing: float = field(
        default=1.0,
        metadata={
            "help": "how much single odd pixels follow their neighbours",
            "minimum": 0.0,
            "maximum": 10.0,
            "unit": "px",
        },
    )
    minimum_area: int = field(
        default=0,
        metadata={
            "help": "smaller objects are left out; 0: learnt from the examples, else 16",
            "minimum": 0,
            "maximum": 10**9,
            "unit": "px",
        },
    )
    splitting: float = field(
        default=0.0,
        metadata={
            "help": "how eagerly touching objects are split; 0: learnt from the examples, else 0.5",
            "minimum": 0.0,
            "maximum": 1.0,
        },
    )


@hookimpl
def segdesk_segmenters() -> list[SegmenterSpec]:
    """Offer the pixel classifier."""
    return [
        SegmenterSpec(
            id="scribble",
            title="Scribble (learns from strokes)",
            task="in-context",
            open=_open,
            prompts=frozenset({Scribble, Example}),
            options=Options,
            live=True,
            help="Paint a stroke or two on each category, background too; every pixel follows.",
        )
    ]


def _open(checkpoint: str, device: str, report: Report) -> Session:
    from segdesk_plugins.scribble.session import ScribbleSession

    return ScribbleSession()
