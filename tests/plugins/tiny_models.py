"""Tiny models with random weights, saved as their real ones are."""

import skimage.data
import torch
import transformers
from safetensors.torch import load_file

from segdesk.core.image import ArrayImage
from segdesk.engine.job import SegmentJob

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


def data2vec():
    config, processor = beit()
    settings = {k: v for k, v in config.to_dict().items() if k not in ("model_type", "num_labels")}
    return transformers.Data2VecVisionConfig(**settings), processor


def mobilevit():
    return transformers.MobileViTConfig(
        num_labels=CATEGORIES,
        image_size=64,
        hidden_sizes=[16, 16, 16],
        neck_hidden_sizes=[8, 8, 8, 16, 16, 16, 32],
        num_attention_heads=2,
        aspp_out_channels=16,
        atrous_rates=[1, 2, 3],
        output_stride=16,
    ), _mobilevit_processor()


def mobilevit_v2():
    return transformers.MobileViTV2Config(
        num_labels=CATEGORIES,
        image_size=64,
        width_multiplier=0.25,
        base_attn_unit_dims=[16, 16, 16],
        aspp_out_channels=16,
        n_attn_blocks=[1, 1, 1],
        output_stride=16,
    ), _mobilevit_processor()


def _mobilevit_processor():
    return transformers.MobileViTImageProcessor(
        size={"shortest_edge": 72}, crop_size={"height": 64, "width": 64}
    )


def upernet():
    backbone = transformers.SwinConfig(
        image_size=64,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    return transformers.UperNetConfig(
        backbone_config=backbone, hidden_size=16, num_labels=CATEGORIES, use_auxiliary_head=False
    ), transformers.SegformerImageProcessor(size={"height": 64, "width": 96})


def sapiens2():
    head = transformers.Sapiens2HeadConfig(upsample_out_channels=[16], conv_out_channels=[16])
    return transformers.Sapiens2Config(
        num_labels=CATEGORIES,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_attention_heads=1,
        num_first_full_attention_layers=1,
        num_last_full_attention_layers=1,
        image_size=64,
        head_config=head,
    ), transformers.Sapiens2ImageProcessor(size={"height": 64, "width": 64})


def tipsv2_dpt():
    backbone = transformers.Tipsv2VisionConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
    )
    return transformers.Tipsv2DptConfig(
        num_labels=CATEGORIES,
        backbone_config=backbone,
        neck_hidden_sizes=[16, 16, 16, 16],
        fusion_hidden_size=16,
    ), transformers.Tipsv2DptImageProcessor(size={"height": 56, "width": 56})


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


def only_pickle(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def picture():
    return ArrayImage(skimage.data.astronaut()[:300, :421], "astronaut")


def job_of(checkpoint):
    return SegmentJob("semantic", str(checkpoint), "cpu")
