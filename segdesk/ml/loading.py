"""Loads a transformers model from a folder, so that opening it never runs code from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants
from transformers import (
    VIDEO_PROCESSOR_MAPPING,
    AutoConfig,
    AutoImageProcessor,
    AutoTokenizer,
    AutoVideoProcessor,
)
from transformers.utils import logging

from segdesk.core.checkpoint_folder import check_folder, weight_files
from segdesk.core.errors import CheckpointError, SegdeskError
from segdesk.core.progress import Report, part
from segdesk.core.weights import count_weights
from segdesk.ml.device import choose_device
from segdesk.ml.weights import read_weights

_MOST_NAMED = 3
_FEW_WEIGHTS = 2**20  # so many more than the files hold are not worth a refusal before the load


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to answer, and what prepares its input."""

    model: Any  # a PreTrainedModel, in float32 and not training
    processor: Any  # its image processor
    device: torch.device
    folder: Path  # of the checkpoint
    tokenizer: Any = None  # of models that are told their task in words


def load_model(
    ref: str, device: str, kinds: Mapping[type[Any], type[Any]], task: str, report: Report
) -> LoadedModel:
    """Load a model and its image processor.

    Parameters
    ----------
    ref
        The folder of the checkpoint; the engine has found or fetched it.
    device
        As in ``choose_device``.
    kinds
        Model classes by configuration class, as transformers lists them for a task.
    task
        What such models do, for messages: "semantic segmentation".
    report
        Progress and stop.

    Raises
    ------
    CheckpointError
        When it is damaged or incomplete, or of another kind.
    UsageError
        When there is no such device.
    """
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    target = choose_device(device)
    folder = Path(ref)
    check_folder(folder)
    with _blaming(folder):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    model_class = _model_class(folder, config, kinds, task)
    _check_size(folder, model_class, config)
    weights = read_weights(folder, part(report, 0.0, 0.6))
    report(0.6, "Building the model")
    model = _build(folder, model_class, config, weights)
    report(0.9, f"Moving the model to {target}")
    with _blaming(folder):
        processor, tokenizer = _inputs(folder, config)
    return LoadedModel(model.to(target), processor, target, folder, tokenizer)


def _inputs(folder: Path, config: Any) -> tuple[Any, Any]:
    """Return the processor, and the tokenizer of a model that is told its task in words."""
    local = {"trust_remote_code": False, "local_files_only": True}
    if type(config) in VIDEO_PROCESSOR_MAPPING:
        return AutoVideoProcessor.from_pretrained(folder, **local), None
    if not hasattr(config, "task_seq_len"):
        return AutoImageProcessor.from_pretrained(folder, **local), None
    # Without the names of its file of categories, which it would fetch and which is not needed.
    processor = AutoImageProcessor.from_pretrained(folder, class_info_file=None, **local)
    return processor, AutoTokenizer.from_pretrained(folder, **local)


def _model_class(
    folder: Path, config: Any, kinds: Mapping[type[Any], type[Any]], task: str
) -> type[Any]:
    if type(config) in kinds:
        return kinds[type(config)]
    made = ", ".join(config.architectures or ()) or f"a {config.model_type} model"
    known = ", ".join(sorted(kind.model_type for kind in kinds))
    raise CheckpointError(
        f"{folder}: holds {made}, which is not for {task}; that is what these can: {known}."
    )


def _check_size(folder: Path, model_class: type[Any], config: Any) -> None:
    """Refuse, before memory is taken, a model that is much larger than the files can fill."""
    held = count_weights([folder / name for name in weight_files(folder)])
    with _blaming(folder), torch.device("meta"):
        described = sum(weights.numel() for weights in model_class(config).parameters())
    if described > 2 * held + _FEW_WEIGHTS:
        raise CheckpointError(
            f"{folder / 'config.json'}: describes a model of {described / 1e6:.0f} million weights;"
            f" the files hold {held / 1e6:.0f} million."
        )


def _build(
    folder: Path, model_class: type[Any], config: Any, weights: dict[str, torch.Tensor]
) -> Any:
    """Return the model with all its weights, in float32 and not training."""
    with _blaming(folder):
        model, info = model_class.from_pretrained(
            None,  # no file is opened again: what was checked is what is used
            config=config,
            state_dict=weights,
            dtype=torch.float32,
            # Its own; a backbone gets what it supports.
            attn_implementation={"": "sdpa" if model_class._supports_sdpa else "eager"},
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    _check_complete(folder, info)
    model.eval()
    return model


def _check_complete(folder: Path, info: dict[str, Any]) -> None:
    """Refuse weights that do not fill the model: what is missing would be random."""
    missing = sorted(info["missing_keys"])
    if missing:
        raise CheckpointError(
            f"{folder}: lacks weights of the model ({_some(missing)}): it is incomplete, or was"
            " trained for another task."
        )
    mismatched = sorted(str(key[0]) for key in info["mismatched_keys"])
    if mismatched:
        raise CheckpointError(
            f"{folder}: weights have other shapes than {_some(mismatched)} of the model, as"
            " config.json describes it."
        )


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


@contextmanager
def _blaming(folder: Path) -> Iterator[None]:
    """Turn whatever transformers raises over a checkpoint into one line that names it.

    Meanwhile nothing is asked of the Hub: all that is needed has been fetched before.
    """
    online, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    except SegdeskError:
        raise
    except Exception as error:
        first = str(error).strip().partition("\n")[0] or type(error).__name__
        raise CheckpointError(f"{folder}: cannot be loaded: {first}") from error
    finally:
        constants.HF_HUB_OFFLINE = online
