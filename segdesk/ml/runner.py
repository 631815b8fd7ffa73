"""Runs a loaded model in the quickest way whose labels agree with PyTorch's.

On processors that is OpenVINO, where it is installed; torch.compile, where it is asked for. A size
of images is begun with PyTorch; from the second one on it is worth getting ready for.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
import transformers
from torch import Tensor

from segdesk.core.checkpoint_folder import weight_files
from segdesk.core.errors import in_words, is_lack_of_memory
from segdesk.core.own_folders import own_folder
from segdesk.core.progress import Report
from segdesk.core.speed import Speed
from segdesk.ml import openvino_model
from segdesk.ml.agreement import EXACT, HALF, Outputs, agreement, note, recall
from segdesk.ml.device import half_type
from segdesk.ml.loading import LoadedModel
from segdesk.ml.openvino_model import Unusable

Way = Callable[[dict[str, Tensor]], Outputs]
Inputs = dict[str, Tensor]

_BACKEND = "inductor"
_DONE = 0.3  # of the whole request, when the model begins


@dataclass(frozen=True)
class Case:
    """A way to run a model, for inputs of one size."""

    tool: Literal["OpenVINO", "torch.compile"]
    half: bool
    sizes: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def title(self) -> str:
        """The way in words."""
        return f"{self.tool} in half precision" if self.half else self.tool


class Runner:
    """Runs a model.

    Parameters
    ----------
    loaded
        The model.
    outputs
        What is wanted of what it says.
    """

    def __init__(self, loaded: LoadedModel, outputs: tuple[str, ...]) -> None:
        self._loaded, self._outputs = loaded, outputs
        self._half = False
        self._seen: set[Case] = set()
        self._ways: dict[Case, Way | str] = {}  # or why not

    def use_half(self) -> None:
        """Compute in half precision from now on."""
        self._half = True

    def __call__(self, inputs: Inputs, speed: Speed, report: Report) -> Outputs:
        """Return what the model says of inputs on its device."""
        case = self._case(inputs, speed)
        way = self._way(case, inputs, report) if case else ""
        if case and not isinstance(way, str):
            try:
                report(_DONE, f"Running the model with {case.title}")
                return way(inputs)
            except Unusable as error:
                way = self._ways[case] = f"without {case.title}: {error}"
        report(_DONE, f"Running the model {way}".strip())
        return self._plain(inputs, self._half)

    def _case(self, inputs: Inputs, speed: Speed) -> Case | None:
        """Return the way that is wanted; None for PyTorch as it is."""
        sizes = tuple((name, tuple(tensor.shape)) for name, tensor in inputs.items())
        if speed == "compiled":
            return Case("torch.compile", self._half, sizes)
        if speed == "plain" or self._loaded.device.type != "cpu":
            return None
        if not openvino_model.is_installed():
            return None
        return Case("OpenVINO", self._half and bool(openvino_model.half_precision()), sizes)

    def _way(self, case: Case, inputs: Inputs, report: Report) -> Way | str:
        """Return how to run the model, or a word on why it runs with PyTorch."""
        if case not in self._ways:
            key = self._key(case)
            known = recall(key)
            if isinstance(known, str):
                self._ways[case] = f"without {case.title}: {known}"
            elif known is not None and (way := self._stored(case, key)):
                self._ways[case] = way
            elif case not in self._seen:
                self._seen.add(case)
                return ""
            else:
                self._ways[case] = self._made(case, key, inputs, report)
        return self._ways[case]

    def _made(self, case: Case, key: str, inputs: Inputs, report: Report) -> Way | str:
        """Get a way ready and compare it with PyTorch; remember what came of it."""
        report(_DONE, f"Getting the model ready for {case.title}: once for images of this size")
        start = time.monotonic()
        try:
            way = self._new(case, inputs, key)
            found = way(inputs)
        except Unusable as error:
            note(key, str(error))
            return f"without {case.title}: {error}"
        share = agreement(found, self._plain(inputs, half=False))
        seconds = time.monotonic() - start
        if share < (HALF if case.half else EXACT):
            verdict = f"{100 * (1 - share):.3g} % of its labels differed from PyTorch's"
            note(key, verdict)
            return f"without {case.title}: {verdict}"
        note(key, share)
        report(_DONE, f"{case.title} is ready after {seconds:.1f} s and agrees with PyTorch")
        return way

    def _stored(self, case: Case, key: str) -> Way | None:
        if case.tool != "OpenVINO":
            return None
        return openvino_model.stored(key, self._outputs, _precision(case))

    def _new(self, case: Case, inputs: Inputs, key: str) -> Way:
        if case.tool == "OpenVINO":
            model, precision = self._loaded.model, _precision(case)
            return openvino_model.convert(model, inputs, key, self._outputs, precision)
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(own_folder("cache") / "inductor"))
        compiled = torch.compile(self._loaded.model, backend=_BACKEND, dynamic=False)

        def way(given: Inputs) -> Outputs:
            try:
                return self._run(compiled, given, case.half)
            except Exception as error:
                if is_lack_of_memory(error):
                    raise
                raise Unusable(in_words(error)) from error

        return way

    def _plain(self, inputs: Inputs, half: bool) -> Outputs:
        return self._run(self._loaded.model, inputs, half)

    def _run(self, model: Any, inputs: Inputs, half: bool) -> Outputs:
        with torch.inference_mode(), self._precision(half):
            found = model(**inputs)
        return {name: found[name].float() for name in self._outputs}

    def _precision(self, half: bool) -> AbstractContextManager[Any]:
        if not half:
            return nullcontext()
        device = self._loaded.device  # without a second copy of all weights:
        autocast: AbstractContextManager[Any] = torch.autocast(
            device.type, half_type(device), cache_enabled=False
        )
        return autocast

    def _key(self, case: Case) -> str:
        """Return a name for the checkpoint's files, the case, and all versions."""
        folder = self._loaded.folder.resolve()
        files = [folder / name for name in ("config.json", *weight_files(folder))]
        stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        versions = [torch.__version__, transformers.__version__, self._outputs]
        if case.tool == "OpenVINO":
            versions.append(openvino_model.version())
        return hashlib.sha256(repr((stats, case, versions)).encode()).hexdigest()[:40]


def _precision(case: Case) -> str:
    return openvino_model.half_precision() if case.half else "f32"
