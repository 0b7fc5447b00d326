"""Real detectors and captioning models with random weights, small enough for tests."""

import torch
from tiny import tiny_tokenizer
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
    RTDetrImageProcessor,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
)

from vmhan.bundled_detector import save_detector
from vmhan.detector_network import DetectorNetwork, DetectorSettings

KINDS = {0: "person", 1: "dog", 2: "tie"}


def save_tiny_rt_detr(folder) -> str:
    """A random RT-DETR of 66 thousand parameters, which finds ten objects everywhere; returns the folder."""
    torch.manual_seed(0)
    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = RTDetrV2Config(
        backbone_config=backbone,
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 16, 16],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        num_queries=10,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=2,
        decoder_attention_heads=2,
        num_denoising=0,
        id2label=KINDS,
        label2id={name: kind for kind, name in KINDS.items()},
    )
    RTDetrV2ForObjectDetection(config).save_pretrained(folder)
    RTDetrImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return str(folder)


def save_tiny_yolo(path, bias: float = 4.0) -> str:
    """A random YOLOv3-tiny of ultralytics, so sure of itself that it finds things; returns the path."""
    import ultralytics  # takes seconds, and who uses the others may not have it

    yolo = ultralytics.YOLO("yolov3-tiny.yaml")
    for scale in yolo.model.model[-1].cv3:
        scale[-1].bias.data.fill_(bias)
    yolo.save(path)
    return str(path)


def save_tiny_bundled(folder) -> str:
    """A random detector of the bundled kind, sure of everything it sees; returns the folder."""
    torch.manual_seed(0)
    settings = DetectorSettings(
        classes=["person", "dog"], widths=[8] * 4, depths=[1] * 4, neck_width=8, input_sizes=[64], score_threshold=0.0
    )
    save_detector(folder, DetectorNetwork(settings), settings)
    return str(folder)


def save_tiny_blip(folder) -> str:
    """A random BLIP, which captions without being asked; returns the folder."""
    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    tiny = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {
        **tiny,
        "vocab_size": len(tokenizer),
        "encoder_hidden_size": 16,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "sep_token_id": tokenizer.sep_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = BlipConfig(text_config=text, vision_config={**tiny, "image_size": 16, "patch_size": 8})
    BlipForConditionalGeneration(config).save_pretrained(folder)
    BlipProcessor(BlipImageProcessor(size={"height": 16, "width": 16}), tokenizer).save_pretrained(folder)
    return str(folder)
