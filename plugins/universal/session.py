"""Models of masks by queries at work."""

from __future__ import annotations

from typing import Any

from segdesk.api import Report, SegmentIds, SegmentMasks, SegmentRequest
from segdesk.ml.categories import fused_categories
from segdesk.ml.device import free_memory
from segdesk.ml.loading import load_model
from segdesk.ml.postprocess.contest import competing_instances, panoptic_segments
from segdesk.ml.postprocess.instances import Limits, overlapping_instances
from segdesk.ml.query_model import INSTANCE_MODELS, UNIVERSAL_MODELS, QueryModel


class InstanceSession:
    """A loaded model; answers with one mask an instance, or a label map if they never overlap."""

    def __init__(self, checkpoint: str, device: str, report: Report) -> None:
        loaded = load_model(checkpoint, device, INSTANCE_MODELS, "instance segmentation", report)
        self._model = QueryModel(loaded, "instance")

    def segment(self, request: SegmentRequest, report: Report) -> SegmentMasks | SegmentIds:
        """Return the instances in the whole window."""
        options = request.options
        (answer,) = self._model.answer(request.rgb, options, report).answers
        report(0.9, "Drawing the masks")
        family, shape = self._model.family(options.resolution), request.window.shape
        limits = _limits(options)
        categories = self._model.categories()
        if family.compete:
            flat = competing_instances(answer, family, limits, shape)
            return SegmentIds(flat.ids, flat.segments, categories, "instance")
        masks = overlapping_instances(answer, family, limits, shape)
        return SegmentMasks(masks, categories, "instance")

    def use_half(self) -> bool:
        """Compute in half precision from now on."""
        self._model.use_half()
        return True

    def close(self) -> None:
        """Free the model's memory."""
        del self._model
        free_memory()


class PanopticSession:
    """A loaded model; answers with a label map of things and stuff."""

    def __init__(self, checkpoint: str, device: str, report: Report) -> None:
        loaded = load_model(checkpoint, device, UNIVERSAL_MODELS, "panoptic segmentation", report)
        self._model = QueryModel(loaded, "panoptic")

    def segment(self, request: SegmentRequest, report: Report) -> SegmentIds:
        """Return the segments of the whole window."""
        options = request.options
        (answer,) = self._model.answer(request.rgb, options, report).answers
        report(0.9, "Drawing the segments")
        categories = self._model.categories()
        fuse = fused_categories(options.fuse, categories)
        family, shape = self._model.family(options.resolution), request.window.shape
        flat = panoptic_segments(answer, family, _limits(options), shape, fuse)
        return SegmentIds(flat.ids, flat.segments, categories, "panoptic")

    def use_half(self) -> bool:
        """Compute in half precision from now on."""
        self._model.use_half()
        return True

    def close(self) -> None:
        """Free the model's memory."""
        del self._model
        free_memory()


def _limits(options: Any) -> Limits:
    return Limits(options.threshold, options.mask_threshold, options.overlap_mask_area_threshold)
