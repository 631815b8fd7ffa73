"""A semantic model at work."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor
from transformers import MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING

from segdesk.api import CategoryScores, Report, SegmentRequest
from segdesk.ml.categories import categories_of
from segdesk.ml.device import free_memory
from segdesk.ml.loading import load_model
from segdesk.ml.postprocess.queries import shrunk
from segdesk.ml.postprocess.semantic import category_scores, merged_scores
from segdesk.ml.query_model import UNIVERSAL_MODELS, QueryModel
from segdesk.ml.runner import Runner

_MODELS = ChainMap(MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING, UNIVERSAL_MODELS)


class SemanticSession:
    """A loaded model; answers with scores at the model's own resolution."""

    def __init__(self, checkpoint: str, device: str, report: Report) -> None:
        self._loaded = load_model(checkpoint, device, _MODELS, "semantic segmentation", report)
        self._by_queries = None
        if type(self._loaded.model.config) in UNIVERSAL_MODELS:
            self._by_queries = QueryModel(self._loaded, "semantic")
        self._runner = Runner(self._loaded, ("logits",))
        self._settings = whole_image_settings(self._loaded.processor)

    def segment(self, request: SegmentRequest, report: Report) -> CategoryScores:
        """Return (categories, h, w) scores of the whole window."""
        if self._by_queries is None:
            scores = self._dense_scores([request], report)[0]
        else:
            scores = self._query_scores(self._by_queries, request, report)
        report(0.9, "Reading the scores")
        return self._answer(scores)

    def segment_many(
        self, requests: Sequence[SegmentRequest], report: Report
    ) -> list[CategoryScores]:
        """Return the scores of windows of one size: at once where that is quicker."""
        if self._by_queries is not None or self._loaded.device.type == "cpu":
            return [self.segment(request, report) for request in requests]
        scores = self._dense_scores(requests, report)
        return [self._answer(each) for each in scores]

    def use_half(self) -> bool:
        """Compute in half precision from now on."""
        (self._by_queries or self._runner).use_half()
        return True

    def _answer(self, scores: Tensor) -> CategoryScores:
        categories = categories_of(self._loaded.model.config, len(scores), "semantic")
        return CategoryScores(scores.cpu().numpy(), categories)

    def _dense_scores(self, requests: Sequence[SegmentRequest], report: Report) -> Tensor:
        """Return (images, categories, h, w) scores of windows of one size."""
        report(0.1, "Preparing the image")
        inputs = self._loaded.processor(
            images=[np.array(r.rgb) for r in requests],  # copies: what is given is read-only
            return_tensors="pt",
            input_data_format="channels_last",
            **self._settings,
        )
        pixels = {"pixel_values": inputs["pixel_values"].to(self._loaded.device)}
        return self._runner(pixels, requests[0].options.speed, report)["logits"]

    def _query_scores(self, model: QueryModel, request: SegmentRequest, report: Report) -> Tensor:
        parts = model.answer(request.rgb, request.options, report)
        scores = [category_scores(answer) for answer in parts.answers]
        if parts.offsets:
            return merged_scores(scores, parts.offsets, parts.shape)
        smooth = model.family("standard").antialias
        return shrunk(scores[0], request.window.shape) if smooth else scores[0]

    def close(self) -> None:
        """Free the model's memory."""
        del self._loaded, self._runner, self._by_queries
        free_memory()


def whole_image_settings(processor: Any) -> dict[str, Any]:
    """Return settings by which a processor keeps the borders that it would cut off.

    Some processors take the centre of the image, which is right for classification; the scores
    would then be those of the centre, stretched over the whole image. Where the model wants one
    size, the image is scaled to it instead.
    """
    if not getattr(processor, "do_center_crop", False):
        return {}
    if processor.size and "shortest_edge" in processor.size:
        return {"do_center_crop": False}
    return {"do_center_crop": False, "size": dict(processor.crop_size)}
