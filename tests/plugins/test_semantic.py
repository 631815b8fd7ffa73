"""Semantic models: tiny ones with random weights, made here, against transformers itself."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import skimage.data
import torch
import transformers
from safetensors.torch import load_file, save_file

from segdesk.core.errors import Cancelled, CheckpointError, UsageError
from segdesk.core.image import ArrayImage
from segdesk.engine.resolve import segment_ids
from segdesk.engine.segment import SegmentJob, make_request, segment
from segdesk.engine.worker import Worker

CATEGORIES = 7


def segformer():
    return transformers.SegformerConfig(
        num_labels=CATEGORIES,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 1, 1],
        decoder_hidden_size=16,
    ), transformers.SegformerImageProcessor(size={"height": 96, "width": 128})


def dpt():
    return transformers.DPTConfig(
        num_labels=CATEGORIES,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=64,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[16, 16, 16, 16],
        fusion_hidden_size=16,
    ), transformers.DPTImageProcessor(size={"height": 64, "width": 64})


def beit():
    return transformers.BeitConfig(
        num_labels=CATEGORIES,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=64,
        out_indices=[1, 2, 3, 4],
        use_relative_position_bias=True,
    ), transformers.BeitImageProcessor(
        size={"height": 72, "width": 72},
        crop_size={"height": 64, "width": 64},
        do_center_crop=True,
        do_reduce_labels=True,
    )


def mobilenet_v2():
    return transformers.MobileNetV2Config(
        num_labels=CATEGORIES, depth_multiplier=0.25, output_stride=8
    ), transformers.MobileNetV2ImageProcessor(
        size={"shortest_edge": 130}, crop_size={"height": 129, "width": 129}
    )


def save(made, folder, names=()):
    """Save a model with random weights that tell categories apart, and its processor."""
    config, processor = made
    if names:
        config.id2label = dict(enumerate(names))
        config.label2id = {name: index for index, name in enumerate(names)}
    torch.manual_seed(1)
    kind = transformers.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING[type(config)]
    model = kind(config).eval()
    for weights in model.parameters():
        if weights.ndim > 1:
            torch.nn.init.normal_(weights, std=2 / weights[0].numel() ** 0.5)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The folder of a tiny SegFormer; tests that change it copy it first."""
    return save(segformer(), tmp_path_factory.mktemp("models") / "segformer")


@pytest.fixture
def copied(checkpoint, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.fixture(scope="module")
def image():
    return ArrayImage(skimage.data.astronaut()[:300, :421], "astronaut")


def job_of(checkpoint):
    return SegmentJob("semantic", str(checkpoint), "cpu")


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


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (segformer, {}),
        (dpt, {}),
        (beit, {"do_center_crop": False, "size": {"height": 64, "width": 64}}),
        (mobilenet_v2, {"do_center_crop": False}),
    ],
)
def test_it_answers_what_transformers_answers(make, settings, image, tmp_path):
    save(make(), tmp_path)
    rgb = image.read(image.info.window)
    ids, scores = reference(tmp_path, rgb, **settings)
    found = segment(image, job_of(tmp_path))
    labels = found.planes[0].read(found.planes[0].window)
    expected = segment_ids(found.categories)[ids]
    rows, columns = np.nonzero(labels != expected)
    best = scores[:, rows, columns].max(axis=0)
    ours = scores[labels[rows, columns] - 1, rows, columns]
    np.testing.assert_allclose(ours, best, rtol=1e-5)
    assert len(np.unique(ids)) > 2
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


# What a hostile or damaged folder may do: be refused, in words. (change, words of the message)


def cut_weights(folder):
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])


def change_weights(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def change_config(folder, name="config.json", **changes):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def only_pickle(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def index_to(folder, target):
    (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
    index = {"metadata": {}, "weight_map": dict.fromkeys(["a", "b"], target)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def foreign_code(folder, **changes):
    (folder / "evil.py").write_text(
        f"open({str(folder / 'canary')!r}, 'w')\n"
        "from transformers import SegformerConfig as Config\n"
        "from transformers import SegformerForSemanticSegmentation as Model\n"
        "from transformers import SegformerImageProcessor as Processor\n"
    )
    change_config(folder, **changes)


AUTO_MAP = {
    "AutoConfig": "evil.Config",
    "AutoModelForSemanticSegmentation": "evil.Model",
    "AutoImageProcessor": "evil.Processor",
}
CLASSIFIER = "decode_head.classifier.bias"
BAD_FOLDERS = {
    "truncated": (cut_weights, "model.safetensors: damaged"),
    "text": (lambda f: (f / "model.safetensors").write_text("hello"), "damaged"),
    "missing tensor": (partial(change_weights, change=lambda w: w.pop(CLASSIFIER)), CLASSIFIER),
    "other shape": (
        partial(change_weights, change=lambda w: w.update({CLASSIFIER: torch.zeros(3)})),
        f"shapes than {CLASSIFIER}",
    ),
    "not a number": (
        partial(change_weights, change=lambda w: w[CLASSIFIER].fill_(torch.nan)),
        f"{CLASSIFIER} is not finite",
    ),
    "pickle": (only_pickle, "pytorch_model.bin is a pickle"),
    "no config": (lambda f: (f / "config.json").unlink(), "config.json is missing"),
    "no processor": (lambda f: (f / "preprocessor_config.json").unlink(), "preprocessor_config"),
    "bad json": (lambda f: (f / "config.json").write_text("{"), "config.json: cannot be read"),
    "list": (lambda f: (f / "config.json").write_text("[]"), "no description of a model"),
    "other task": (
        partial(change_config, model_type="detr", architectures=["DetrForObjectDetection"]),
        "holds DetrForObjectDetection, which is not for semantic segmentation",
    ),
    "unknown model": (partial(change_config, model_type="frobnicator"), "frobnicator"),
    "wrong config": (partial(change_config, hidden_sizes="many"), "cannot be loaded"),
    "index out": (partial(index_to, target="../model.safetensors"), "no name of a safetensors"),
    "index absolute": (partial(index_to, target="/etc/passwd"), "no name of a safetensors file"),
    "index to nothing": (partial(index_to, target="a.safetensors"), "a.safetensors is missing"),
    "index of numbers": (partial(index_to, target=3), "'3' is no name"),
    "adapter": (lambda f: (f / "adapter_config.json").write_text("{}"), "adapter"),
    "kernel": (partial(change_config, attn_implementation="evil/kernel"), "evil/kernel"),
    "fusion": (partial(change_config, fusion_config={"a": {}}), "foreign code"),
    "backbone": (partial(change_config, backbone="evil/backbone"), "'evil/backbone'"),
    "quantised": (partial(change_config, quantization_config={"quant_method": "x"}), "quantised"),
    "code": (partial(foreign_code, model_type="evil", auto_map=AUTO_MAP), "custom code"),
    "processor code": (
        partial(
            foreign_code,
            name="preprocessor_config.json",
            image_processor_type="Evil",
            auto_map=AUTO_MAP,
        ),
        "cannot be loaded",
    ),
}


@pytest.mark.parametrize("kind", BAD_FOLDERS)
def test_a_bad_folder_is_refused_in_words(kind, copied, image):
    damage, words = BAD_FOLDERS[kind]
    damage(copied)
    with pytest.raises(CheckpointError) as caught:
        segment(image, job_of(copied))
    message = str(caught.value)
    assert words in message
    assert str(copied) in message
    assert "\n" not in message
    assert not (copied / "canary").exists()


def test_code_that_is_not_needed_is_not_run_either(copied, image):
    foreign_code(copied, auto_map=AUTO_MAP)
    assert segment(image, job_of(copied)).segments
    assert not (copied / "canary").exists()


def test_weights_in_several_files_are_read(copied, image):
    whole = segment(image, job_of(copied)).planes[0].areas()
    weights = load_file(copied / "model.safetensors")
    names = sorted(weights)
    shards = {"model-1-of-2.safetensors": names[::2], "model-2-of-2.safetensors": names[1::2]}
    for file, members in shards.items():
        save_file({name: weights[name] for name in members}, copied / file, {"format": "pt"})
    index = {name: file for file, members in shards.items() for name in members}
    (copied / "model.safetensors").unlink()
    (copied / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    assert segment(image, job_of(copied)).planes[0].areas() == whole


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("org/not-here", "the Hub cannot be reached"),
        ("./not/a/folder", "there is no such folder"),
        (__file__, "a file; a checkpoint is a folder or a Hub id"),
    ],
)
def test_what_is_not_on_this_machine_is_named(ref, words, image):
    with pytest.raises(CheckpointError, match=words) as caught:
        segment(image, job_of(ref))
    assert ref in str(caught.value)


def test_a_device_that_is_not_there_is_named(checkpoint, image):
    with pytest.raises(UsageError, match="no device 'tpu'"):
        segment(image, SegmentJob("semantic", str(checkpoint), "tpu"))


# In a worker, with the Hub played by a server on this machine.


class Hub(BaseHTTPRequestHandler):
    """Serves the folders of ``server.models``, slowly when ``server.pause`` says so.

    A second folder of a model is what the Hub's converter offers for it.
    """

    def do_GET(self):
        self.server.asked.append(self.path)
        path = self.path.partition("?")[0].strip("/").split("/")
        if path[:2] == ["api", "models"]:
            self._tell("/".join(path[2:4]), path[4], path[-1])
        else:
            self._send("/".join(path[:2]), *path[-2:])

    do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, *args):
        pass

    def _tell(self, model, question, revision):
        folders = self.server.models.get(model)
        if folders is None:
            gated = model == "org/gated"
            code = "GatedRepo" if gated else "RepoNotFound"
            self._answer(403 if gated else 404, {"X-Error-Code": code})
        elif question == "revision":
            number = 1 if revision.startswith("refs") else 0
            self._answer(200, {}, json.dumps({"id": model, "sha": f"{number:040}"}).encode())
        elif question == "discussions":
            self._answer(200, {}, json.dumps(offers(len(folders) - 1)).encode())
        else:
            files = [
                {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f"{n:040x}"}
                for n, f in enumerate(sorted(folders[int(revision)].iterdir()))
            ]
            self._answer(200, {}, json.dumps(files).encode())

    def _send(self, model, revision, name):
        content = (self.server.models[model][int(revision)] / name).read_bytes()
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        about = {"ETag": f'"{name}"', "X-Repo-Commit": revision, "Accept-Ranges": "bytes"}
        if start:
            about["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._answer(206 if start else 200, about, content[start:])

    def _answer(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        with suppress(ConnectionError):  # whoever asked has had enough
            for first in range(0, len(body), 10_000):
                self.wfile.write(body[first : first + 10_000])
                time.sleep(self.server.pause)


def offers(count):
    """Return what the Hub says of pull requests by its converter."""
    request = {
        "num": 1,
        "title": "Adding `safetensors` variant of this model",
        "author": {"name": "SFconvertbot"},
        "repo": {"name": "", "type": "model"},
        "isPullRequest": True,
        "status": "open",
        "createdAt": "2023-01-01T00:00:00.000Z",
    }
    return {"discussions": [request] * count, "count": count, "start": 0}


@pytest.fixture(scope="module")
def hub(tmp_path_factory, checkpoint):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.models = {"org/tiny": [checkpoint], "org/large": [checkpoint]}
    server.asked, server.pause = [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        patch.setenv("HF_HUB_OFFLINE", "0")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hub")))
        yield server
    server.shutdown()
    server.server_close()


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
