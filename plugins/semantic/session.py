"""A semantic model at work."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import torch
from transformers import MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING

from segdesk.api import Category, CategoryScores, Report, SegmentRequest
from segdesk.core.palette import distinct_colours
from segdesk.ml.loading import load_model


class SemanticSession:
    """A loaded model; answers with scores at the model's own resolution."""

    def __init__(self, checkpoint: str, device: str, report: Report) -> None:
        self._loaded = load_model(
            checkpoint,
            device,
            MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING,
            "semantic segmentation",
            report,
        )
        self._settings = whole_image_settings(self._loaded.processor)

    def segment(self, request: SegmentRequest, report: Report) -> CategoryScores:
        """Return (categories, h, w) logits of the whole window."""
        report(0.1, "Preparing the image")
        inputs = self._loaded.processor(
            images=np.array(request.rgb),  # a copy: what is given is read-only
            return_tensors="pt",
            input_data_format="channels_last",
            **self._settings,
        )
        report(0.3, "Running the model")
        with torch.inference_mode():
            outputs = self._loaded.model(
                pixel_values=inputs["pixel_values"].to(self._loaded.device)
            )
        report(0.9, "Reading the scores")
        scores = outputs.logits[0].float().cpu().numpy()
        return CategoryScores(scores, categories_of(self._loaded.model.config, len(scores)))

    def close(self) -> None:
        """Free the model's memory."""
        del self._loaded
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def categories_of(config: Any, count: int) -> tuple[Category, ...]:
    """Return the categories of a model in the order of its scores."""
    colours = distinct_colours(count)
    return tuple(
        Category(index, str(config.id2label.get(index, f"category {index}")), colour, False)
        for index, colour in enumerate(colours)
    )


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
