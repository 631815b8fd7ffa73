"""The Hugging Face Hub: what it offers, with task, licence and size before anything is fetched.

Only functions here and in ``download`` use the network, and only for what the user asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segdesk.core.checkpoint_config import tasks_of
from segdesk.core.checkpoint_folder import COMPANIONS, CONFIG, INDEX, PROCESSOR, WEIGHTS
from segdesk.core.errors import CheckpointError, SegdeskError, UsageError
from segdesk.engine.checkpoints.manifest import FILE_NAME, HUB_ID
from segdesk.engine.offline import is_offline

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_CONVERTER = "SFconvertbot"
_PICKLE = "pytorch_model.bin"
_NAMES = {CONFIG, PROCESSOR, WEIGHTS, INDEX, *COMPANIONS}
_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I8": 1, "U8": 1}
_PIPELINES = ("image-segmentation", "mask-generation")
_PATIENCE = 30  # seconds
_ASKED = 200  # models that are asked for in one search, before those that do not fit are left out


@dataclass(frozen=True)
class HubFile:
    """One file of a model on the Hub."""

    name: str
    size: int  # bytes
    sha256: str  # of a large file; empty for a small one
    blob_id: str  # what Git calls its bytes


@dataclass(frozen=True)
class Offer:
    """A model on the Hub with all that would be fetched of it."""

    name: str
    revision: str  # the commit
    licence: str
    model_type: str
    tasks: tuple[str, ...]
    files: tuple[HubFile, ...]
    pull_request: str = ""  # of the Hub's converter, when the weights are only there

    @property
    def size(self) -> int:
        """Bytes to be fetched."""
        return sum(file.size for file in self.files)

    @property
    def is_pickled(self) -> bool:
        """Whether its weights are a pickle, to be converted once they are here."""
        return any(file.name == _PICKLE for file in self.files)


@dataclass(frozen=True)
class Query:
    """What to search the Hub for."""

    words: str = ""
    task: str = ""  # as in ``SegmenterSpec.task``; empty: any
    licence: str = ""  # as the Hub names it, such as "apache-2.0"; empty: any
    largest: int = 0  # bytes; 0: any
    limit: int = 20


@dataclass(frozen=True)
class Found:
    """One result of a search."""

    name: str
    tasks: tuple[str, ...]
    model_type: str
    licence: str
    size: int | None  # bytes of its safetensors weights, estimated; None: it has none, or unknown
    downloads: int


def search(query: Query) -> list[Found]:
    """Return models on the Hub, the most used first. Raises ``CheckpointError``."""
    about: dict[str, Any] = {
        **({"search": query.words} if query.words else {}),
        "filter": ["transformers", *([f"license:{query.licence}"] if query.licence else ())],
        "sort": "downloads",
        "limit": _ASKED,
        "expand": ["config", "downloads", "safetensors", "tags"],
    }
    with _asking("The search"):
        found = [
            _found(model)
            for pipeline in _PIPELINES
            for model in _listed(about | {"pipeline_tag": pipeline})
        ]
    fitting = [model for model in found if _fits(model, query)]
    return sorted(fitting, key=lambda model: -model.downloads)[: query.limit]


def describe(name: str, allow_pickled: bool = False) -> Offer:
    """Return what there is to fetch of a model.

    Where the weights are pickles only, what the Hub's own converter offers as a pull request is
    taken instead.

    Raises
    ------
    CheckpointError
        When there is no such model, it needs a licence to be accepted, has pickled weights only
        and they are not allowed, or the Hub is out of reach.
    """
    if not HUB_ID.fullmatch(name):
        raise CheckpointError(f"{name}: no id on the Hub.")
    with _asking(name):
        offer = _offer(name, "", _info(name))
        if not _has_weights(offer) and (request := _converted(name)):
            offer = _offer(name, request, _info(name, request))
        if not _has_weights(offer) and allow_pickled:
            offer = _offer(name, "", _info(name), pickled=True)
    if not _has_weights(offer) and not offer.is_pickled:
        raise CheckpointError(
            f"{name}: has no safetensors weights on the Hub, and others could run code when opened:"
            " choose another model, or convert it with `segdesk checkpoints get --allow-pickled`."
        )
    return offer


def need_network(what: str) -> None:
    """Raise ``CheckpointError`` in offline mode."""
    if is_offline():
        raise CheckpointError(f"{what}: not on this machine, and offline mode is on.")


def endpoint() -> str | None:
    """Return the address of another Hub than the public one; None for that."""
    return os.environ.get("HF_ENDPOINT")


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Turn whatever the network makes of a question into one line."""
    need_network(what)
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        yield
    except SegdeskError:
        raise
    except GatedRepoError as error:
        raise CheckpointError(
            f"{what}: accept its licence on the Hub first, and sign in with `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise CheckpointError(
            f"{what}: neither a folder here nor a public model on the Hub."
        ) from error
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise CheckpointError(f"{what}: the Hub cannot be reached ({first:.120}).") from error


def _api() -> HfApi:
    from huggingface_hub import HfApi

    return HfApi(endpoint=endpoint())


def _listed(question: dict[str, Any]) -> list[Any]:
    """Return the first page of models; the client's own function would retry for half a minute."""
    from huggingface_hub import ModelInfo, constants
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    url = f"{endpoint() or constants.ENDPOINT}/api/models"
    answer = get_session().get(url, params=question, headers=build_hf_headers(), timeout=_PATIENCE)
    hf_raise_for_status(answer)
    return [ModelInfo(**model) for model in answer.json()]


def _info(name: str, revision: str = "") -> Any:
    return _api().model_info(name, revision=revision or None, files_metadata=True)


def _offer(name: str, request: str, info: Any, pickled: bool = False) -> Offer:
    config = info.config or {}
    return Offer(
        name=name,
        revision=str(info.sha),
        licence=_licence(info),
        model_type=str(config.get("model_type", "")),
        tasks=tasks_of(config),
        files=tuple(_wanted(info.siblings or (), pickled)),
        pull_request=request,
    )


def _wanted(siblings: Any, pickled: bool) -> Iterator[HubFile]:
    """Yield the files that are needed; their names are names, and no paths."""
    for file in siblings:
        name = str(file.rfilename)
        is_shard = name.startswith("model-") and name.endswith(".safetensors")
        is_wanted = name in _NAMES or is_shard or (pickled and name == _PICKLE)
        if is_wanted and FILE_NAME.fullmatch(name):
            sha256 = file.lfs.sha256 if file.lfs else ""
            yield HubFile(name, int(file.size or 0), sha256, file.blob_id or "")


def _has_weights(offer: Offer) -> bool:
    return any(file.name.endswith(".safetensors") for file in offer.files)


def _converted(name: str) -> str:
    """Return the revision in which the Hub's own converter offers safetensors weights, or ""."""
    offers = _api().get_repo_discussions(name, author=_CONVERTER, discussion_type="pull_request")
    for offer in offers:
        if offer.author == _CONVERTER and offer.git_reference:
            return str(offer.git_reference)
    return ""


def _found(info: Any) -> Found:
    config = info.config or {}
    parameters = info.safetensors.parameters if info.safetensors else {}
    size = sum(count * _BYTES.get(kind, 4) for kind, count in parameters.items())
    about = (tasks_of(config), str(config.get("model_type", "")), _licence(info))
    return Found(info.id, *about, size or None, info.downloads or 0)


def _fits(model: Found, query: Query) -> bool:
    has_task = not query.task or query.task in model.tasks
    has_size = not query.largest or (model.size is not None and model.size <= query.largest)
    return has_task and has_size


def _licence(info: Any) -> str:
    named = [tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:")]
    card = (info.card_data or {}).get("license") if not named else named[0]
    return str(card or "")


def parse_size(text: str) -> int:
    """Return the bytes of a size such as "500 MB" or "2GB". Raises ``UsageError``."""
    number, unit = text.strip().upper().removesuffix("B"), 1
    for letter, factor in (("K", 10**3), ("M", 10**6), ("G", 10**9)):
        if number.endswith(letter):
            number, unit = number.removesuffix(letter), factor
    try:
        size = float(number) * unit
    except ValueError:
        raise UsageError(f"{text!r} is no size; such as 500MB or 2GB is.") from None
    return int(size)
