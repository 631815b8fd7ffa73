"""Segments from a box, points or a rough mask, by the colours of the image alone."""

from segdesk.api import Box, Mask, Points, Report, SegmenterSpec, Session, hookimpl


@hookimpl
def segdesk_segmenters() -> list[SegmenterSpec]:
    """Offer one segmenter that needs no weights."""
    return [
        SegmenterSpec(
            id="prompts",
            title="Box and point prompts (no weights)",
            task="prompted",
            open=_open,
            prompts=frozenset({Box, Mask, Points}),
            live=True,
            help=(
                "Draw a box around a segment, or click on it; correct with points on and off it."
                " Colours and edges decide, so segments that stand out work best."
            ),
        )
    ]


def _open(checkpoint: str, device: str, report: Report) -> Session:
    from segdesk_plugins.prompts.session import PromptSession

    return PromptSession()
