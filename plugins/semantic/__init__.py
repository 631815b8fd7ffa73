"""Semantic segmentation with any Hugging Face model made for it."""

from segdesk.api import Checkpoint, Report, SegmenterSpec, Session, hookimpl


@hookimpl
def segdesk_segmenters() -> list[SegmenterSpec]:
    """Offer one segmenter for all such models."""
    return [
        SegmenterSpec(
            id="semantic",
            title="Semantic (Hugging Face)",
            task="semantic",
            open=_open,
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
            ),
            needs_checkpoint=True,
            help="Gives every pixel a category that the model knows.",
        )
    ]


def _open(checkpoint: str, device: str, report: Report) -> Session:
    report(0.0, "Starting PyTorch")
    from segdesk_plugins.semantic.session import SemanticSession

    return SemanticSession(checkpoint, device, report)
