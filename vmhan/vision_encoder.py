"""Vision encoders by name: torchvision's VGGs and the encoders of `transformers`, which give a vector of each image.

A name of torchvision ("vgg16", the paper's) downloads its ImageNet weights; a file is a state dict of such a VGG; all
else is a Hub id or a folder.
"""

from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file
from torchvision import models as torchvision_models
from transformers import (
    AutoBackbone,
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    PreTrainedConfig,
    PreTrainedModel,
    ViTImageProcessor,
)
from transformers.image_utils import PILImageResampling
from transformers.utils.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from .configuration_vgg import VGGConfig
from .configuration_vmhan import VMHANConfig
from .modeling_vgg import VGGModel
from .network import hub_settings

VGG_IMAGE_SIZE = 224


def build_vision_model(config: PreTrainedConfig) -> PreTrainedModel:
    """Builds an encoder with random weights, a backbone where `config.architectures` says so."""
    if config.model_type == VGGConfig.model_type:
        return VGGModel(cast(VGGConfig, config))
    return (AutoBackbone if _is_backbone(config) else AutoModel).from_config(config)


def load_vision_model(name_or_path: str) -> PreTrainedModel:
    """Loads a pretrained encoder in single precision.

    Args:
        name_or_path: "vgg16" or another VGG of torchvision; a file (`.pth`, `.safetensors`) with the state dict of
            one; or the Hub id or folder of an encoder of `transformers`. Of a model of images and text, such as CLIP,
            the vision encoder is taken.

    Raises:
        OSError: The weights are unavailable.
        ValueError: A file holds no VGG, or the name is not that of a vision encoder.
    """
    if _is_torchvision_vgg(name_or_path):
        model = _vgg_from_state(_read_state(name_or_path), name_or_path)
    else:
        config = _vision_config(name_or_path)
        # AutoBackbone itself reads neither a folder nor, when offline, the cache
        kind: Any = AutoBackbone._model_mapping[type(config)] if _is_backbone(config) else AutoModel
        settings = hub_settings(name_or_path)
        model = kind.from_pretrained(name_or_path, config=config, dtype=torch.float32, **settings)
    model.config.name_or_path = ""  # a folder of this machine means nothing where the model is loaded
    return model.eval()


def load_image_processor(name_or_path: str):
    """Loads the image processor whose pixels `load_vision_model(name_or_path)` was trained on.

    A VGG reads the whole image or object squeezed into a square of 224 pixels: cutting out the middle, as for
    ImageNet, would lose the ends of a standing person.
    """
    if _is_torchvision_vgg(name_or_path) or _vision_config(name_or_path).model_type == VGGConfig.model_type:
        return ViTImageProcessor(
            size={"height": VGG_IMAGE_SIZE, "width": VGG_IMAGE_SIZE},
            resample=PILImageResampling.BILINEAR,
            image_mean=IMAGENET_DEFAULT_MEAN,
            image_std=IMAGENET_DEFAULT_STD,
        )
    return AutoImageProcessor.from_pretrained(name_or_path, **hub_settings(name_or_path))


def encode_pixels(vision_model: PreTrainedModel, pixel_values: torch.Tensor) -> torch.Tensor:
    """Computes a vector of each image: the pooled output, or the mean over the last feature map.

    Args:
        vision_model: The encoder.
        pixel_values: (images, 3, height, width).

    Returns:
        (images, width).
    """
    output = vision_model(pixel_values=pixel_values.to(vision_model.dtype), return_dict=True)
    pooled = getattr(output, "pooler_output", None)
    if pooled is not None:
        return pooled.flatten(1)
    maps = getattr(output, "feature_maps", None)
    states = output.last_hidden_state if maps is None else maps[-1]
    return states.flatten(2).mean(dim=-1) if states.ndim == 4 else states.mean(dim=1)


def encode_distinct(
    vision_model: PreTrainedModel, pixel_values: torch.Tensor, mask: torch.Tensor, width: int
) -> torch.Tensor:
    """Computes features of images and crops, each distinct one once.

    Args:
        vision_model: The encoder.
        pixel_values: (images, 1 + objects, 3, height, width).
        mask: Which of them exist, (images, 1 + objects); the others are not encoded.
        width: Width of the features.

    Returns:
        (images, 1 + objects, width), zero where nothing exists.
    """
    states = torch.zeros(*mask.shape, width, device=pixel_values.device, dtype=vision_model.dtype)
    if not mask.any():
        return states
    # images that differ do so in their first pixels, so that sorting is cheap beside encoding
    distinct, index = pixel_values[mask].unique(dim=0, return_inverse=True)
    features = encode_pixels(vision_model, distinct)
    return states.to(features.dtype).masked_scatter(mask[..., None], features[index])


@torch.no_grad()
def feature_width(vision_model: PreTrainedModel, image_processor) -> int:
    """Computes the width of the features of `encode_pixels`, by encoding a black image."""
    black = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    pixel_values = image_processor(black, return_tensors="pt")["pixel_values"]
    return encode_pixels(vision_model, pixel_values.to(vision_model.device)).shape[-1]


def _is_backbone(config: PreTrainedConfig) -> bool:
    return bool(config.architectures) and config.architectures[0].endswith("Backbone")


def _vision_config(name_or_path: str) -> PreTrainedConfig:
    """Loads the config of a vision encoder; raises a ValueError for what is none."""
    try:
        config = AutoConfig.from_pretrained(name_or_path, **hub_settings(name_or_path))
    except OSError as error:
        raise OSError(
            f'The vision encoder "{name_or_path}" is no VGG of torchvision, no file, no folder with a config.json and '
            f"not found on the Hub ({error}). Check the name, or download it where there is a network."
        ) from error
    of_vision = getattr(config, "vision_config", config)
    if config.model_type == VMHANConfig.model_type:
        raise ValueError(f'"{name_or_path}" is a finished VM-HAN; name its vision encoder as it was before training.')
    if hasattr(of_vision, "vocab_size"):
        raise ValueError(f'"{name_or_path}" is a {config.model_type}, which reads text; name a vision encoder.')
    return of_vision


def _is_torchvision_vgg(name_or_path: str) -> bool:
    if Path(name_or_path).exists():
        return Path(name_or_path).is_file()
    return name_or_path in torchvision_models.list_models(include="vgg*")


def _read_state(name_or_path: str) -> dict[str, torch.Tensor]:
    if Path(name_or_path).suffix == ".safetensors":
        return load_file(name_or_path)
    if Path(name_or_path).is_file():
        return torch.load(name_or_path, map_location="cpu", weights_only=True)
    weights = torchvision_models.get_model_weights(name_or_path)["DEFAULT"]
    try:
        return weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except OSError as error:
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        raise OSError(
            f'The weights of "{name_or_path}" are not in {cache}, and {weights.url} is unavailable ({error}). '
            "Put that file there, or give its path in place of the name."
        ) from error


def _vgg_from_state(state: dict[str, torch.Tensor], source: str) -> VGGModel:
    model = VGGModel(_vgg_config(state, source))
    # the last layer scores ImageNet's labels
    kept = {name: tensor for name, tensor in state.items() if not name.startswith("classifier.6.")}
    try:
        model.load_state_dict(kept)
    except RuntimeError as error:
        raise ValueError(f'"{source}" is no VGG of torchvision: {error}') from error
    return model


def _vgg_config(state: dict[str, torch.Tensor], source: str) -> VGGConfig:
    """Infers the layers from names and shapes of the weights: a gap in the numbers is a pooling."""
    convolutions = {
        int(name.split(".")[1]): len(tensor)
        for name, tensor in state.items()
        if name.startswith("features.") and tensor.ndim == 4
    }
    if not convolutions or "classifier.3.weight" not in state:
        raise ValueError(f'"{source}" is no VGG of torchvision: it holds {sorted(state)[:5]}.')
    batch_norm = any(name.endswith("running_mean") for name in state)
    step = 3 if batch_norm else 2  # convolution, perhaps a normalization, ReLU
    numbers = sorted(convolutions)
    layers = []
    for number, following in zip(numbers, [*numbers[1:], None], strict=True):
        layers.append(convolutions[number])
        if following is None or following - number > step:  # a VGG ends in a pooling
            layers.append("M")
    return VGGConfig(layers=layers, batch_norm=batch_norm, hidden_size=len(state["classifier.3.weight"]))


__all__ = [
    "build_vision_model",
    "encode_distinct",
    "encode_pixels",
    "feature_width",
    "load_image_processor",
    "load_vision_model",
]
