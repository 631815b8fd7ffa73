"""Semantic models: against transformers itself, in a worker, and from a Hub on this machine."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.data
import torch
import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES

from segdesk.core.errors import Cancelled, CheckpointError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.progress import silent
from segdesk.engine.job import make_request
from segdesk.engine.registry import registry
from segdesk.engine.resolve import segment_ids
from segdesk.engine.segment import segment
from segdesk.engine.sessions import Sessions
from segdesk.engine.worker import Worker
from tests.plugins import tiny_models
from tests.plugins.hub_server import running_hub
from tests.plugins.tiny_models import CATEGORIES, job_of, only_pickle, picture, save, segformer


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The folder of a tiny SegFormer; tests that change it copy it first."""
    return save(segformer(), tmp_path_factory.mktemp("models") / "segformer")


@pytest.fixture(scope="module")
def image():
    return picture()


def reference(folder, rgb, **settings):
    """Return transformers' own answer, and the scaled scores it is the highest of."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModelForSemanticSegmentation.from_pretrained(folder).eval()
    inputs = processor(images=rgb, return_tensors="pt", **settings)
    with torch.inference_mode():
        outputs = model(**inputs)
    sizes = [rgb.shape[:2]]
    (ids,) = processor.post_process_semantic_segmentation(outputs, target_sizes=sizes)
    scores = torch.nn.functional.interpolate(outputs.logits, sizes[0], mode="bilinear")
    return ids.numpy(), scores[0].numpy()


CROPPING = {"do_center_crop": False, "size": {"height": 64, "width": 64}}
MODELS = {
    tiny_models.segformer: {},
    tiny_models.dpt: {},
    tiny_models.upernet: {},
    tiny_models.beit: CROPPING,
    tiny_models.data2vec: CROPPING,
    tiny_models.mobilenet_v2: {"do_center_crop": False},
    tiny_models.mobilevit: {"do_center_crop": False},
    tiny_models.mobilevit_v2: {"do_center_crop": False},
    tiny_models.sapiens2: {},
    tiny_models.tipsv2_dpt: {},
}


def test_every_architecture_is_tested():
    tested = {make()[0].model_type for make in MODELS}
    assert tested == set(MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES)


@pytest.mark.parametrize("backend", ["torchvision", "pil"])
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_it_answers_what_transformers_answers(make, backend, image, tmp_path):
    config, processor = make()
    if backend == "pil":
        pil = getattr(transformers, f"{type(processor).__name__}Pil", None)
        if pil is None:
            pytest.skip("transformers has no such processor for this architecture")
        processor = pil.from_dict(processor.to_dict())
    save((config, processor), tmp_path)
    rgb = image.read(image.info.window)
    ids, scores = reference(tmp_path, rgb, **MODELS[make])
    found = segment(image, job_of(tmp_path))
    labels = found.planes[0].read(found.planes[0].window)
    expected = segment_ids(found.categories)[ids]
    rows, columns = np.nonzero(labels != expected)
    best = scores[:, rows, columns].max(axis=0)
    ours = scores[labels[rows, columns] - 1, rows, columns]
    np.testing.assert_allclose(ours, best, rtol=1e-5)
    assert len(np.unique(ids)) > 1
    assert set(found.segments) == set(np.unique(labels)) - {0}
    print(f"\n{make.__name__}: {labels.size} pixels, {len(rows)} of them ties that fell otherwise")


def test_a_background_is_nothing_and_any_other_first_category_is_not(image, tmp_path):
    names = ["background", *"abcdef"]
    with_background = segment(image, job_of(save(segformer(), tmp_path / "voc", names)))
    without = segment(image, job_of(save(segformer(), tmp_path / "ade", ["wall", *names[1:]])))
    ids, _ = reference(tmp_path / "voc", image.read(image.info.window))
    counts = {i: int((ids == i).sum()) for i in np.unique(ids).tolist()}
    assert {s.category: s.id for s in with_background.segments.values()} == {
        i: i for i in counts if i
    }
    assert without.planes[0].areas() == {i + 1: count for i, count in counts.items()}
    assert {s.category for s in without.segments.values()} == set(counts)
    assert [c.name for c in with_background.categories] == names
    assert len({c.colour for c in with_background.categories}) == CATEGORIES


def test_16_bit_and_grey_images_are_segmented_as_displayed(checkpoint):
    pixels = skimage.data.coins().astype(np.uint16) * 200
    found = segment(ArrayImage(pixels, "coins"), job_of(checkpoint))
    assert sum(found.planes[0].areas().values()) == pixels.size


# In a worker, with the Hub played by a server on this machine.


@pytest.fixture(scope="module")
def hub(tmp_path_factory, checkpoint):
    models = {"org/tiny": [checkpoint], "org/large": [checkpoint]}
    with running_hub(models) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", server.url)
        patch.setenv("HF_HUB_OFFLINE", "0")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub")))
        yield server


@pytest.fixture(scope="module")
def worker(hub):
    worker = Worker()
    yield worker
    worker.close()


def undated(segmentation):
    """Return the segments without the time and place of their making."""
    blank = {"time": "", "checkpoint": ""}
    return [
        replace(s, provenance=replace(s.provenance, **blank))
        for s in segmentation.segments.values()
    ]


def test_a_worker_gives_the_same_answer_from_a_folder_and_asks_nobody(
    hub, worker, checkpoint, image
):
    hub.asked.clear()
    job, told = job_of(checkpoint), []
    request = make_request(image, job)
    there = worker.run(job, request, lambda fraction, message: told.append(message))
    here = segment(image, job)
    assert undated(there) == undated(here)
    np.testing.assert_array_equal(*(f.planes[0].read(f.planes[0].window) for f in (there, here)))
    assert {"Starting PyTorch", "Running the model"} <= set(told)
    assert hub.asked == []


def test_a_model_comes_from_the_hub_once(hub, worker, checkpoint, image):
    job, told = job_of("org/tiny"), []
    request = make_request(image, job)
    worker.close()  # so that it starts anew in the home of this test
    found = worker.run(job, request, lambda fraction, message: told.append(message))
    assert undated(found) == undated(segment(image, job_of(checkpoint)))
    assert any("Downloading" in message and "MB" in message for message in told)
    asked = len(hub.asked)
    worker.close()  # so that it is loaded again
    assert undated(worker.run(job, request)) == undated(found)
    assert len(hub.asked) == asked


def test_a_download_stops_at_once_and_can_be_taken_up_again(hub, worker, image, monkeypatch):
    job = job_of("org/large")
    request = make_request(image, job)
    monkeypatch.setattr(hub, "pause", 0.1)

    def stop(fraction, message):
        if message.startswith("Downloading"):
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        worker.run(job, request, stop)
    pid = worker.pid
    monkeypatch.undo()
    assert worker.run(job, request).segments
    assert worker.pid == pid is not None  # it stopped by itself


def test_weights_that_are_pickles_come_from_the_hubs_converter(
    hub, worker, checkpoint, image, tmp_path
):
    pickled = save(segformer(), tmp_path / "pickled")
    only_pickle(pickled)
    hub.models["org/converted"] = [pickled, checkpoint]
    job = job_of("org/converted")
    found = worker.run(job, make_request(image, job))
    assert undated(found) == undated(segment(image, job_of(checkpoint)))


def test_the_hub_says_no_in_words(hub, worker, image, tmp_path):
    pickled = save(segformer(), tmp_path / "pickled")
    only_pickle(pickled)
    hub.models["org/pickled"] = [pickled]
    for ref, words in {
        "org/gated": "accept its licence",
        "org/absent": "nor a public model on the Hub",
        "org/pickled": "has no safetensors weights on the Hub",
    }.items():
        job = job_of(ref)
        with pytest.raises(CheckpointError, match=words):
            worker.run(job, make_request(image, job))


def test_it_is_stopped_while_pytorch_starts_and_works_afterwards(checkpoint, image):
    job, worker = job_of(checkpoint), Worker(grace=0.1)

    def stop(fraction, message):
        if message == "Starting PyTorch":
            raise Cancelled("Stopped.")

    try:
        with pytest.raises(Cancelled):
            worker.run(job, make_request(image, job), stop)
        assert worker.pid is None
        assert worker.run(job, make_request(image, job)).segments
    finally:
        worker.close()


def test_tiles_of_a_real_model_are_answered_one_by_one_together_and_in_half(checkpoint):
    sessions = Sessions()
    job, window = job_of(checkpoint), Window(0, 0, 64, 64)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
    requests = [make_request(ArrayImage(rgb), job, window=window.shifted(x, 0)) for x in (0, 64)]
    with sessions:
        single = [sessions.answers(job, [request])[0].scores for request in requests]
        together = [answer.scores for answer in sessions.answers(job, requests)]
        half = sessions.answers(replace(job, half=True), requests)
    np.testing.assert_allclose(single, together, atol=1e-4)
    for full, small in zip(single, half, strict=True):
        assert small.scores.dtype == np.float32
        assert (small.scores != full).any(), "it really computes in another precision"
        assert (small.scores.argmax(0) == full.argmax(0)).mean() > 0.9


def test_a_batch_is_the_same_as_one_by_one(checkpoint):
    """As on a device where tiles run together: the processor here does it too."""
    session = registry().segmenter("semantic").open(str(checkpoint), "cpu", silent)
    rgb = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    requests = [make_request(ArrayImage(image), job_of(checkpoint)) for image in rgb]
    batch = session._dense_scores(requests, silent)
    for request, scores in zip(requests, batch, strict=True):
        alone = session._dense_scores([request], silent)[0]
        torch.testing.assert_close(scores, alone, atol=1e-4, rtol=0)
    session.close()
