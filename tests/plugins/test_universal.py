"""Models that answer by queries: against transformers itself, and on the command line."""

import json
import warnings

import numpy as np
import pytest
import torch
import transformers

from segdesk.core.errors import UsageError
from segdesk.engine.registry import registry
from segdesk.engine.segment import SegmentJob, segment
from segdesk.ml.query_model import INSTANCE_MODELS
from tests.plugins import tiny_query_models as tiny
from tests.plugins.tiny_models import picture

OVERLAPPING = ["maskformer", "mask2former", "eomt", "eomt_dinov3", "videomt", "rf_detr"]
COMPETING = ["oneformer", "detr"]
UNIVERSAL = [name for name in OVERLAPPING + COMPETING if name != "rf_detr"]
ONE_BACKEND = {"videomt", "rf_detr"}
MOST_TIES = 2e-4  # of all pixels


def with_backends(names):
    return [
        pytest.param(name, backend, id=f"{name}{backend}")
        for name in names
        for backend in (("",) if name in ONE_BACKEND else ("", "Pil"))
    ]


@pytest.fixture(scope="module")
def image():
    return picture()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a function that gives the folder of a tiny model."""
    made = {}

    def folder_of(name, backend=""):
        key = name, backend
        if key not in made:
            folder = tmp_path_factory.mktemp("models") / f"{name}{backend}"
            made[key] = tiny.save(getattr(tiny, name)(), folder, backend)
        return made[key]

    return folder_of


def ask_transformers(folder, rgb, task):
    """Return transformers' own processor, and what its model says of an image."""
    config = transformers.AutoConfig.from_pretrained(folder)
    model = INSTANCE_MODELS[type(config)].from_pretrained(folder).eval()
    if config.model_type == "videomt":
        processor = transformers.AutoVideoProcessor.from_pretrained(folder)
        inputs = processor(videos=[rgb[None]], return_tensors="pt")
    elif config.model_type == "oneformer":
        processor = transformers.AutoImageProcessor.from_pretrained(
            folder, repo_path=str(folder), class_info_file="ade20k_panoptic.json"
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        both = transformers.OneFormerProcessor(processor, tokenizer, task_seq_length=12)
        inputs = both(images=rgb, task_inputs=[task], return_tensors="pt")
    else:
        processor = transformers.AutoImageProcessor.from_pretrained(folder)
        settings = {}
        if config.model_type.startswith("eomt") and task == "semantic":
            processor.size = {"shortest_edge": tiny.SIZE, "longest_edge": None}
            settings = {"do_split_image": True, "do_pad": False}
            settings["size"] = {"shortest_edge": tiny.SIZE}
        inputs = processor(images=rgb, return_tensors="pt", **settings)
    patches = inputs.pop("patch_offsets", None)
    inputs.pop("text_inputs", None)
    with torch.inference_mode():
        outputs = model(**inputs)
    if patches is not None:
        outputs.patch_offsets = patches
    return processor, outputs


def run(image, folder, task, **options):
    spec = registry().segmenter(task)
    job = SegmentJob(task, str(folder), "cpu", options=spec.options(**options))
    return segment(image, job)


def masks_of(found):
    """Return the mask of each segment by id."""
    planes = [plane.read(plane.window) for plane in found.planes]
    return {key: np.any([plane == key for plane in planes], axis=0) for key in found.segments}


def match(found, infos):
    """Return our segment of each of transformers': of the same category and score."""
    left, pairs = dict(found.segments), []
    for info in infos:
        alike = [s for s in left.values() if s.category == info["label_id"]]
        best = min(alike, key=lambda s: abs(s.score - info["score"]), default=None)
        assert best is not None, (info, left)
        assert best.score == pytest.approx(info["score"], abs=1e-4)
        pairs.append(left.pop(best.id))
    assert not left, left
    return pairs


def check_ties(name, different, pixels):
    print(f"\n{name}: {different} of {pixels} pixels differ: within rounding of a tie or threshold")
    assert different <= max(2, MOST_TIES * pixels)


@pytest.mark.parametrize(("name", "backend"), with_backends(OVERLAPPING))
def test_instances_are_those_of_transformers(name, backend, image, folders):
    folder, rgb = folders(name, backend), image.read(image.info.window)
    processor, outputs = ask_transformers(folder, rgb, "instance")
    settings = {"threshold": 0.3, "target_sizes": [rgb.shape[:2]]}
    painted = "eomt" in name or name == "videomt"
    if not painted:
        settings["return_binary_maps"] = True
    (expected,) = processor.post_process_instance_segmentation(outputs, **settings)
    found = run(image, folder, "instance", threshold=0.3)
    pairs, masks = match(found, expected["segments_info"]), masks_of(found)
    assert len(pairs) >= 2
    if painted:
        ours = np.full(rgb.shape[:2], -1)
        for number, ours_too in enumerate(pairs):
            ours[masks[ours_too.id]] = number
        different = (ours != expected["segmentation"].numpy()).sum()
    else:
        maps = expected["segmentation"].numpy()
        different = sum(
            (mask != masks[pair.id]).sum() for mask, pair in zip(maps, pairs, strict=True)
        )
    check_ties(f"{name}{backend}", different, rgb[..., 0].size)


def check_flat(found, expected, name):
    """Compare a result without overlaps with transformers' map and segments."""
    infos = {info["id"]: info for info in reversed(expected["segments_info"])}
    pairs = match(found, list(infos.values()))
    ours = found.planes[0].read(found.planes[0].window)
    theirs = expected["segmentation"].numpy()
    translated = np.zeros_like(ours)
    for key, pair in zip(infos, pairs, strict=True):
        translated[theirs == key] = pair.id
    assert len(found.planes) == 1
    check_ties(name, (translated != ours).sum(), ours.size)
    return len(infos)


FUSED = {2, 3}


@pytest.mark.parametrize("fuse", ["none", "2, LABEL_3"])
@pytest.mark.parametrize(("name", "backend"), with_backends(UNIVERSAL))
def test_panoptic_segments_are_those_of_transformers(name, backend, fuse, image, folders):
    folder, rgb = folders(name, backend), image.read(image.info.window)
    processor, outputs = ask_transformers(folder, rgb, "panoptic")
    fused = set() if fuse == "none" else FUSED
    limits = {"threshold": 0.3, "overlap_mask_area_threshold": 0.1}
    key = "stuff_classes" if name.startswith("eomt") else "label_ids_to_fuse"
    (expected,) = processor.post_process_panoptic_segmentation(
        outputs, **limits, **{key: fused}, target_sizes=[rgb.shape[:2]]
    )
    found = run(image, folder, "panoptic", fuse=fuse, **limits)
    assert check_flat(found, expected, f"{name}{backend}") >= 2


@pytest.mark.parametrize(("name", "backend"), with_backends(COMPETING))
def test_instances_that_compete_are_those_of_transformers(name, backend, image, folders):
    folder, rgb = folders(name, backend), image.read(image.info.window)
    processor, outputs = ask_transformers(folder, rgb, "instance")
    limits = {"threshold": 0.3, "overlap_mask_area_threshold": 0.1}
    (expected,) = processor.post_process_instance_segmentation(
        outputs, **limits, target_sizes=[rgb.shape[:2]]
    )
    found = run(image, folder, "instance", **limits)
    assert check_flat(found, expected, f"{name}{backend}") >= 2


@pytest.mark.parametrize(("name", "backend"), with_backends(UNIVERSAL))
def test_semantic_output_is_that_of_transformers(name, backend, image, folders):
    folder, rgb = folders(name, backend), image.read(image.info.window)
    processor, outputs = ask_transformers(folder, rgb, "semantic")
    (expected,) = processor.post_process_semantic_segmentation(
        outputs, target_sizes=[rgb.shape[:2]]
    )
    found = run(image, folder, "semantic")
    ours = found.planes[0].read(found.planes[0].window) - 1
    assert len(found.segments) >= 2
    check_ties(f"{name}{backend}", (ours != expected.numpy()).sum(), ours.size)
