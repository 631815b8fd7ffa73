"""Models that answer by queries: against transformers itself, and on the command line."""

import json

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

from segdesk.cli.segment import run as command
from segdesk.core.errors import UsageError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.engine.job import SegmentJob
from segdesk.engine.registry import registry
from segdesk.engine.segment import segment
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
    return ArrayImage(picture().read(Window(100, 0, 211, 150)), "a face")


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
    threshold = 0.1 if name == "rf_detr" else 0.3
    settings = {"threshold": threshold, "target_sizes": [rgb.shape[:2]]}
    painted = "eomt" in name or name == "videomt"
    if not painted:
        settings["return_binary_maps"] = True
    (expected,) = processor.post_process_instance_segmentation(outputs, **settings)
    found = run(image, folder, "instance", threshold=threshold)
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


FUSED = {0, 3}


def fuse_by_hand(apart, fused):
    """Return transformers' result with all segments of some categories made one."""
    infos, ids, first = [], apart["segmentation"].clone(), {}
    for info in apart["segments_info"]:
        kept = first.setdefault(info["label_id"], info["id"])
        if info["label_id"] in fused and kept != info["id"]:
            ids[ids == info["id"]] = kept
        else:
            infos.append(info)
    return {"segmentation": ids, "segments_info": infos}


@pytest.mark.parametrize("fuse", ["none", "0, LABEL_3"])
@pytest.mark.parametrize(("name", "backend"), with_backends(UNIVERSAL))
def test_panoptic_segments_are_those_of_transformers(name, backend, fuse, image, folders):
    folder, rgb = folders(name, backend), image.read(image.info.window)
    processor, outputs = ask_transformers(folder, rgb, "panoptic")
    fused = set() if fuse == "none" else FUSED
    limits = {"threshold": 0.3, "overlap_mask_area_threshold": 0.1}
    key = "stuff_classes" if name.startswith("eomt") else "label_ids_to_fuse"
    settings = {**limits, "target_sizes": [rgb.shape[:2]]}
    (expected,) = processor.post_process_panoptic_segmentation(outputs, **settings, **{key: fused})
    if len({info["id"] for info in expected["segments_info"]}) < len(
        {(info["id"], info["label_id"]) for info in expected["segments_info"]}
    ):  # transformers counts on from the id of the last segment it fused: ids are given twice
        (apart,) = processor.post_process_panoptic_segmentation(outputs, **settings, **{key: set()})
        expected = fuse_by_hand(apart, fused)
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


@pytest.mark.parametrize("task", ["panoptic", "semantic"])
def test_full_resolution_leaves_out_the_grid_of_384(task, image, folders):
    """That is what transformers does for MaskFormer, whose answers are alike."""
    folder, rgb = folders("mask2former"), image.read(image.info.window)
    _, outputs = ask_transformers(folder, rgb, task)
    maskformer = transformers.MaskFormerImageProcessor()
    sizes = {"target_sizes": [rgb.shape[:2]]}
    if task == "semantic":
        (expected,) = maskformer.post_process_semantic_segmentation(outputs, **sizes)
        found = run(image, folder, task, resolution="full")
        ours = found.planes[0].read(found.planes[0].window) - 1
        check_ties(task, (ours != expected.numpy()).sum(), ours.size)
        return
    limits = {"threshold": 0.3, "overlap_mask_area_threshold": 0.1}
    (expected,) = maskformer.post_process_panoptic_segmentation(
        outputs, **limits, **sizes, label_ids_to_fuse=set()
    )
    found = run(image, folder, task, resolution="full", fuse="none", **limits)
    assert check_flat(found, expected, task) >= 2


def test_full_resolution_keeps_the_instances_and_smooths_their_outlines(image, folders):
    standard, full = (
        run(image, folders("mask2former"), "instance", threshold=0.3, resolution=resolution)
        for resolution in ("standard", "full")
    )
    assert len(full.segments) >= 2
    for segment_id, mask in masks_of(full).items():
        score = full.segments[segment_id].score
        alike = [s for s in standard.segments.values() if abs(s.score - score) < 0.02]
        shares = [(masks_of(standard)[s.id] == mask).mean() for s in alike]
        assert max(shares) > 0.9


def test_overlapping_instances_stay_whole(image, folders):
    found = run(image, folders("mask2former"), "instance", threshold=0.3)
    assert len(found.planes) > 1
    areas = {key: mask.sum() for key, mask in masks_of(found).items()}
    assert sum(areas.values()) > image.info.width * image.info.height
    scores = [found.segments[key].score for key in sorted(found.segments)]
    assert scores == sorted(scores, reverse=True)


def test_nothing_is_an_answer_too(image, folders):
    for name, task in [("mask2former", "instance"), ("detr", "instance"), ("eomt", "panoptic")]:
        found = run(image, folders(name), task, threshold=1.0)
        assert (found.segments, found.planes[0].areas()) == ({}, {})


def test_what_cannot_be_fused_is_named(image, folders):
    with pytest.raises(UsageError, match="no category 'unicorn'"):
        run(image, folders("mask2former"), "panoptic", fuse="0, Unicorn")


@pytest.mark.parametrize("task", ["instance", "panoptic", "semantic"])
def test_the_command_line_runs_them(task, image, folders, tmp_path, capsys):
    photo = tmp_path / "face.png"
    Image.fromarray(image.read(image.info.window)).save(photo)
    flags = ["--threshold", "0.3", "--resolution", "full"] if task != "semantic" else []
    flags += ["--fuse", "all", "--overlap-mask-area-threshold=0.1"] if task == "panoptic" else []
    arguments = [str(photo), "--segmenter", task, "--device", "cpu", "--json", *flags]
    arguments += ["--checkpoint", str(folders("mask2former")), "--out", str(tmp_path / "out")]
    assert command([*arguments, "--format", "coco"]) == 0
    (outcome,) = json.loads(capsys.readouterr().out)["images"]
    assert outcome["segments"] >= 2
    scores = [detail["score"] for detail in outcome["details"]]
    assert all(score is None if task == "semantic" else score >= 0.3 for score in scores)
    if task == "panoptic":
        categories = [detail["category"] for detail in outcome["details"]]
        assert len(set(categories)) == len(categories)
