"""Models as OpenVINO runs them on processors; converted once, and kept in the cache folder.

A converted model takes images of one size. OpenVINO would compute in half precision by itself
where the processor can: here it does so only when it is told to.
"""

from __future__ import annotations

import importlib.util
import io
import sys
import tempfile
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from segdesk.core.errors import in_words, is_lack_of_memory
from segdesk.core.own_folders import own_folder
from segdesk.ml.agreement import Outputs

_MOST_KEPT = 4 * 2**30  # bytes of converted models; the least recently used go first
_PRECISIONS = {"BF16": "bf16", "FP16": "f16"}


class Unusable(Exception):
    """A model cannot be run in this way."""


def is_installed() -> bool:
    """Say whether OpenVINO is there, without importing it."""
    return importlib.util.find_spec("openvino") is not None


def version() -> str:
    """Return what a verdict on OpenVINO depends on: its version and the processor."""
    name = _core().get_property("CPU", "FULL_DEVICE_NAME")
    return f"{_openvino().__version__} {name}"


def half_precision() -> str:
    """Return how OpenVINO names the half precision of this processor; empty where it has none."""
    capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return next((_PRECISIONS[name] for name in _PRECISIONS if name in capabilities), "")


class OpenvinoModel:
    """A converted model, for inputs of one size."""

    def __init__(self, compiled: Any, outputs: tuple[str, ...]) -> None:
        self._compiled, self._outputs = compiled, outputs

    def __call__(self, inputs: dict[str, Tensor]) -> Outputs:
        """Return what the model says. Raises ``Unusable``."""
        try:
            given = {name: inputs[name].numpy() for name in inputs if name in self._names}
            found = self._compiled(given)
            return {
                name: torch.from_numpy(found[number].copy())
                for number, name in enumerate(self._outputs)
            }
        except Exception as error:
            raise _unusable(error) from error

    @property
    def _names(self) -> set[str]:
        """Inputs of which something depends."""
        return {name for node in self._compiled.inputs for name in node.get_names()}


def stored(key: str, outputs: tuple[str, ...], precision: str) -> OpenvinoModel | None:
    """Return a model that was converted before; None where there is none that still fits."""
    path = _path(key)
    try:
        content = io.BytesIO(path.read_bytes())
        compiled = _core().import_model(content, "CPU", _settings(precision))
    except (OSError, RuntimeError):  # none, or of another version or processor
        return None
    with suppress(OSError):
        path.touch()
    return OpenvinoModel(compiled, outputs)


def convert(
    model: Any, inputs: dict[str, Tensor], key: str, outputs: tuple[str, ...], precision: str
) -> OpenvinoModel:
    """Convert a model for inputs like these, and store it. Raises ``Unusable``."""
    try:
        compiled = _compile(_Positional(model, tuple(inputs), outputs), inputs, precision)
        _store(key, compiled)
    except Exception as error:
        raise _unusable(error) from error
    return OpenvinoModel(compiled, outputs)


class _Positional(torch.nn.Module):
    """A model whose inputs and outputs are tuples, as tracing wants them."""

    def __init__(self, model: Any, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
        super().__init__()
        self._model, self._inputs, self._outputs = model, inputs, outputs

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs."""
        found = self._model(**dict(zip(self._inputs, tensors, strict=True)))
        return tuple(found[name] for name in self._outputs)


def _compile(module: _Positional, inputs: dict[str, Tensor], precision: str) -> Any:
    _openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing fixes the size: that is what is wanted
        decoder = TorchScriptPythonDecoder(module.eval(), example_input=tuple(inputs.values()))
        frontend = FrontEndManager().load_by_framework("pytorch")
        converted = frontend.convert(frontend.load(decoder))
    for node, (name, tensor) in zip(converted.inputs, inputs.items(), strict=True):
        node.set_names({name})
        node.get_node().set_partial_shape(_openvino().PartialShape(list(tensor.shape)))
    converted.validate_nodes_and_infer_types()
    return _core().compile_model(converted, "CPU", _settings(precision))


def _settings(precision: str) -> dict[str, str]:
    return {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}


def _store(key: str, compiled: Any) -> None:
    """Keep a converted model; not being able to is no failure."""
    path = _path(key)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            temporary.write_bytes(compiled.export_model().getbuffer())
            temporary.replace(path)
        newest = sorted(path.parent.glob("*.blob"), key=lambda p: -p.stat().st_mtime)
        total = 0
        for file in newest:
            total += file.stat().st_size
            if total > _MOST_KEPT and file != path:
                file.unlink()


def _path(key: str) -> Path:
    return own_folder("cache") / "models" / f"{key}.blob"


def _unusable(error: Exception) -> Exception:
    return error if is_lack_of_memory(error) else Unusable(in_words(error))


@cache
def _openvino() -> Any:
    """Import OpenVINO without the package by which it would report its use."""
    name = "openvino_telemetry"
    kept = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # so that importing it fails
    try:
        import openvino
    finally:
        if kept is None:
            del sys.modules[name]
        else:
            sys.modules[name] = kept
    return openvino


@cache
def _core() -> Any:
    return _openvino().Core()
