"""Vision encoders: torchvision's VGGs and the encoders of `transformers`, images in, a vector of each out.

A name of torchvision ("vgg16", the paper's) fetches its ImageNet weights; a file is a state dict of such a VGG; all
else is a Hub id or a folder.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
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
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD, PILImageResampling

from .configuration_vgg import VGGConfig
from .configuration_vmhan import VMHANConfig
from .modeling_vgg import VGGModel
from .network import hub_settings

VGG_IMAGE_SIZE = 224


def build_vision_model(config: PreTrainedConfig) -> PreTrainedModel:
    """An encoder with fresh weights. It is a backbone where `config.architectures` says so."""
    if config.model_type == VGGConfig.model_type:
        return VGGModel(config)
    return (AutoBackbone if _is_backbone(config) else AutoModel).from_config(config)


def load_vision_model(name_or_path: str) -> PreTrainedModel:
    """A pretrained encoder, in single precision.

    Args:
        name_or_path: "vgg16" or another VGG of torchvision; a file (`.pth`, `.safetensors`) with the state dict of
            one; or the Hub id or folder of an encoder of `transformers`. Of a model of images and text, such as CLIP,
            the half that sees is taken.

    Raises:
        OSError: The weights are not there and cannot be fetched.
        ValueError: A file holds no VGG, or the name stands for something that sees nothing.
    """
    if _is_torchvision_vgg(name_or_path):
        model = _vgg_from_state(_read_state(name_or_path), name_or_path)
    else:
        config = _vision_config(name_or_path)
        # AutoBackbone itself would not look into a folder, nor into the cache when offline
        kind = AutoBackbone._model_mapping[type(config)] if _is_backbone(config) else AutoModel
        settings = hub_settings(name_or_path)
        model = kind.from_pretrained(name_or_path, config=config, dtype=torch.float32, **settings)
    model.config.name_or_path = ""  # a folder of this machine means nothing to who loads the model elsewhere
    return model.eval()


def load_image_processor(name_or_path: str):
    """What makes the pixels that `load_vision_model(name_or_path)` was trained on.

    A VGG sees the whole picture or object squeezed into a square of 224 pixels: cutting out the middle, as for
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


def encode_pixels(vision_model: nn.Module, pixel_values: torch.Tensor) -> torch.Tensor:
    """(images, 3, height, width) to (images, width): the pooled output, or the mean over the last feature map."""
    output = vision_model(pixel_values=pixel_values.to(vision_model.dtype), return_dict=True)
    pooled = getattr(output, "pooler_output", None)
    if pooled is not None:
        return pooled.flatten(1)
    maps = getattr(output, "feature_maps", None)
    states = output.last_hidden_state if maps is None else maps[-1]
    return states.flatten(2).mean(dim=-1) if states.ndim == 4 else states.mean(dim=1)


def encode_distinct(
    vision_model: nn.Module, pixel_values: torch.Tensor, mask: torch.Tensor, width: int
) -> torch.Tensor:
    """Features (images, 1 + objects, width) of pixels (images, 1 + objects, 3, height, width).

    Only what exists by `mask` (images, 1 + objects) is encoded, and once if it stands there more than once.
    """
    states = torch.zeros(*mask.shape, width, device=pixel_values.device, dtype=vision_model.dtype)
    if not mask.any():
        return states
    # pictures that differ do so in their first pixels, so that sorting is cheap beside encoding
    distinct, place = pixel_values[mask].unique(dim=0, return_inverse=True)
    features = encode_pixels(vision_model, distinct)
    return states.to(features.dtype).masked_scatter(mask[..., None], features[place])


@torch.no_grad()
def feature_width(vision_model: PreTrainedModel, image_processor) -> int:
    """Width of what `encode_pixels` gives, found by a look at a black picture."""
    black = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    pixel_values = image_processor(black, return_tensors="pt")["pixel_values"]
    return encode_pixels(vision_model, pixel_values.to(vision_model.device)).shape[-1]


def _is_backbone(config: PreTrainedConfig) -> bool:
    return bool(config.architectures) and config.architectures[0].endswith("Backbone")


def _vision_config(name_or_path: str) -> PreTrainedConfig:
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
    weights = torchvision_models.get_model_weights(name_or_path).DEFAULT
    try:
        return weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except OSError as error:
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        raise OSError(
            f'The weights of "{name_or_path}" are not in {cache} and cannot be fetched from {weights.url} ({error}). '
            "Put that file there, or give its path in place of the name."
        ) from error


def _vgg_from_state(state: dict[str, torch.Tensor], source: str) -> VGGModel:
    model = VGGModel(_vgg_config(state, source))
    # the last layer tells ImageNet's labels
    kept = {name: tensor for name, tensor in state.items() if not name.startswith("classifier.6.")}
    try:
        model.load_state_dict(kept)
    except RuntimeError as error:
        raise ValueError(f'"{source}" is no VGG of torchvision: {error}') from error
    return model


def _vgg_config(state: dict[str, torch.Tensor], source: str) -> VGGConfig:
    """The layers that the names and shapes of the weights tell: a gap in the numbers is a pooling."""
    convolutions = {
        int(name.split(".")[1]): len(tensor)
        for name, tensor in state.items()
        if name.startswith("features.") and tensor.ndim == 4
    }
    if not convolutions or "classifier.3.weight" not in state:
        raise ValueError(f'"{source}" is no VGG of torchvision: it holds {sorted(state)[:5]}.')
    batch_norm = any(name.endswith("running_mean") for name in state)
    step = 3 if batch_norm else 2  # convolution, perhaps a normalisation, ReLU
    places = sorted(convolutions)
    layers = []
    for place, following in zip(places, [*places[1:], None], strict=True):
        layers.append(convolutions[place])
        if following is None or following - place > step:  # a VGG ends in a pooling
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
