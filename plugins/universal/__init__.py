"""Instances, and panoptic segmentation, with any Hugging Face model made for it."""

from dataclasses import dataclass, field
from typing import Literal

from segdesk.api import Checkpoint, Report, SegmenterSpec, Session, hookimpl
from segdesk.core.speed import HELP_SPEED, Speed

_HELP_RESOLUTION = (
    "standard: masks on the model's grid, as transformers makes them; full: outlines as fine as"
    " the image"
)


def _part(default: float, text: str) -> float:
    about = {"help": text, "minimum": 0, "maximum": 1}
    value: float = field(default=default, metadata=about)
    return value


@dataclass(frozen=True)
class InstanceOptions:
    """What an instance needs to be shown."""

    threshold: float = _part(0.5, "lowest score of a segment")
    mask_threshold: float = _part(0.5, "lowest probability of a pixel in a mask")
    overlap_mask_area_threshold: float = _part(
        0.8, "part of its mask that a segment must hold, for models whose segments compete"
    )
    resolution: Literal["standard", "full"] = field(
        default="standard", metadata={"help": _HELP_RESOLUTION}
    )
    speed: Speed = field(default="exact", metadata={"help": HELP_SPEED})


@dataclass(frozen=True)
class PanopticOptions(InstanceOptions):
    """What a segment needs to be shown, and which become one."""

    fuse: str = field(
        default="stuff",
        metadata={
            "help": "categories of which all segments become one: stuff, none, all, or their names"
            " or ids with commas between"
        },
    )


@hookimpl
def segdesk_segmenters() -> list[SegmenterSpec]:
    """Offer one segmenter for instances and one for things and stuff."""
    return [
        SegmenterSpec(
            id="instance",
            title="Instances (Hugging Face)",
            task="instance",
            open=_open_instance,
            options=InstanceOptions,
            checkpoints=(
                Checkpoint(
                    "facebook/mask2former-swin-tiny-coco-instance",
                    "Mask2Former tiny: 80 categories of things",
                ),
                Checkpoint(
                    "tue-mps/coco_instance_eomt_large_640",
                    "EoMT large: 80 categories of things, thorough",
                ),
            ),
            needs_checkpoint=True,
            half=True,
            help="Finds every thing that the model knows; things may overlap.",
        ),
        SegmenterSpec(
            id="panoptic",
            title="Panoptic (Hugging Face)",
            task="panoptic",
            open=_open_panoptic,
            options=PanopticOptions,
            checkpoints=(
                Checkpoint(
                    "facebook/mask2former-swin-tiny-coco-panoptic",
                    "Mask2Former tiny: 133 categories of things and stuff",
                ),
                Checkpoint(
                    "facebook/mask2former-swin-tiny-cityscapes-panoptic",
                    "Mask2Former tiny: 19 categories of streets",
                ),
                Checkpoint(
                    "shi-labs/oneformer_ade20k_swin_tiny",
                    "OneFormer tiny: 150 categories of scenes",
                ),
            ),
            needs_checkpoint=True,
            half=True,
            help="Finds every thing, and fills the rest with stuff such as sky and road.",
        ),
    ]


def _open_instance(checkpoint: str, device: str, report: Report) -> Session:
    report(0.0, "Starting PyTorch")
    from segdesk_plugins.universal.session import InstanceSession

    return InstanceSession(checkpoint, device, report)


def _open_panoptic(checkpoint: str, device: str, report: Report) -> Session:
    report(0.0, "Starting PyTorch")
    from segdesk_plugins.universal.session import PanopticSession

    return PanopticSession(checkpoint, device, report)
