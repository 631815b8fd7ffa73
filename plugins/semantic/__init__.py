"""Semantic segmentation with any Hugging Face model made for it."""

from dataclasses import dataclass, field
from typing import Literal

from segdesk.api import Checkpoint, Report, SegmenterSpec, Session, hookimpl
from segdesk.core.speed import HELP_SPEED, Speed


@dataclass(frozen=True)
class SemanticOptions:
    """How fine masks are, of models that answer by masks, and how models run."""

    resolution: Literal["standard", "full"] = field(
        default="standard",
        metadata={
            "help": "for Mask2Former: standard, masks on a grid of 384 x 384, as transformers makes"
            " them; full, as fine as the model's own"
        },
    )
    speed: Speed = field(default="exact", metadata={"help": HELP_SPEED})


@hookimpl
def segdesk_segmenters() -> list[SegmenterSpec]:
    """Offer one segmenter for all such models."""
    return [
        SegmenterSpec(
            id="semantic",
            title="Semantic (Hugging Face)",
            task="semantic",
            open=_open,
            options=SemanticOptions,
            checkpoints=(
                Checkpoint(
                    "nvidia/segformer-b0-finetuned-ade-512-512",
                    "SegFormer B0: 150 categories of scenes, quick",
                ),
                Checkpoint(
                    "nvidia/segformer-b5-finetuned-ade-640-640",
                    "SegFormer B5: 150 categories of scenes, thorough",
                ),
                Checkpoint(
                    "nvidia/segformer-b1-finetuned-cityscapes-1024-1024",
                    "SegFormer B1: 19 categories of streets",
                ),
                Checkpoint(
                    "google/deeplabv3_mobilenet_v2_1.0_513",
                    "DeepLabV3 MobileNetV2: 21 categories of things, very quick",
                ),
                Checkpoint(
                    "facebook/mask2former-swin-tiny-ade-semantic",
                    "Mask2Former tiny: 150 categories of scenes, thorough",
                ),
            ),
            needs_checkpoint=True,
            tile=512,
            half=True,
            help="Gives every pixel a category that the model knows.",
        )
    ]


def _open(checkpoint: str, device: str, report: Report) -> Session:
    report(0.0, "Starting PyTorch")
    from segdesk_plugins.semantic.session import SemanticSession

    return SemanticSession(checkpoint, device, report)
