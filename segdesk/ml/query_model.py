"""Runs models that answer by queries: a mask and a category each."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from transformers import (
    MODEL_FOR_INSTANCE_SEGMENTATION_MAPPING,
    MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING,
)
from transformers.image_transforms import get_size_with_aspect_ratio

from segdesk.core.progress import Report
from segdesk.core.segmentation import Category, Task
from segdesk.ml.agreement import Outputs
from segdesk.ml.categories import categories_of
from segdesk.ml.loading import LoadedModel
from segdesk.ml.postprocess.families import FAMILIES, Family
from segdesk.ml.postprocess.queries import QueryAnswer
from segdesk.ml.runner import Runner

Resolution = Literal["standard", "full"]

UNIVERSAL_MODELS = MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING
INSTANCE_MODELS = ChainMap(UNIVERSAL_MODELS, MODEL_FOR_INSTANCE_SEGMENTATION_MAPPING)

_INPUTS = ("pixel_values", "pixel_mask", "pixel_values_videos")


@dataclass(frozen=True)
class Parts:
    """The answers for the parts of an image, mostly one for all of it."""

    answers: tuple[QueryAnswer, ...]
    offsets: tuple[tuple[int, int], ...] = ()  # (first, last + 1) along the longer side
    shape: tuple[int, int] = (0, 0)  # (rows, columns) of all parts together, if there are offsets


class QueryModel:
    """A loaded model, asked for one kind of segments."""

    def __init__(self, loaded: LoadedModel, task: Task) -> None:
        self.loaded = loaded
        self._task = task
        self._settings = _settings(loaded, task)
        self._runner = Runner(loaded, self._outputs)

    @property
    def config(self) -> Any:
        """Its configuration."""
        return self.loaded.model.config

    def family(self, resolution: Resolution) -> Family:
        """Return how to make segments of its answers."""
        return FAMILIES[self.config.model_type].at(resolution)

    def categories(self) -> tuple[Category, ...]:
        """Return the categories in the order of its scores."""
        return categories_of(self.config, self.config.num_labels, self._task)

    def use_half(self) -> None:
        """Compute in half precision from now on."""
        self._runner.use_half()

    def answer(self, rgb: NDArray[np.uint8], options: Any, report: Report) -> Parts:
        """Return what it says of an image, (rows, columns, 3).

        Parameters
        ----------
        rgb
            The image.
        options
            Of which ``resolution`` and ``speed`` count.
        report
            Progress and stop.
        """
        report(0.1, "Preparing the image")
        inputs = self._inputs(np.array(rgb))  # a copy: what is given is read-only
        given = {key: inputs[key].to(self.loaded.device) for key in _INPUTS if key in inputs}
        if self.loaded.tokenizer is not None:
            given["task_inputs"] = self._task_tokens().to(self.loaded.device)
        outputs = self._runner(given, options.speed, report)
        report(0.8, "Reading the masks")
        patches = inputs.get("patch_offsets")
        return self._parts(outputs, patches, rgb.shape[:2], options.resolution)

    @property
    def _outputs(self) -> tuple[str, str]:
        """What the model calls (images, queries, categories) and (images, queries, h, w)."""
        if "detr" in self.config.model_type:
            return "logits", "pred_masks"
        return "class_queries_logits", "masks_queries_logits"

    def _inputs(self, rgb: NDArray[np.uint8]) -> Any:
        settings = {"return_tensors": "pt", "input_data_format": "channels_last"}
        if "videomt" in self.config.model_type:  # a video of one frame
            return self.loaded.processor(videos=[rgb[np.newaxis]], **settings)
        return self.loaded.processor(images=rgb, **settings, **self._settings)

    def _parts(self, outputs: Outputs, patches: Any, shape: Any, resolution: Resolution) -> Parts:
        kinds, masks = (outputs[name] for name in self._outputs)
        grid, filled = self.family(resolution).grid, None
        whole = (0, 0)
        if self.config.model_type.startswith("eomt"):
            size = self._settings["size"]
            shortest, longest = size["shortest_edge"], size.get("longest_edge")
            grid = (shortest, longest or shortest)
            whole = get_size_with_aspect_ratio(shape, shortest, longest)
            filled = None if patches else whole
        answers = tuple(
            QueryAnswer(kind, mask, grid, filled) for kind, mask in zip(kinds, masks, strict=True)
        )
        offsets = tuple((int(start), int(stop)) for _, start, stop in patches or ())
        return Parts(answers, offsets, whole)

    def _task_tokens(self) -> Tensor:
        """Return the (1, length) tokens by which OneFormer is told what is wanted."""
        tokens = self.loaded.tokenizer(
            [f"the task is {self._task}"],
            padding="max_length",
            max_length=self.config.task_seq_len,
            truncation=True,
            return_tensors="pt",
        )
        return tokens["attention_mask"] * tokens["input_ids"]


def _settings(loaded: LoadedModel, task: Task) -> dict[str, Any]:
    """Return settings that make a processor fit for the task, whatever it was saved for.

    EoMT's takes an image apart for semantic segmentation, and fills it up for the others.
    """
    if not loaded.model.config.model_type.startswith("eomt"):
        return {}
    side = loaded.processor.size["shortest_edge"]
    if task == "semantic":
        return {"do_split_image": True, "do_pad": False, "size": {"shortest_edge": side}}
    size = {"shortest_edge": side, "longest_edge": side}
    return {"do_split_image": False, "do_pad": True, "size": size}
