"""Measures in some ten seconds what each device computes: for ``engine.devices.self_test``.

Prints one JSON object: by device and precision the million pixels a second that a SegFormer of
the smallest size (random weights, 512 x 512 pixels) gets through, and the rate of a matrix product.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from segdesk.ml.device import known_devices

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_SECONDS = 0.8  # for each figure
_SIDES = (64, 512)  # pixels in a row and a column: the second where the first is quick
_SLOW = 0.05  # million pixels a second
_MATRIX = {"cpu": 512}
_LARGE_MATRIX = 4096


def measure() -> dict[str, dict[str, Any]]:
    """Return the figures by device and precision; ``reason`` where a precision does not work."""
    torch.manual_seed(0)
    model = SegformerForSemanticSegmentation(SegformerConfig(num_labels=150)).eval()
    return {
        name: {
            precision: _figures(model, torch.device(name), dtype)
            for precision, dtype in PRECISIONS.items()
        }
        for name in known_devices()
    }


def _figures(model: Any, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    try:
        with torch.inference_mode():
            megapixels = _megapixels(model.to(device, dtype), device, dtype)
            products = _products(device, dtype)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        return {"reason": str(error).strip().partition("\n")[0]}
    size = _MATRIX.get(device.type, _LARGE_MATRIX)
    return {
        "megapixels_per_second": round(megapixels, 3),
        "gflops": round(products * 2 * size**3 / 1e9, 1),
    }


def _megapixels(model: Any, device: torch.device, dtype: torch.dtype) -> float:
    """Return how many million pixels go through the model in a second."""
    rate = 0.0
    for side in _SIDES:
        pixels = torch.rand(1, 3, side, side).to(device, dtype)
        if not torch.isfinite(model(pixel_values=pixels).logits).all():
            raise RuntimeError("gives numbers that are none")
        rate = _rate(partial(model, pixel_values=pixels), device) * side**2 / 1e6
        if rate < _SLOW:
            break
    return rate


def _products(device: torch.device, dtype: torch.dtype) -> float:
    """Return how many products of two square matrices are done in a second."""
    size = _MATRIX.get(device.type, _LARGE_MATRIX)
    matrix = torch.rand(size, size).to(device, dtype)
    _ = matrix @ matrix  # the first time is slower
    return _rate(lambda: matrix @ matrix, device)


def _rate(work: Callable[[], object], device: torch.device) -> float:
    """Return how often work is done in a second, once it has been done before."""
    _wait_for(device)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < _SECONDS:
        work()
        count += 1
        _wait_for(device)
    return count / (time.perf_counter() - start)


def _wait_for(device: torch.device) -> None:
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
