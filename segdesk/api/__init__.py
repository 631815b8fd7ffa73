"""What a plugin author imports, all in one place."""

from segdesk.api.hookspecs import hookimpl
from segdesk.api.specs import (
    Checkpoint,
    ExportRequest,
    ReaderSpec,
    SegmenterSpec,
    SegmentRequest,
    Session,
    TrainedModel,
    TrainerSpec,
    TrainRequest,
    WriterSpec,
)
from segdesk.core.errors import (
    CheckpointError,
    ExportError,
    ImageError,
    PromptError,
    SegdeskError,
    UsageError,
)
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage, ImageInfo, ImageSource, Pixels
from segdesk.core.labelmap import LabelMap
from segdesk.core.progress import Report, part
from segdesk.core.prompts import Box, Example, Mask, Points, Prompt, Scribble, Text
from segdesk.core.segmentation import (
    IGNORE,
    Answer,
    Category,
    CategoryScores,
    Provenance,
    RegionMask,
    Segment,
    Segmentation,
    SegmentIds,
    SegmentMasks,
)

__all__ = [
    "IGNORE",
    "Answer",
    "ArrayImage",
    "Box",
    "Category",
    "CategoryScores",
    "Checkpoint",
    "CheckpointError",
    "Example",
    "ExportError",
    "ExportRequest",
    "ImageError",
    "ImageInfo",
    "ImageSource",
    "LabelMap",
    "Mask",
    "Pixels",
    "Points",
    "Prompt",
    "PromptError",
    "Provenance",
    "ReaderSpec",
    "RegionMask",
    "Report",
    "Scribble",
    "SegdeskError",
    "Segment",
    "SegmentIds",
    "SegmentMasks",
    "SegmentRequest",
    "Segmentation",
    "SegmenterSpec",
    "Session",
    "Text",
    "TrainRequest",
    "TrainedModel",
    "TrainerSpec",
    "UsageError",
    "Window",
    "WriterSpec",
    "hookimpl",
    "part",
]
