"""Tiny models that answer by queries, with random weights, saved as their real ones are."""

import json
from pathlib import Path

import torch
import transformers
from transformers.models.rf_detr.configuration_rf_detr import RfDetrDinov2Config

from segdesk.ml.query_model import INSTANCE_MODELS

CATEGORIES = 7
QUERIES = 12
SIZE = 64  # of what the models see


def _swin():
    return transformers.SwinConfig(
        image_size=SIZE,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )


def maskformer():
    decoder = transformers.DetrConfig(
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        num_queries=QUERIES,
    )
    return transformers.MaskFormerConfig(
        backbone_config=_swin(),
        decoder_config=decoder,
        fpn_feature_size=32,
        mask_feature_size=32,
        num_labels=CATEGORIES,
    ), _processor("MaskFormer")


def mask2former():
    return transformers.Mask2FormerConfig(
        backbone_config=_swin(),
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=32,
        dim_feedforward=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        num_queries=QUERIES,
        num_labels=CATEGORIES,
    ), _processor("Mask2Former")


def oneformer():
    return transformers.OneFormerConfig(
        backbone_config=_swin(),
        num_queries=QUERIES,
        num_labels=CATEGORIES,
        text_encoder_width=16,
        text_encoder_num_layers=1,
        text_encoder_vocab_size=60,
        text_encoder_proj_layers=1,
        text_encoder_n_ctx=4,
        conv_dim=32,
        mask_dim=32,
        hidden_dim=32,
        encoder_feedforward_dim=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        dim_feedforward=32,
        query_dec_layers=1,
        task_seq_len=12,
    ), _processor("OneFormer")


def detr():
    resnet = transformers.ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 16, 32],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    return transformers.DetrConfig(
        backbone_config=resnet,
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        num_queries=QUERIES,
        num_labels=CATEGORIES,
    ), _both("DetrImageProcessor", size={"shortest_edge": 128, "longest_edge": 256})


def eomt():
    return transformers.EomtConfig(
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIZE,
        num_blocks=1,
        num_queries=QUERIES,
        num_labels=CATEGORIES,
    ), _eomt_processor()


def eomt_dinov3():
    return transformers.EomtDinov3Config(
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIZE,
        num_blocks=1,
        num_queries=QUERIES,
        num_labels=CATEGORIES,
    ), _eomt_processor()


def videomt():
    return transformers.VideomtConfig(
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIZE,
        num_blocks=1,
        num_queries=QUERIES,
        num_labels=CATEGORIES,
    ), {"": transformers.VideomtVideoProcessor(size={"height": SIZE, "width": SIZE})}


def rf_detr():
    backbone = RfDetrDinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=SIZE,
        patch_size=16,
        num_windows=2,
        out_indices=[1, 2, 3, 4],
    )
    processor = transformers.RfDetrImageProcessor(size={"height": SIZE, "width": SIZE})
    return transformers.RfDetrConfig(
        backbone_config=backbone,
        d_model=32,
        decoder_layers=1,
        decoder_ffn_dim=32,
        decoder_self_attention_heads=2,
        decoder_cross_attention_heads=2,
        decoder_n_points=2,
        num_queries=QUERIES,
        group_detr=1,
        num_labels=CATEGORIES,
    ), {"": processor}


def _processor(family):
    """Return the processors of a family by backend, for images that are padded a little."""
    size = {"shortest_edge": SIZE, "longest_edge": 2 * SIZE}
    return _both(f"{family}ImageProcessor", size=size)


def _eomt_processor():
    size = {"shortest_edge": SIZE, "longest_edge": SIZE}
    return _both("EomtImageProcessor", size=size, do_pad=True)


def _both(name, **settings):
    return {backend: getattr(transformers, name + backend)(**settings) for backend in ("", "Pil")}


def save(made, folder, backend="", seed=1):
    """Save a model whose queries are sure of themselves, and its processor."""
    config, processors = made
    torch.manual_seed(seed)
    model = INSTANCE_MODELS[type(config)](config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            _enliven(name, weights)
    model.save_pretrained(folder)
    processors[backend].save_pretrained(folder)
    if hasattr(config, "task_seq_len"):
        _save_tokenizer(Path(folder))
    return folder


_LOUDER = {  # without it all queries would say much the same
    "class_predictor": 3,
    "class_labels_classifier": 3,
    "class_embed": 3,
    "classifier": 3,
    "bbox_attention": 4,
    "fpn_adapter": 1e-3,
}


def _enliven(name, weights):
    """Make random weights so large that masks and categories differ between queries."""
    if weights.ndim > 1:
        torch.nn.init.normal_(weights, std=2 / weights[0].numel() ** 0.5)
    if "quer" in name and "embed" in name:
        torch.nn.init.normal_(weights, std=3)
    for part, factor in _LOUDER.items():
        if part in name:
            weights.mul_(factor)
    if name == "mask_head.conv1.conv.weight":
        weights[:, -8:].mul_(300)  # the channels of DETR that tell queries apart


def _save_tokenizer(folder):
    """Save a CLIP tokenizer that spells."""
    letters = list("abcdefghijklmnopqrstuvwxyz")
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CLIPTokenizer", "pad_token": "<|endoftext|>"})
    )
    names = {str(i): {"name": f"LABEL_{i}", "isthing": i % 2} for i in range(CATEGORIES)}
    (folder / "ade20k_panoptic.json").write_text(json.dumps(names))
